import { nextHash, startOfChain } from './chain.ts';
import { findChainLine, type ReadChainLine } from './chain-line.ts';

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
  | 'head_missing'
  /** A segment's file is named after another sequence than that of its first line: renamed, or cut at its beginning. */
  | 'segment_misnamed';

export type ChainProblem = {
  /** Counted from 1 over the whole chain; 0 when the problem is of no line. */
  readonly line: number;
  readonly kind: ChainProblemKind;
  readonly detail: string;
  /** In a folder of segments: the file, and the line in it, from 1. */
  readonly segment?: string;
  readonly segmentLine?: number;
};

/** The facts about a chain. It is intact when there are no problems. */
export type ChainReport = {
  readonly intact: boolean;
  readonly lines: number;
  /** Where the chain was before the first line that was read: sequence 0 unless older segments are elsewhere. */
  readonly start: ChainHead;
  readonly head: ChainHead;
  /** The first hundred. */
  readonly problems: readonly ChainProblem[];
};

/** A report is for people; when everything is wrong, a hundred lines say so. */
const maxProblems = 100;

/** What a verifier may know about a chain before it reads. */
export type ChainKnowledge = {
  /** The chain's id, from which its beginning follows. Without it, and without `after`, any beginning is accepted. */
  readonly chain?: string;
  /** The head after which the lines begin, when older ones are archived elsewhere. Goes before `chain`. */
  readonly after?: ChainHead;
  /** A head that must be in the chain: lines missing at the end show by nothing else. */
  readonly expectedHead?: ChainHead;
};

/** Verifies a chain line by line, so that a log larger than memory can be checked. */
export class ChainVerifier {
  readonly #problems: ChainProblem[] = [];
  #count = 0;
  #start: ChainHead | undefined;
  #head: ChainHead | undefined;
  readonly #expectedHead: ChainHead | undefined;
  #sawExpectedHead: boolean;
  #segment: string | undefined;
  #segmentStart = 0;

  constructor({ chain, after, expectedHead }: ChainKnowledge) {
    this.#start = after ?? (chain === undefined ? undefined : { sequence: 0, hash: startOfChain(chain) });
    this.#head = this.#start;
    this.#expectedHead = expectedHead;
    this.#sawExpectedHead =
      expectedHead === undefined || (this.#head !== undefined && equals(expectedHead, this.#head));
  }

  /** The lines that follow are in this file, which is named after the sequence of the first one. */
  beginSegment(name: string): void {
    this.#segment = name;
    this.#segmentStart = this.#count;
  }

  /** Takes the next line, without its line end. Answers what it says, unless it is unreadable. */
  add(bytes: Uint8Array): ReadChainLine | undefined {
    this.#count += 1;
    const line = findChainLine(bytes);
    if (line === undefined) {
      this.#report('line_unreadable', 'This is not a whole line of an event log.');
      return undefined;
    }
    this.#start ??= { sequence: line.sequence - 1, hash: line.previous };
    const { sequence, hash } = this.#head ?? this.#start;
    if (line.sequence !== sequence + 1) {
      this.#report('line_does_not_follow', `Sequence ${line.sequence} comes after ${sequence}.`);
    } else if (!Buffer.from(line.previous).equals(hash)) {
      this.#report('line_does_not_follow', 'The previous hash is not that of the line before.');
    }
    if (!Buffer.from(nextHash(line.previous, line.eventBytes)).equals(line.hash)) {
      this.#report('event_changed', 'The hash is not that of this event.');
    }
    if (this.#segment !== undefined && this.#count === this.#segmentStart + 1) {
      if (Number.parseInt(this.#segment, 10) !== line.sequence) {
        this.#report('segment_misnamed', `The file is not named after its first line, sequence ${line.sequence}.`);
      }
    }
    // Goes on with what the line says, so that one change is one problem.
    this.#head = { sequence: line.sequence, hash: line.hash };
    if (this.#expectedHead !== undefined && equals(this.#expectedHead, this.#head)) this.#sawExpectedHead = true;
    return line;
  }

  /** Ends the check. */
  finish(): ChainReport {
    if (!this.#sawExpectedHead) {
      this.#report('head_missing', `The known head, sequence ${this.#expectedHead?.sequence}, is not in the chain.`);
    }
    const nothing = { sequence: 0, hash: new Uint8Array(32) };
    return {
      intact: this.#problems.length === 0,
      lines: this.#count,
      start: this.#start ?? nothing,
      head: this.#head ?? nothing,
      problems: [...this.#problems],
    };
  }

  #report(kind: ChainProblemKind, detail: string): void {
    if (this.#problems.length >= maxProblems) return;
    const place =
      this.#segment === undefined
        ? {}
        : { segment: this.#segment, segmentLine: Math.max(0, this.#count - this.#segmentStart) };
    this.#problems.push({ line: this.#count, kind, detail, ...place });
  }
}

/**
 * Verifies a whole chain. Lines missing at its end are only found with `expectedHead`.
 *
 * @example verifyChain({ chain: 'tsa-1', lines: splitLines(bytes) }).intact
 */
export function verifyChain(options: ChainKnowledge & { readonly lines: Iterable<Uint8Array> }): ChainReport {
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
