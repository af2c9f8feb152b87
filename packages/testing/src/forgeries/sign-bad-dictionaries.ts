import { type ForgedFile, forged, type ForgeryTools, type SealedSample } from './forgery.ts';
import { type SignOptions, signPrepared } from './sign-prepared.ts';

/** Length of the reason that makes room for forged entries in the dictionary. */
const room = 120;

/** Good CMS over signature dictionaries that are wrong: what is signed isn't the whole file, or two readers see two things. */
export function signBadDictionaries({ input }: SealedSample, { pki }: ForgeryTools): readonly ForgedFile[] {
  const sign = (options: SignOptions) => signPrepared(input, pki, options);
  /** A ByteRange made of the right one. */
  const range = (change: (good: readonly [number, number, number, number]) => readonly number[]) =>
    sign({
      patch: (file, { byteRange }) => {
        const changed = change(byteRange);
        writeRange(file, changed);
        return changed;
      },
    });
  const rename = (from: string, to: string) => sign({ patch: (file) => overwrite(file, from, to) });
  /** Entries after the others, in the place of a long reason. */
  const entries = (text: string) =>
    sign({
      reason: 'x'.repeat(room),
      patch: (file) => overwrite(file, `/Reason (${'x'.repeat(room)})`, text.padEnd(room + 10)),
    });
  return [
    forged(
      'wider-gap',
      'a gap one byte longer than /Contents',
      range(([a, b, c, d]) => [a, b, c + 1, d - 1]),
    ),
    forged(
      'wider-gap-before',
      'a gap that begins before /Contents',
      range(([a, b, c, d]) => [a, b - 1, c, d]),
    ),
    forged(
      'narrower-gap',
      'a gap that ends inside the string',
      range(([a, b, c, d]) => [a, b, c - 9, d + 9]),
    ),
    forged(
      'range-not-from-start',
      'a ByteRange that leaves out the header',
      range(([, b, c, d]) => [9, b - 9, c, d]),
    ),
    forged(
      'range-short',
      'a ByteRange that ends before the file',
      range(([a, b, c, d]) => [a, b, c, d - 30]),
    ),
    forged(
      'range-past-end',
      'a ByteRange beyond the end of the file',
      range(([a, b, c, d]) => [a, b, c, d + 100]),
    ),
    forged(
      'range-negative',
      'a ByteRange with a negative length',
      range(([a, b, c, d]) => [a, b, c, -d]),
    ),
    forged(
      'range-overlapping',
      'ranges that overlap',
      range(([a, b, , d]) => [a, b, b - 20, d]),
    ),
    forged(
      'range-first-only',
      'a second range of no bytes',
      range(([a, b, c]) => [a, b, c, 0]),
    ),
    forged(
      'range-of-six',
      'three ranges',
      range(([a, b, c, d]) => [a, 20, 20, b - 20, c, d]),
    ),
    forged(
      'range-of-two',
      'one range',
      range(([a, b]) => [a, b]),
    ),
    forged('no-byte-range', 'no /ByteRange', rename('/ByteRange', '/BiteRange')),
    forged('no-contents', 'no /Contents', rename('/Contents <', '/Contentz <')),
    forged('unsigned-contents', '/Contents of zeros', sign({ withoutCms: true })),
    forged('adbe-sub-filter', 'the SubFilter of ISO 32000-1', rename('ETSI.CAdES.detached', 'adbe.pkcs7.detached')),
    forged('unknown-sub-filter', 'a SubFilter that nobody knows', rename('ETSI.CAdES.detached', 'ETSI.CAdES.attached')),
    forged('double-byte-range', '/ByteRange twice in the dictionary', entries('/ByteRange [0 10 20 10]')),
    forged('double-contents', '/Contents twice in the dictionary', entries('/Contents <3000>')),
    forged('double-sub-filter', '/SubFilter twice in the dictionary', entries('/SubFilter /adbe.pkcs7.detached')),
    forged('double-m', '/M twice in the dictionary', entries('/M (D:20200101000000Z)')),
  ];
}

function writeRange(file: Buffer, range: readonly number[]): void {
  const start = file.lastIndexOf('/ByteRange [') + '/ByteRange '.length;
  const end = file.indexOf(']', start) + 1;
  const text = `[${range.join(' ')}`.padEnd(end - start - 1).concat(']');
  if (text.length !== end - start) throw new Error('the ByteRange does not fit');
  file.write(text, start, 'latin1');
}

function overwrite(file: Buffer, from: string, to: string): undefined {
  const at = file.lastIndexOf(from);
  if (at < 0 || to.length !== from.length) throw new Error(`${from} can not be overwritten`);
  file.write(to, at, 'latin1');
}
