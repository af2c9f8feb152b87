import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects the heap now, and clears what that frees. The addon takes the PIN as a string, which nobody can wipe: dead
 * after the login, it would lie there for the life of the process. Two collections, because the first only moves young
 * objects; clearing is switched off again, because it costs time in each collection.
 */
export function forgetDeadStrings(): void {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--clear-free-memory');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  setFlagsFromString('--no-clear-free-memory');
}
