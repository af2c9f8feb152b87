import { odd, type OddFile, pad } from './odd-file.ts';

const usualEnd = (table: number) => `\nstartxref\n${table}\n%%EOF\n`;

/** Headers and ends of files. */
export function oddEnds(): readonly OddFile[] {
  return [
    odd('header-1.0', { header: '%PDF-1.0\n' }),
    odd('header-2.0', { header: '%PDF-2.0\n' }),
    odd('header-comment-same-line', { header: '%PDF-1.4 %\u00e2\u00e3\u00cf\u00d3\n' }),
    odd('header-cr', { header: '%PDF-1.3\r%\u00e2\u00e3\u00cf\u00d3\r' }),
    odd('header-then-text', { header: '%PDF-1.2 made by hand\n' }),
    odd('header-ps', { header: '%!PS-Adobe-3.0 PDF-1.4\n' }),
    odd('header-no-minor', { header: '%PDF-1\n' }),
    odd('header-1.10', { header: '%PDF-1.10\n' }),
    odd('header-comments', { header: '%PDF-1.4\n% a\n% 1 0 obj << >> endobj\n' }),
    odd('header-twice', { header: '%PDF-1.4\n%PDF-1.7\n' }),
    odd('eof-without-line-end', { end: (table) => `\nstartxref\n${table}\n%%EOF` }),
    odd('eof-missing', { end: (table) => `\nstartxref\n${table}\n` }),
    odd('eof-half', { end: (table) => `\nstartxref\n${table}\n%%EO` }),
    odd('eof-twice', { end: (table) => `\nstartxref\n${table}\n%%EOF\n%%EOF\n` }),
    odd('eof-same-line', { end: (table) => `\nstartxref\n${table}%%EOF\n` }),
    odd('eof-cr', { end: (table) => `\rstartxref\r${table}\r%%EOF\r` }),
    odd('eof-then-control-z', { end: (table) => `${usualEnd(table)}\x1a` }),
    odd('eof-then-zeros', { end: (table) => usualEnd(table) + '\0'.repeat(5000) }),
    odd('eof-then-spaces', { end: (table) => usualEnd(table) + ' '.repeat(3000) }),
    odd('eof-then-html', { end: (table) => `${usualEnd(table)}<html><body>${'x'.repeat(600)}</body></html>\n` }),
    odd('eof-then-1500-bytes', { end: (table) => `${usualEnd(table)}<!--${'x'.repeat(1500)}-->\n` }),
    odd('eof-then-mime', { end: (table) => `${usualEnd(table)}\r\n------=_NextPart_000--\r\n` }),
    odd('startxref-same-line', { end: (table) => `\nstartxref ${table}\n%%EOF\n` }),
    odd('startxref-zeros-before', { end: (table) => `\nstartxref\n${pad(table)}\n%%EOF\n` }),
    odd('startxref-blank-lines', { end: (table) => `\nstartxref\n\n  ${table}  \n\n%%EOF\n` }),
    odd('startxref-comment', { end: (table) => `\nstartxref % here\n${table}\n%%EOF\n` }),
    odd('startxref-no-space-before', { end: (table) => `startxref\n${table}\n%%EOF\n` }),
    odd('startxref-no-space-after', { end: (table) => `\nstartxref${table}\n%%EOF\n` }),
    odd('startxref-one-early', { end: (table) => usualEnd(table - 1) }),
    odd('startxref-plus', { end: (table) => `\nstartxref\n+${table}\n%%EOF\n` }),
  ];
}

/** Tables: their heads, their lines, their trailers. */
export function oddTables(): readonly OddFile[] {
  const lines = (end: string) => (number: number, offset: number) =>
    number === 0 ? `0000000000 65535 f${end}` : `${pad(offset)} 00000 n${end}`;
  return [
    odd('lines-lf', { entry: lines('\n') }),
    odd('lines-cr', { entry: lines('\r') }),
    odd('lines-crlf', { entry: lines('\r\n') }),
    odd('lines-space-cr', { entry: lines(' \r') }),
    odd('lines-space-crlf', { entry: lines(' \r\n') }),
    odd('lines-two-spaces', { entry: lines('  ') }),
    odd('lines-short', { entry: (number, offset) => (number === 0 ? '0 65535 f\n' : `${offset} 0 n\n`) }),
    odd('lines-wide', { entry: (_, offset) => (offset === 0 ? undefined : `${pad(offset)}  00000  n\n`) }),
    odd('lines-blank-between', { entry: (_, offset) => (offset === 0 ? undefined : `${pad(offset)} 00000 n\n\n`) }),
    odd('head-from-1', { tableHead: (count) => `xref\n1 ${count}\n` }),
    odd('head-from-1-without-0', {
      tableHead: (count) => `xref\n1 ${count - 1}\n`,
      entry: (number) => (number === 0 ? '' : undefined),
    }),
    odd('head-same-line', { tableHead: (count) => `xref 0 ${count}\n` }),
    odd('head-spaces', { tableHead: (count) => `xref  \n  0   ${count}  \n` }),
    odd('head-blank-lines', { tableHead: (count) => `xref\n\n\n0 ${count}\n` }),
    odd('head-cr', { tableHead: (count) => `xref\r0 ${count}\r` }),
    odd('head-crlf', { tableHead: (count) => `xref\r\n0 ${count}\r\n` }),
    odd('head-comment', { tableHead: (count) => `xref % table\n0 ${count}\n` }),
    odd('head-indented', { tableHead: (count) => `   xref\n0 ${count}\n` }),
    odd('head-after-lines', { tableHead: (count) => `\r\n\r\nxref\n0 ${count}\n` }),
    odd('head-zeros', { tableHead: (count) => `xref\n00000 0000${count}\n` }),
    odd('count-large-by-one', { tableHead: (count) => `xref\n0 ${count + 1}\n` }),
    odd('count-small-by-one', { tableHead: (count) => `xref\n0 ${count - 1}\n` }),
    odd('section-empty-first', { tableHead: (count) => `xref\n0 0\n0 ${count}\n` }),
    odd('section-each', {
      tableHead: () => 'xref\n',
      entry: (number, offset) => `${number} 1\n${number === 0 ? '0000000000 65535 f \n' : `${pad(offset)} 00000 n \n`}`,
    }),
    odd('zero-generation-0', { entry: (number) => (number === 0 ? '0000000000 00000 f \n' : undefined) }),
    odd('zero-generation-65536', { entry: (number) => (number === 0 ? '0000000000 65536 f \n' : undefined) }),
    odd('zero-generation-99999', { entry: (number) => (number === 0 ? '0000000000 99999 f \n' : undefined) }),
    odd('zero-in-use', { entry: (number) => (number === 0 ? '0000000000 65535 n \n' : undefined) }),
    odd('zero-points', { entry: (number) => (number === 0 ? '0000000007 65535 f \n' : undefined) }),
    odd('free-generation-65535', {
      objects: { 6: undefined, 7: '(seven)' },
      entry: (number) => (number === 6 ? '0000000000 65535 f \n' : undefined),
    }),
    odd('free-looks-used', {
      objects: { 6: undefined, 7: '(seven)' },
      entry: (number) => (number === 6 ? '0000000015 00000 f \n' : undefined),
    }),
    odd('used-at-0', {
      objects: { 6: undefined, 7: '(seven)' },
      entry: (number) => (number === 6 ? '0000000000 00000 n \n' : undefined),
    }),
    odd('used-past-end-unneeded', {
      objects: { 6: undefined, 7: '(seven)' },
      entry: (number) => (number === 6 ? '0009999999 00000 n \n' : undefined),
    }),
    odd('offsets-one-early', { entry: (_, offset) => (offset === 0 ? undefined : `${pad(offset - 1)} 00000 n \n`) }),
    odd('offsets-one-late', { entry: (_, offset) => (offset === 0 ? undefined : `${pad(offset + 1)} 00000 n \n`) }),
    odd('generations-1', { entry: (_, offset) => (offset === 0 ? undefined : `${pad(offset)} 00001 n \n`) }),
    odd('trailer-same-line', { trailer: 'trailer ' }),
    odd('trailer-no-space', { trailer: 'trailer' }),
    odd('trailer-cr', { trailer: 'trailer\r' }),
    odd('trailer-comment', { trailer: '% end\ntrailer % t\n' }),
    odd('trailer-blank-lines', { trailer: '\n\n\ntrailer\n\n' }),
    ...oddTrailers(),
  ];
}

function oddTrailers(): readonly OddFile[] {
  const entries = (more: string, size?: number | string) => ({
    trailerDict: (usual: { size: number; table: number }) =>
      `<< /Size ${size ?? usual.size} /Root 1 0 R ${more.replaceAll('TABLE', String(usual.table))} >>`,
  });
  const id = '<0123456789abcdef0123456789abcdef>';
  return [
    odd('size-small', entries('', 3)),
    odd('size-by-one', entries('', 5)),
    odd('size-large', entries('', 1000)),
    odd('size-huge', entries('', 2_147_483_647)),
    odd('size-zero', entries('', 0)),
    odd('size-real', entries('', '6.0')),
    odd('size-missing', { trailerDict: () => '<< /Root 1 0 R >>' }),
    odd('size-null', entries('', 'null')),
    odd('size-indirect', { ...entries('', '6 0 R'), objects: { 6: '7' } }),
    odd('prev-0', entries('/Prev 0')),
    odd('prev-null', entries('/Prev null')),
    odd('prev-itself', entries('/Prev TABLE')),
    odd('prev-past-end', entries('/Prev 9999999')),
    odd('prev-negative', entries('/Prev -1')),
    odd('prev-real', entries('/Prev 0.0')),
    odd('prev-indirect', { ...entries('/Prev 6 0 R'), objects: { 6: '0' } }),
    odd('xrefstm-0', entries('/XRefStm 0')),
    odd('xrefstm-null', entries('/XRefStm null')),
    odd('id-one', entries(`/ID [${id}]`)),
    odd('id-three', entries(`/ID [${id} ${id} ${id}]`)),
    odd('id-empty', entries('/ID []')),
    odd('id-empty-strings', entries('/ID [() ()]')),
    odd('id-names', entries('/ID [/A /B]')),
    odd('id-null', entries('/ID null')),
    odd('id-string', entries(`/ID ${id}`)),
    odd('id-indirect', { ...entries('/ID 6 0 R'), objects: { 6: `[${id} ${id}]` } }),
    odd('id-of-references', { ...entries('/ID [6 0 R 6 0 R]'), objects: { 6: id } }),
    odd('info-null', entries('/Info null')),
    odd('info-missing', entries('/Info 77 0 R')),
    odd('info-direct', entries('/Info << /Title (t) >>')),
    odd('info-string', { ...entries('/Info 6 0 R'), objects: { 6: '(none)' } }),
    odd('info-dates', {
      ...entries('/Info 6 0 R'),
      objects: { 6: '<< /CreationDate (Monday) /ModDate (D:20261399) /Trapped (no) /Title null /Author 7 >>' },
    }),
    odd('encrypt-null', entries('/Encrypt null')),
    odd('root-generation', entries('/Root 1 0 R /Junk [1 2 3]')),
    odd('trailer-own-keys', entries('/DocChecksum /0123ABCD /Foo << /Bar [null true] >>')),
  ];
}
