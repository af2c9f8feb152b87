import type { CheckCode } from './checks.ts';
import { type ChangeLevel, changeLevels } from './validation-report.ts';

/** What one update did. */
export type RevisionChange = {
  readonly level: ChangeLevel;
  /** For a person: `page 12 has a new annotation`. */
  readonly what: string;
  /** Why it isn't allowed; undefined when it is. */
  readonly code: CheckCode | undefined;
};

/** What earlier signatures allow, and whether a later one stands for what an update did. */
export type ChangePolicy = {
  /** The strictest `/P` of a certification (ISO 32000-2 table 257); undefined when nobody certified. */
  readonly permission: number | undefined;
  isLocked(field: string): boolean;
  /** Whether a signature, not a time-stamp alone, covers the update. */
  readonly isSigned: boolean;
};

/** Collects what an update did, and which changed objects that explains. */
export class ChangeLog {
  readonly changes: RevisionChange[] = [];
  readonly explained = new Set<number>();

  allow(level: ChangeLevel, what: string): void {
    this.#add({ level, what, code: undefined });
  }

  refuse(what: string, code: CheckCode = 'changed_after_signing', level: ChangeLevel = 'other'): void {
    this.#add({ level, what, code });
  }

  #add(change: RevisionChange): void {
    if (this.changes.length < maxChanges) this.changes.push(change);
    else if (change.code !== undefined) this.changes[maxChanges - 1] = change;
  }
}

/** Changes told of one update: a person reads the first few. */
const maxChanges = 100;

/** The worse of two levels. */
export function worseLevel(left: ChangeLevel, right: ChangeLevel): ChangeLevel {
  return changeLevels.indexOf(left) >= changeLevels.indexOf(right) ? left : right;
}
