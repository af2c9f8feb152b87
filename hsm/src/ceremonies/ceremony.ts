import type { JsonValue } from '@sigillum/audit';
import type { Home, Output } from '../home/home.ts';
import type { TokenAccess } from '../keys/token-access.ts';

/** What a ceremony works with. */
export type CeremonyContext = {
  readonly home: Home;
  readonly tokens: TokenAccess;
  /** `base_url` of the command line, without a slash at its end. */
  readonly baseUrl: string | undefined;
  readonly now: () => Date;
  readonly random: (length: number) => Uint8Array;
};

/** Writes a check that passed into the transcript, with the value that was seen. */
export type NoteCheck = (check: string, value: JsonValue) => void;

/**
 * The phases that differ between types of ceremonies; the runner calls them in this order and does the rest. Each
 * phase gets what the one before gave, so the wrong order can't be written. A phase that isn't satisfied throws.
 */
export type Ceremony<Ready, Made> = {
  /** Reads and checks everything that can be known before; changes nothing. */
  readonly preflight: (context: CeremonyContext, note: NoteCheck) => Promise<Ready>;
  /** The one phase that makes something: a token, a key, a signature. */
  readonly act: (ready: Ready, context: CeremonyContext, note: NoteCheck) => Promise<Made>;
  /** Reads what was made where it was made, and compares. */
  readonly readBack: (made: Made, context: CeremonyContext, note: NoteCheck) => Promise<void>;
  /** Proves that what was made does its work. */
  readonly verify: (made: Made, context: CeremonyContext, note: NoteCheck) => Promise<void>;
  /** The files that appear now, the result last. */
  readonly listFiles: (made: Made) => readonly Output[];
};
