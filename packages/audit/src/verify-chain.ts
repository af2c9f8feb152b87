import { nextHash, startOfChain } from './chain.ts';
import { findChainLine } from './chain-line.ts';

/** Where a chain stands: its last sequence (0 when empty) and hash. */
export type ChainHead = { readonly sequence: number; readonly hash: Uint8Array };

export type ChainProblemKind =
  /** Cut, or not the canonical form of a line. */
  | 'line_unreadable'
  /** The event is not the one that was hashed. */
  | 'event_changed'
  /** The line doesn't follow the one before it: something is missing, moved or put in. */
  | 'line_does_not_follow'
  /** The chain isn't as long as, or isn't the one of, a head that is known. */
  | 'head_missing';

export type ChainProblem = { readonly line: number; readonly kind: ChainProblemKind; readonly detail: string };

/** The facts about a chain. It is intact when there are no problems. */
export type ChainReport = {
  readonly intact: boolean;
  readonly lines: number;
  readonly head: ChainHead;
  /** The first hundred. */
  readonly problems: readonly ChainProblem[];
};

/** A report is for people; when everything is wrong, a hundred lines say so. */
const maxProblems = 100;

/** Verifies a chain line by line, so that a log larger than memory can be checked. */
export class ChainVerifier {
  readonly #problems: ChainProblem[] = [];
  #count = 0;
  #head: ChainHead;
  readonly #expectedHead: ChainHead | undefined;
  #sawExpectedHead: boolean;

  constructor(options: { readonly chain: string; readonly expectedHead?: ChainHead }) {
    this.#head = { sequence: 0, hash: startOfChain(options.chain) };
    this.#expectedHead = options.expectedHead;
    this.#sawExpectedHead = options.expectedHead === undefined || equals(options.expectedHead, this.#head);
  }

  /** Takes the next line, without its line end. */
  add(bytes: Uint8Array): void {
    this.#count += 1;
    const line = findChainLine(bytes);
    if (line === undefined) {
      this.#report('line_unreadable', 'This is not a whole line of an event log.');
      return;
    }
    const { sequence, hash } = this.#head;
    if (line.sequence !== sequence + 1) {
      this.#report('line_does_not_follow', `Sequence ${line.sequence} comes after ${sequence}.`);
    } else if (!Buffer.from(line.previous).equals(hash)) {
      this.#report('line_does_not_follow', 'The previous hash is not that of the line before.');
    }
    if (!Buffer.from(nextHash(line.previous, line.eventBytes)).equals(line.hash)) {
      this.#report('event_changed', 'The hash is not that of this event.');
    }
    // Goes on with what the line says, so that one change is one problem.
    this.#head = { sequence: line.sequence, hash: line.hash };
    if (this.#expectedHead !== undefined && equals(this.#expectedHead, this.#head)) this.#sawExpectedHead = true;
  }

  /** Ends the check. */
  finish(): ChainReport {
    if (!this.#sawExpectedHead) {
      this.#report('head_missing', `The known head, sequence ${this.#expectedHead?.sequence}, is not in the chain.`);
    }
    return {
      intact: this.#problems.length === 0,
      lines: this.#count,
      head: this.#head,
      problems: [...this.#problems],
    };
  }

  #report(kind: ChainProblemKind, detail: string): void {
    if (this.#problems.length < maxProblems) this.#problems.push({ line: this.#count, kind, detail });
  }
}

/**
 * Verifies a whole chain. Lines missing at its end are only found with `expectedHead`.
 *
 * @example verifyChain({ chain: 'tsa-1', lines: splitLines(bytes) }).intact
 */
export function verifyChain(options: {
  readonly chain: string;
  readonly lines: Iterable<Uint8Array>;
  readonly expectedHead?: ChainHead;
}): ChainReport {
  const verifier = new ChainVerifier(options);
  for (const line of options.lines) verifier.add(line);
  return verifier.finish();
}

/** The lines of a file without their line ends; bytes after the last one are a (cut) line too. */
export function* splitLines(bytes: Uint8Array): Generator<Uint8Array> {
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(0x0a, start);
    if (end === -1) {
      yield bytes.subarray(start);
      return;
    }
    yield bytes.subarray(start, end);
    start = end + 1;
  }
}

function equals(left: ChainHead, right: ChainHead): boolean {
  return left.sequence === right.sequence && Buffer.from(left.hash).equals(right.hash);
}
