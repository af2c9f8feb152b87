import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createArraySource, listFormFields, openPdf } from '@sigillum/pdf';
import { encodePem } from '@sigillum/pki';
import { Judges, makeSamplePdf, rewriteWithQpdf, sealBySoftware, SoftwarePki } from '@sigillum/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** Every way in which a file that opens without a password can be encrypted (ISO 32000-2 §7.6), as qpdf makes it. */
const kinds: readonly (readonly [string, readonly string[]])[] = [
  ['RC4, 40 bits', ['--encrypt', '', 'owner', '40', '--']],
  ['RC4, 128 bits', ['--encrypt', '', 'owner', '128', '--']],
  ['RC4 by crypt filter', ['--encrypt', '', 'owner', '128', '--force-V4', '--']],
  ['AES-128', ['--encrypt', '', 'owner', '128', '--use-aes=y', '--']],
  ['AES-128 and object streams', ['--object-streams=generate', '--encrypt', '', 'owner', '128', '--use-aes=y', '--']],
  ['AES-256, revision 5', ['--encrypt', '', 'owner', '256', '--force-R5', '--']],
  ['AES-256, revision 6', ['--encrypt', '', 'owner', '256', '--']],
  ['AES-256, linearized', ['--linearize', '--encrypt', '', 'owner', '256', '--']],
];

const judges = Judges.open({ only: ['pyhanko', 'pdfsig', 'qpdf'] });
const missing = judges.missing.map(({ judge, missing: why }) => `${judge} (${why})`).join(', ');
const withAll = missing === '' || process.env['CI'] === 'true' ? describe : describe.skip;

withAll(`an encrypted file, sealed twice${missing === '' ? '' : ` (skipped without ${missing})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-encrypted-'));
  const options = { roots: [join(folder, 'root.pem')], crls: [join(folder, 'all.crl.pem')] };
  let pki: SoftwarePki;

  beforeAll(async () => {
    pki = await SoftwarePki.make();
    writeFileSync(options.roots[0] ?? '', encodePem('CERTIFICATE', pki.root.certificate));
    writeFileSync(options.crls[0] ?? '', pki.crlsPem);
  });
  afterAll(async () => {
    await judges.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(kinds)('with %s: every judge accepts both seals', async (name, encryption) => {
    const input = rewriteWithQpdf(makeSamplePdf('classic'), ['--allow-weak-crypto', ...encryption]);
    const once = await sealBySoftware(input, pki);
    const { bytes } = await sealBySoftware(once.bytes, pki);
    expect(Buffer.from(bytes.subarray(0, input.length)).equals(Buffer.from(input))).toBe(true);
    // the strings of the seals are no plain text in the file, and come out of it as text
    expect(Buffer.from(bytes).includes('Approved')).toBe(false);
    expect(listFormFields(openPdf(createArraySource(bytes))).map((field) => field.name)).toHaveLength(2);
    const file = join(folder, `${name.replaceAll(/\W/g, '_')}.pdf`);
    writeFileSync(file, bytes);
    const [judgement] = await judges.judge([file], options);
    const words = judgement?.opinions.map(({ judge, word, reasons }) => [judge, word, ...reasons]);
    // it hashes passwords as revision 6 does, so it can't open what qpdf made either
    const pyhanko = name === 'AES-256, revision 5' ? ['refuse', expect.stringContaining('not readable')] : ['accept'];
    expect(words).toEqual([
      ['pyhanko', ...pyhanko],
      ['pdfsig', 'accept'],
      ['qpdf', 'accept'],
    ]);
  });
});
