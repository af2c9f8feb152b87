/** usage: floor FILE COUNT OUTPUT: reads, hashes and writes the file COUNT times. */
import { closeCopy, copyWhileHashing } from './read-through.ts';

const [path = '', count = '', output = ''] = process.argv.slice(2);
for (let index = 0; index < Number(count); index += 1) {
  const copy = copyWhileHashing(path, output);
  copy.hash.digest();
  closeCopy(copy);
}
