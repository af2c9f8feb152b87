import { createHash, randomBytes, sign } from 'node:crypto';
import {
  encodeMessageImprint,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTstInfo,
  type MessageImprint,
} from '@sigillum/pki';
import type { SoftwareIdentity } from './software-pki.ts';

/** A time-stamp token over `data` by a TSU in memory, unverified: it may be a bad one. */
export function makeSoftwareToken(tsu: SoftwareIdentity, data: Uint8Array, genTime: Date): Uint8Array {
  const digest = createHash('sha256').update(data).digest();
  return makeSoftwareTokenOf(tsu, { algorithm: 'sha256', digest }, genTime);
}

/** A time-stamp token of a digest. */
export function makeSoftwareTokenOf(tsu: SoftwareIdentity, imprint: MessageImprint, genTime: Date): Uint8Array {
  const content = encodeTstInfo({
    policy: '2.25.1',
    imprintDer: encodeMessageImprint(imprint),
    serialNumber: Uint8Array.of(0x40, ...randomBytes(15)),
    genTime,
    accuracyMs: 1000,
  });
  const signedAttributes = encodeSignedAttributes({
    contentType: 'tstInfo',
    messageDigest: createHash('sha256').update(content).digest(),
    certificate: tsu.certificate,
  });
  return encodeSignedData({
    contentType: 'tstInfo',
    content,
    algorithm: 'ecdsa-p256-sha256',
    signedAttributes,
    signature: new Uint8Array(sign('sha256', signedAttributes, tsu.privateKey)),
    signerCertificate: tsu.certificate,
    certificates: [tsu.certificate, ...tsu.chain],
  });
}
