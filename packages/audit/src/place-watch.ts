import type { AuditFile } from './audit-file-system.ts';

/** A folder that is taken away takes the lines of so long with it at most. */
const lookMs = 1_000;

/**
 * Looks now and then whether open files are still where their names say. Writing to a file that was deleted or moved
 * away works for ever, and what is written there is in no log that anybody reads.
 */
export class PlaceWatch {
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;

  /**
   * @param listFiles those that are open now
   * @param onGone told once, with what is gone
   */
  constructor(listFiles: () => readonly AuditFile[], onGone: () => void) {
    this.#timer = setInterval(() => {
      // A file system that hangs is asked once.
      if (this.#isLooking) return;
      this.#isLooking = true;
      void this.#look(listFiles, onGone).finally(() => (this.#isLooking = false));
    }, lookMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(listFiles: () => readonly AuditFile[], onGone: () => void): Promise<void> {
    for (const file of listFiles()) {
      // A file that can't be asked any more was closed meanwhile, or its disk is in a state that the next write says.
      if (await file.isInPlace().catch(() => true)) continue;
      if (!listFiles().includes(file)) continue;
      this.stop();
      onGone();
      return;
    }
  }
}
