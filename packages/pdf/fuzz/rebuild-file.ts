import { deflateSync } from 'node:zlib';
import type { SeededRandom } from './random.ts';

export type FileParts = { objects: { number: number; body: string }[]; trailer: string };

/** The objects and the last trailer of a file, found by pattern: only for making inputs. */
export function takeApart(text: string): FileParts {
  const objects: FileParts['objects'] = [];
  for (const [, number = '0', body = ''] of text.matchAll(/(\d{1,7}) 0 obj\b([^]*?)\bendobj\b/g)) {
    objects.push({ number: Number(number), body });
  }
  const kept = [/\/Root \d+ 0 R/, /\/Encrypt \d+ 0 R/, /\/Encrypt\s*<<[^]*?>>\s*>>\s*[^>]*>>/, /\/ID\s*\[[^\]]*\]/];
  return { objects, trailer: kept.map((pattern) => pattern.exec(text)?.[0] ?? '').join(' ') };
}

/** A file of these parts with right offsets: by table, by stream, or with the objects in object streams. */
export function layOutFile({ objects, trailer }: FileParts, random: SeededRandom): string {
  let text = '%PDF-1.7\n';
  const entries = new Map<number, readonly [type: number, second: number, third: number]>([[0, [0, 0, 65_535]]]);
  const kind = random.below(3);
  const isStream = (body: string): boolean => body.includes('stream');
  const compressed = kind === 2 ? objects.filter(({ body }) => !isStream(body)) : [];
  for (const { number, body } of objects) {
    if (compressed.length > 0 && !isStream(body)) continue;
    entries.set(number, [1, text.length, 0]);
    text += `${number} 0 obj${body}endobj\n`;
  }
  if (compressed.length > 0) {
    const heads = compressed.map(({ number }, index) => {
      entries.set(number, [2, 900, index]);
      return `${number} ${compressed.slice(0, index).reduce((sum, { body }) => sum + body.length + 1, 0)}`;
    });
    const head = `${heads.join(' ')} `;
    const data = deflate(head + compressed.map(({ body }) => body).join(' '));
    entries.set(900, [1, text.length, 0]);
    text += `900 0 obj <</Type/ObjStm/N ${compressed.length}/First ${head.length}/Filter/FlateDecode/Length ${data.length}>> stream\n${data}\nendstream endobj\n`;
  }
  const start = text.length;
  return `${text}${kind === 0 ? layOutTable(entries, trailer) : layOutStream(entries, trailer, start, random)}startxref\n${start}\n%%EOF\n`;
}

type Entries = ReadonlyMap<number, readonly [type: number, second: number, third: number]>;

function layOutTable(entries: Entries, trailer: string): string {
  let text = 'xref\n';
  for (const [number, [type, second, third]] of entries) {
    text += `${number} 1\n${String(second).padStart(10, '0')} ${String(third).padStart(5, '0')} ${type === 1 ? 'n' : 'f'} \n`;
  }
  return `${text}trailer\n<<${trailer} /Size 902>>\n`;
}

function layOutStream(entries: Entries, trailer: string, start: number, random: SeededRandom): string {
  const all = new Map([...entries, [901, [1, start, 0] as const]]);
  const widths = [1, 2 + random.below(3), 2];
  let data = '';
  for (const row of all.values()) {
    for (const [index, value] of row.entries()) {
      for (let shift = (widths[index] ?? 0) - 1; shift >= 0; shift--) {
        data += String.fromCharCode(Math.floor(value / 256 ** shift) & 0xff);
      }
    }
  }
  const index = [...all.keys()].map((number) => `${number} 1`).join(' ');
  const packed = deflate(data);
  return `901 0 obj <<${trailer}/Type/XRef/W[${widths.join(' ')}]/Index[${index}]/Size 902/Filter/FlateDecode/Length ${packed.length}>> stream\n${packed}\nendstream endobj\n`;
}

function deflate(text: string): string {
  return deflateSync(Buffer.from(text, 'latin1')).toString('latin1');
}
