/**
 * Gives back the memory of a chunk that nobody needs any more, when it is all the chunk's own. The chunks of a large upload
 * lie outside of V8's heap, but V8 counts them: left to the garbage collector, they make it run all the time, for most of
 * the processor time of an upload.
 */
export function releaseChunk({ byteLength, buffer }: Buffer<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
