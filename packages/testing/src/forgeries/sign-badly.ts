import { createHash } from 'node:crypto';
import {
  cmsOids,
  contextTag,
  encodeAttribute,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeTime,
  encodeTlv,
} from '@sigillum/pki';
import type { CmsRecipe } from './encode-forged-cms.ts';
import { type ForgedFile, forged, type ForgeryTools, type SealedSample } from './forgery.ts';
import { makeSoftwareToken } from './make-software-token.ts';
import { signPrepared } from './sign-prepared.ts';

/** CMSAlgorithmProtection of SHA-512 with ECDSA over SHA-256. */
const sha512Protection = encodeAttribute(
  '1.2.840.113549.1.9.52',
  encodeSequence(
    encodeSequence(encodeOid('2.16.840.1.101.3.4.2.3')),
    encodeTlv(contextTag(1), encodeOid('1.2.840.10045.4.3.2')),
  ),
);

/** SigningCertificate (RFC 2634 §5.4). */
function encodeSha1CertificateId(certificate: Uint8Array): Uint8Array {
  const id = encodeSequence(encodeOctetString(createHash('sha1').update(certificate).digest()));
  return encodeAttribute(cmsOids.signingCertificate, encodeSequence(encodeSequence(id)));
}

const hour = 3_600_000;
const day = 24 * hour;

/** Seals by good keys that are no PAdES baseline signatures, or by keys that may not seal. */
export function signBadly({ input }: SealedSample, { pki, strangers }: ForgeryTools): readonly ForgedFile[] {
  const sign = (cms: Partial<CmsRecipe>, signingTime = pki.now) => signPrepared(input, pki, { cms, signingTime });
  const ess = Buffer.from('060b2a864886f70d010910022f', 'hex');
  const isEss = (attribute: Uint8Array) => Buffer.from(attribute).includes(ess);
  const withoutType = Buffer.from('06092a864886f70d010903', 'hex');
  const earlier = (milliseconds: number) => new Date(pki.now.getTime() - milliseconds);
  return [
    forged('stranger', 'a seal under a root that nobody trusts', signPrepared(input, strangers)),
    forged(
      'stranger-with-good-time-stamp',
      'a seal under a root that nobody trusts, time-stamped by a good TSA',
      signPrepared(input, strangers, { cms: { timeStamp: (value) => makeSoftwareToken(pki.tsu, value, pki.now) } }),
    ),
    forged(
      'no-ess-certificate',
      'no signing-certificate attribute',
      sign({ changeAttributes: (all) => all.filter((one) => !isEss(one)) }),
    ),
    forged(
      'wrong-ess-certificate',
      'the signing-certificate attribute of another certificate',
      sign({ named: pki.otherLeaf }),
    ),
    forged(
      'no-content-type',
      'no content-type attribute',
      sign({ changeAttributes: (all) => all.filter((one) => !Buffer.from(one).includes(withoutType)) }),
    ),
    forged('no-signed-attributes', 'no signed attributes', sign({ changeAttributes: () => undefined })),
    forged(
      'double-attribute',
      'the message-digest attribute twice',
      sign({
        changeAttributes: (all) => [
          ...all,
          encodeAttribute(cmsOids.messageDigest, encodeOctetString(new Uint8Array(32))),
        ],
      }),
    ),
    forged(
      'signing-time',
      'a signing-time attribute',
      sign({ changeAttributes: (all) => [...all, encodeAttribute(cmsOids.signingTime, encodeTime(pki.now))] }),
    ),
    forged(
      'wrong-sha1-ess-certificate',
      'a second ESS attribute, by SHA-1, of another certificate',
      sign({
        changeAttributes: (all) => [...all, encodeSha1CertificateId(pki.otherLeaf.certificate)],
      }),
    ),
    forged(
      'lying-algorithm-protection',
      'an attribute that says another digest algorithm (RFC 6211)',
      sign({ changeAttributes: (all) => [...all, sha512Protection] }),
    ),
    forged(
      'signed-counter-signature',
      'a counter-signature among the signed attributes',
      sign({ changeAttributes: (all) => [...all, encodeAttribute('1.2.840.113549.1.9.6', encodeNull())] }),
    ),
    forged('empty-time-stamp', 'a time-stamp attribute without a time-stamp', sign({ emptyTimeStamp: true })),
    forged('two-signers', 'a second SignerInfo', sign({ otherSigner: pki.otherLeaf })),
    forged(
      'encapsulated-content',
      'content inside a detached CMS',
      sign({ encapsulated: Buffer.from('something else') }),
    ),
    forged('sha-1', 'SHA-1 throughout', sign({ hash: 'sha1' })),
    forged('expired-leaf', 'a certificate that had ended', sign({ signer: pki.expiredLeaf })),
    forged(
      'backdated',
      '/M before the end of a certificate that had ended',
      sign({ signer: pki.expiredLeaf }, earlier(2 * hour)),
    ),
    forged('m-before-certificate', '/M before the certificate begins', sign({}, earlier(10 * day))),
    forged('without-non-repudiation', 'a certificate for logging in', sign({ signer: pki.leafWithoutNonRepudiation })),
    forged('by-time-stamp-unit', 'a certificate for time-stamps', sign({ signer: pki.tsu })),
  ];
}
