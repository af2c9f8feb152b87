import { SigillumError } from '@sigillum/errors';
import type { PreparedSignature } from './prepared-signature.ts';

/**
 * The increment with the CMS in `/Contents`, as hex and followed by zeros. The prepared bytes stay as they are.
 *
 * @throws SigillumError `pades_contents_overflow`: prepare again with more room; a CMS is never truncated.
 */
export function embedContents(prepared: PreparedSignature, cms: Uint8Array): Uint8Array {
  if (cms.length > prepared.contentsSize) {
    throw new SigillumError(
      'pades_contents_overflow',
      `The signature has ${cms.length} bytes, but only ${prepared.contentsSize} are reserved for it.`,
    );
  }
  const [, , second, rest] = prepared.byteRange;
  const prefixSize = second + rest - prepared.increment.length;
  const increment = new Uint8Array(prepared.increment);
  const hex = Buffer.from(cms.buffer, cms.byteOffset, cms.length).toString('hex');
  increment.set(Buffer.from(hex, 'latin1'), prepared.contentsOffset - prefixSize + 1);
  return increment;
}
