import { readFileSync } from 'node:fs';

/** The DER values in PEM or DER files, as base64, which is how the judges take them. */
export function readDerValues(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const bytes = readFileSync(path);
    const text = bytes.toString('latin1');
    const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g);
    if (blocks !== null) return blocks.map((block) => block.replace(/-----[^-]+-----|\s/g, ''));
    if (bytes[0] !== 0x30) throw new Error(`${path} is neither PEM nor DER.`);
    return [bytes.toString('base64')];
  });
}

/** Certificates as one PEM file, which is how OpenSSL takes its anchors. */
export function toPem(derValues: readonly string[]): string {
  return derValues
    .map((der) => `-----BEGIN CERTIFICATE-----\n${der.replace(/(.{64})/g, '$1\n').trim()}\n-----END CERTIFICATE-----\n`)
    .join('');
}
