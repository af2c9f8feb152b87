import { TimeStampRefusal } from '@sigillum/pki';
import { findReasonAgainst, type TimeStampUnit } from './time-stamp-unit.ts';

/** The units of a TSA. Which one signs is decided by the time alone, so every replica with one configuration agrees. */
export class UnitRotation {
  readonly units: readonly TimeStampUnit[];

  /** @param units in the order of the configuration, at least one. */
  constructor(units: readonly TimeStampUnit[]) {
    this.units = units;
  }

  /** The unit that signs at that time: of those whose window holds it, the one whose window began last. */
  find(time: Date): TimeStampUnit | undefined {
    let found: TimeStampUnit | undefined;
    for (const unit of this.units) {
      if (findReasonAgainst(unit, time) === undefined && (found === undefined || unit.begins > found.begins))
        found = unit;
    }
    return found;
  }

  /** As {@link find}; refuses with `systemFailure` when there is none. */
  select(time: Date): TimeStampUnit {
    const unit = this.find(time);
    if (unit !== undefined) return unit;
    throw new TimeStampRefusal('systemFailure', `No time-stamp unit may sign now: ${this.explain(time)}.`);
  }

  /** Why none may sign, for people: `tsu-2026 has expired; tsu-2027 is not valid yet`. */
  explain(time: Date): string {
    return this.units.map((unit) => `${unit.name} ${findReasonAgainst(unit, time) ?? 'may sign'}`).join('; ');
  }
}
