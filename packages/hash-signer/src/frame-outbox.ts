/**
 * Frames wait for others this long at most, while the event loop is busy: eight signatures of RSA-2048, half of what a
 * signer process has in its window. Each write wakes the daemon; with 1 ms it spends a tenth more on a signature.
 */
const MOST_WAIT_MS = 4;

/**
 * Frames that leave together: those of one turn of the event loop in one write, because a write wakes the other
 * process, which costs more than what is written. A turn that takes long (a module that computes in its process) does
 * not hold back what is ready.
 */
export class FrameOutbox {
  readonly #write: (bytes: Buffer) => void;
  #frames: Buffer[] = [];
  #since = 0;

  /** @param write hands bytes to the pipe */
  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  add(frame: Buffer): void {
    this.#frames.push(frame);
    if (this.#frames.length === 1) {
      this.#since = performance.now();
      setImmediate(() => this.flush());
    } else if (performance.now() - this.#since > MOST_WAIT_MS) this.flush();
  }

  /** Hands over what waits. */
  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    this.#write(frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames));
  }
}
