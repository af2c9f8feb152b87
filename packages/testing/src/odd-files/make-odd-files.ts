import { oddForms } from './odd-forms.ts';
import { oddLeftovers, oddPages, oddSpelling } from './odd-objects.ts';
import { oddEnds, oddTables } from './odd-tables.ts';
import { oddStreams } from './odd-streams.ts';
import type { OddFile } from './odd-file.ts';

export function makeOddFiles(): readonly OddFile[] {
  return [
    ...oddEnds(),
    ...oddTables(),
    ...oddSpelling(),
    ...oddLeftovers(),
    ...oddPages(),
    ...oddForms(),
    ...oddStreams(),
  ];
}
