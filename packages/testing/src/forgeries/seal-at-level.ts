import { constants, createHash, randomBytes, sign } from 'node:crypto';
import { getDigestOf, getSignatureAlgorithm, type DigestName, type SignatureAlgorithmName } from '@sigillum/algorithms';
import {
  type ExtendedDocument,
  extendDocument,
  type PrepareInput,
  type RevocationSource,
  sealDocument,
  type SealedDocument,
  type SealLevel,
  type SealOptions,
  type TimeStampSource,
} from '@sigillum/pades';
import { createArraySource } from '@sigillum/pdf';
import { verifyTimeStampToken } from '@sigillum/pki';
import { makeSoftwareTokenOf } from './make-software-token.ts';
import type { SoftwareIdentity, SoftwarePki } from './software-pki.ts';
import { SoftwareRevocation } from './software-revocation.ts';

export type SoftwareSealOptions = {
  readonly level: Exclude<SealLevel, 'b-b'>;
  /** Default: the PKI's leaf and ECDSA. */
  readonly signer?: SoftwareIdentity;
  readonly algorithm?: SignatureAlgorithmName;
  readonly options?: Partial<SealOptions>;
  /** Default: the time of the PKI. */
  readonly now?: Date;
  readonly tsu?: SoftwareIdentity;
  readonly revocation?: RevocationSource;
  readonly freshness?: 'after-time-stamp' | { readonly maxAgeMs: number };
  readonly lastTokenSize?: number;
  readonly random?: (length: number) => Uint8Array;
};

/** A seal of any level by the product's own steps, with keys in memory and lists made on the spot. */
export async function sealAtLevel(
  input: Uint8Array,
  pki: SoftwarePki,
  more: SoftwareSealOptions,
): Promise<{ readonly bytes: Uint8Array; readonly sealed: SealedDocument }> {
  const { signer = pki.leaf, algorithm = 'ecdsa-p256-sha256', now = pki.now } = more;
  const sealed = await sealDocument({
    input: createSoftwareInput(input, getDigestOf(algorithm).name),
    credential: { certificate: signer.certificate, chain: signer.chain, algorithm },
    options: { signingTime: now, reason: 'Approved', ...more.options },
    level: more.level,
    revocation: more.revocation ?? new SoftwareRevocation(pki, { now: () => now }),
    freshness: more.freshness,
    lastTokenSize: more.lastTokenSize,
    ports: {
      sign: ({ signedAttributes }) => Promise.resolve(signBySoftware(signedAttributes, signer, algorithm)),
      timeStamps: createSoftwareTimeStamps(pki, now, more.tsu),
      now: () => now,
      random: more.random ?? ((length) => new Uint8Array(randomBytes(length))),
    },
  });
  return { bytes: Buffer.concat([input, sealed.increment]), sealed };
}

export type SoftwareExtensionOptions = {
  readonly to: 'b-lt' | 'b-lta';
  readonly now?: Date;
  readonly tsu?: SoftwareIdentity;
  readonly revocation?: RevocationSource;
  readonly lastTokenSize?: number;
};

/** Extends a file likewise. */
export async function extendBySoftware(
  input: Uint8Array,
  pki: SoftwarePki,
  more: SoftwareExtensionOptions,
): Promise<{ readonly bytes: Uint8Array; readonly extended: ExtendedDocument }> {
  const { now = pki.now } = more;
  const extended = await extendDocument({
    input: createSoftwareInput(input, 'sha256'),
    to: more.to,
    roots: [pki.root.certificate],
    lastTokenSize: more.lastTokenSize,
    ports: {
      timeStamps: createSoftwareTimeStamps(pki, now, more.tsu),
      revocation: more.revocation ?? new SoftwareRevocation(pki, { now: () => now }),
      now: () => now,
      random: (length) => new Uint8Array(randomBytes(length)),
    },
  });
  return { bytes: Buffer.concat([input, extended.increment]), extended };
}

/** A TSA in memory whose clock stands still. */
export function createSoftwareTimeStamps(
  pki: SoftwarePki,
  now: Date,
  tsu: SoftwareIdentity = pki.tsu,
): TimeStampSource {
  return {
    request: (imprint) =>
      Promise.resolve(
        verifyTimeStampToken(makeSoftwareTokenOf(tsu, imprint, now), { imprint, roots: [pki.root.certificate] }),
      ),
  };
}

export function createSoftwareInput(bytes: Uint8Array, algorithm: DigestName): PrepareInput {
  return {
    source: createArraySource(bytes),
    prefixHash: {
      algorithm,
      finish: (parts) => {
        const hash = createHash(algorithm).update(bytes);
        for (const part of parts) hash.update(part);
        return hash.digest();
      },
    },
  };
}

/** node:crypto signs messages only: the signed attributes, not their digest. */
function signBySoftware(message: Uint8Array, signer: SoftwareIdentity, name: SignatureAlgorithmName): Uint8Array {
  const { scheme, digest, saltLength } = getSignatureAlgorithm(name);
  const key = signer.privateKey;
  if (scheme === 'ecdsa') return new Uint8Array(sign(digest, message, key));
  const padding = scheme === 'rsassa-pss' ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return new Uint8Array(sign(digest, message, { key, padding, ...(saltLength ? { saltLength } : {}) }));
}
