import { createHash, randomBytes } from 'node:crypto';
import { embedContents, type PreparedSignature, prepareSignature } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { type CmsRecipe, encodeForgedCms } from './encode-forged-cms.ts';
import { makeSoftwareToken } from './make-software-token.ts';
import type { SoftwarePki } from './software-pki.ts';

/** Bytes of CMS reserved: two signers and a token fit. */
const contentsSize = 8192;

export type SignOptions = {
  /** `/M`; default the time of the PKI. */
  readonly signingTime?: Date;
  readonly reason?: string;
  /** Changes to the usual CMS. */
  readonly cms?: Partial<CmsRecipe>;
  /** Changes the file before its digest is taken; its length stays. Returns the ByteRange to sign, if another. */
  readonly patch?: (file: Buffer, prepared: PreparedSignature) => readonly number[] | undefined;
  /** Leaves `/Contents` all zeros. */
  readonly withoutCms?: boolean;
};

/** Seals as the product does it, with chosen mistakes. Without options the result is a good B-T seal. */
export function signPrepared(input: Uint8Array, pki: SoftwarePki, options: SignOptions = {}): Uint8Array {
  const source = createArraySource(input);
  const prefixHash = {
    algorithm: 'sha256' as const,
    finish: (parts: readonly Uint8Array[]) =>
      createHash('sha256')
        .update(Buffer.concat([input, ...parts]))
        .digest(),
  };
  const { signingTime = pki.now, reason } = options;
  const prepared = prepareSignature(
    { source, prefixHash },
    { contentsSize, signingTime, ...(reason === undefined ? {} : { reason }) },
    (length) => new Uint8Array(randomBytes(length)),
  );
  const file = Buffer.concat([input, prepared.increment]);
  const range = options.patch?.(file, prepared) ?? prepared.byteRange;
  if (options.withoutCms) return file;
  const cms = encodeForgedCms(readRanges(file, range), usualCms(pki, options.cms));
  const increment = embedContents({ ...prepared, increment: file.subarray(input.length) }, cms);
  return Buffer.concat([input, increment]);
}

/** The bytes of the ranges as far as they exist: forged ones may overlap, be negative or reach outside. */
export function readRanges(file: Uint8Array, range: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let index = 0; index + 1 < range.length; index += 2) {
    const start = range[index] ?? 0;
    parts.push(file.subarray(start, Math.max(start, start + (range[index + 1] ?? 0))));
  }
  return Buffer.concat(parts);
}

/** What a good CMS is made of, and changes to it. */
export function usualCms(pki: SoftwarePki, changes: Partial<CmsRecipe> = {}): CmsRecipe {
  return { signer: pki.leaf, timeStamp: (value) => makeSoftwareToken(pki.tsu, value, pki.now), ...changes };
}
