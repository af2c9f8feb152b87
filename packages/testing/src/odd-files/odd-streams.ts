import { deflateSync } from 'node:zlib';
import { contentAs, contentLength, usualObjects } from './odd-file.ts';
import type { OddFile } from './odd-file.ts';

/** How a file with a cross-reference stream and one object stream is written. */
type StreamWriting = {
  /** Objects that go into the object stream (number 6); the others stand alone. */
  readonly inside?: readonly number[];
  readonly widths?: readonly [number, number, number];
  /** Entries of the cross-reference stream beside the usual ones; replaces those of the same key. */
  readonly entries?: string;
  /** Keys that are left out. */
  readonly without?: readonly string[];
  readonly data?: (rows: Buffer) => Buffer;
  /** The entries of the object stream's dictionary. */
  readonly container?: (usual: { count: number; first: number }) => string;
  /** Puts other numbers and offsets at its beginning. */
  readonly pairs?: (pairs: readonly (readonly [number, number])[]) => string;
  /** The place in the object stream that the cross-reference names. */
  readonly index?: (place: number) => number;
  readonly between?: string;
  readonly objects?: Readonly<Record<number, string>>;
  readonly head?: string;
  readonly end?: string;
  readonly compress?: boolean;
};

const container = 6;
const table = 7;

/** Cross-reference streams and object streams, written in all ways that occur. */
export function oddStreams(): readonly OddFile[] {
  const made = (name: string, writing: StreamWriting = {}) => ({ name: `streams-${name}`, bytes: write(writing) });
  return [
    made('usual'),
    made('deflated', { compress: true }),
    made('widths-1-4-2', { widths: [1, 4, 2] }),
    made('widths-1-8-1', { widths: [1, 8, 1] }),
    made('widths-2-2-2', { widths: [2, 2, 2] }),
    made('widths-no-type', { widths: [0, 2, 1], inside: [] }),
    made('widths-no-third', { widths: [1, 2, 0], inside: [1] }),
    made('widths-four', { entries: '/W [1 2 1 0]' }),
    made('index-absent', { without: ['Index'] }),
    made('index-pieces', { entries: '/Index [0 3 3 5]' }),
    made('index-empty-piece', { entries: '/Index [0 0 0 8]' }),
    made('index-indirect', { entries: '/Index 9 0 R' }),
    made('size-small', { entries: '/Size 3 /Index [0 8]' }),
    made('size-large', { entries: '/Size 100 /Index [0 8]' }),
    made('size-large-no-index', { entries: '/Size 100', without: ['Index'] }),
    made('rows-more', { data: (rows) => Buffer.concat([rows, rows]) }),
    made('rows-fewer', { data: (rows) => rows.subarray(0, rows.length - 4) }),
    made('type-missing', { without: ['Type'] }),
    made('length-real-dict', { entries: '/DecodeParms null /Filter null' }),
    made('filter-array', { entries: '/Filter [] /DecodeParms []' }),
    made('id-missing', { without: ['ID'] }),
    made('prev-0', { entries: '/Prev 0' }),
    made('prev-null', { entries: '/Prev null' }),
    made('root-inside', { inside: [1, 2, 3, 5] }),
    made('none-inside', { inside: [] }),
    made('container-extends-null', {
      container: ({ count, first }) => `/Type /ObjStm /N ${count} /First ${first} /Extends null`,
    }),
    made('container-extends', {
      container: ({ count, first }) => `/Type /ObjStm /N ${count} /First ${first} /Extends 6 0 R`,
    }),
    made('container-extends-missing', {
      container: ({ count, first }) => `/Type /ObjStm /N ${count} /First ${first} /Extends 99 0 R`,
    }),
    made('container-no-type', { container: ({ count, first }) => `/N ${count} /First ${first}` }),
    made('container-count-small', { container: ({ count, first }) => `/Type /ObjStm /N ${count - 1} /First ${first}` }),
    made('container-count-large', { container: ({ count, first }) => `/Type /ObjStm /N ${count + 1} /First ${first}` }),
    made('container-count-indirect', {
      container: ({ first }) => `/Type /ObjStm /N 8 0 R /First ${first}`,
      objects: { 8: '4' },
    }),
    made('container-pairs-turned', {
      pairs: (pairs) => pairs.toReversed().flat().join(' '),
      index: (place) => 3 - place,
    }),
    made('container-pairs-lines', { pairs: (pairs) => pairs.map((pair) => pair.join('\r\n')).join('  \t') }),
    made('container-between', { between: '   \r\n% next\n' }),
    made('container-endobj', { between: ' endobj\n' }),
    made('container-index-wrong', { index: () => 0 }),
    made('container-index-high', { index: (place) => place + 50 }),
    made('container-twice-number', {
      pairs: (pairs) => [...pairs, ...pairs.slice(0, 1)].flat().join(' '),
      container: ({ count, first }) => `/Type /ObjStm /N ${count + 1} /First ${first}`,
    }),
    made('head-spaces', { head: '\n\n7  0\nobj' }),
    made('end-no-endobj', { end: '' }),
    made('end-crlf', { end: '\r\nendobj\r\n' }),
    made('content-plain', { objects: { 4: contentAs(`<< /Length ${contentLength} >>`) } }),
  ];
}

function write(writing: StreamWriting): Buffer {
  const { inside = [1, 2, 3, 5], widths = [1, 2, 1], between = '\n', without = [] } = writing;
  const objects: Record<string, string> = { ...usualObjects, ...writing.objects };
  let text = '%PDF-1.5\n%\u00e2\u00e3\u00cf\u00d3\n';
  const rows = new Map<number, readonly [number, number, number]>([[0, [0, 0, widths[2] === 0 ? 0 : 255]]]);
  for (const [key, body] of Object.entries(objects)) {
    if (inside.includes(Number(key))) continue;
    rows.set(Number(key), [1, text.length, 0]);
    text += `${key} 0 obj\n${body}\nendobj\n`;
  }
  if (inside.length > 0) {
    rows.set(container, [1, text.length, 0]);
    inside.forEach((number, place) => rows.set(number, [2, container, writing.index?.(place) ?? place]));
    text += `${container} 0 obj\n${packObjects(inside, objects, between, writing)}\nendobj\n`;
  }
  const start = text.length;
  rows.set(table, [1, start + (writing.head === undefined ? 0 : writing.head.indexOf('7')), 0]);
  const size = Math.max(...rows.keys()) + 1;
  const packed = Array.from({ length: size }, (_, number) => pack(rows.get(number) ?? [0, 0, 0], widths));
  const plain = writing.data?.(Buffer.concat(packed)) ?? Buffer.concat(packed);
  const data = writing.compress === true ? deflateSync(plain) : plain;
  const id = '<0123456789abcdef0123456789abcdef>';
  const usual = new Map([
    ['Type', '/XRef'],
    ['Size', String(size)],
    ['Root', '1 0 R'],
    ['W', `[${widths.join(' ')}]`],
    ['Index', `[0 ${size}]`],
    ['ID', `[${id} ${id}]`],
    ['Length', String(data.length)],
    ...(writing.compress === true ? ([['Filter', '/FlateDecode']] as const) : []),
  ]);
  for (const key of without) usual.delete(key);
  for (const [, key = ''] of (writing.entries ?? '').matchAll(/\/(W|Index|Size|Filter)\b/g)) usual.delete(key);
  const dict = [...usual].map(([key, value]) => `/${key} ${value}`).join(' ');
  text += `${writing.head ?? '7 0 obj\n'}<< ${dict} ${writing.entries ?? ''} >>\nstream\n`;
  text += `${data.toString('latin1')}\nendstream${writing.end ?? '\nendobj\n'}\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}

function packObjects(
  inside: readonly number[],
  objects: Record<string, string>,
  between: string,
  { pairs: spell, container: describe }: StreamWriting,
): string {
  const pairs: (readonly [number, number])[] = [];
  let bodies = '';
  for (const number of inside) {
    pairs.push([number, bodies.length]);
    bodies += `${objects[String(number)] ?? 'null'}${between}`;
  }
  const heading = `${spell?.(pairs) ?? pairs.flat().join(' ')}\n`;
  const data = heading + bodies;
  const entries = describe?.({ count: inside.length, first: heading.length });
  const usual = `/Type /ObjStm /N ${inside.length} /First ${heading.length}`;
  return `<< ${entries ?? usual} /Length ${data.length} >>\nstream\n${data}\nendstream`;
}

function pack(row: readonly number[], widths: readonly number[]): Buffer {
  const bytes = widths.flatMap((width, field) =>
    Array.from({ length: width }, (_, at) => Math.floor((row[field] ?? 0) / 256 ** (width - 1 - at)) % 256),
  );
  return Buffer.from(bytes);
}
