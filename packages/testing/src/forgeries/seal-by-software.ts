import { createHash, randomBytes, sign } from 'node:crypto';
import { sealDocument, type SealOptions } from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { verifyTimeStampToken } from '@sigillum/pki';
import type { SealedSample } from './forgery.ts';
import { makeSoftwareToken } from './make-software-token.ts';
import type { SoftwarePki } from './software-pki.ts';

/** A good seal, made by the product's own steps; only signer and TSA are keys in memory. */
export async function sealBySoftware(
  input: Uint8Array,
  pki: SoftwarePki,
  options: Partial<SealOptions> = {},
): Promise<SealedSample> {
  const imprintOf = new Map<string, Uint8Array>();
  const { increment } = await sealDocument({
    input: {
      source: createArraySource(input),
      prefixHash: {
        algorithm: 'sha256',
        finish: (parts) =>
          createHash('sha256')
            .update(Buffer.concat([input, ...parts]))
            .digest(),
      },
    },
    credential: { certificate: pki.leaf.certificate, chain: pki.leaf.chain, algorithm: 'ecdsa-p256-sha256' },
    options: { signingTime: pki.now, reason: 'Approved', ...options },
    ports: {
      // node:crypto signs messages only: the signed attributes, not their digest
      sign: ({ signedAttributes }) => {
        const signature = new Uint8Array(sign('sha256', signedAttributes, pki.leaf.privateKey));
        const digest = createHash('sha256').update(signature).digest();
        imprintOf.set(digest.toString('hex'), signature);
        return Promise.resolve(signature);
      },
      timeStamps: {
        request: (imprint) => {
          const signature = imprintOf.get(Buffer.from(imprint.digest).toString('hex'));
          if (!signature) throw new Error('the imprint is not that of the signature');
          const der = makeSoftwareToken(pki.tsu, signature, pki.now);
          return Promise.resolve(verifyTimeStampToken(der, { imprint, roots: [pki.root.certificate] }));
        },
      },
      now: () => pki.now,
      random: (length) => new Uint8Array(randomBytes(length)),
    },
  });
  return { input, bytes: Buffer.concat([input, increment]) };
}
