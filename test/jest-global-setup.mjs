/** Everything silently running on the system's Node would test another product. */
export default function assertNode24() {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(`The tests need Node 24, this is ${process.versions.node}: run them with "npm test".`);
  }
}
