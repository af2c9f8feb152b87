import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { cmsOids, compareBytes, encodeOctetString, encodeOid, encodeSequence, readDer } from '@sigillum/pki';
import { findSeal, makeSamplePdf, sealBySoftware, type SealedSample, SoftwarePki } from '@sigillum/testing';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

let pki: SoftwarePki;

beforeAll(async () => {
  pki = await SoftwarePki.make();
});

describe('the CMS of a seal', () => {
  const buffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
  const asn1 = (bytes: Uint8Array): asn1js.AsnType => asn1js.fromBER(buffer(bytes)).result;
  const toBytes = (schema: object): Uint8Array => new Uint8Array((schema as asn1js.BaseBlock).toBER());
  const attribute = (type: string, value: Uint8Array) => new pkijs.Attribute({ type, values: [asn1(value)] });

  /** What pkijs makes of the seal's values: the digest of its bytes, its certificates, its signature and its time-stamp. */
  function makeByPkijs({ bytes }: SealedSample): Uint8Array {
    const { byteRange, parts } = findSeal(bytes);
    const [, length, second, rest] = byteRange;
    const signed = Buffer.concat([bytes.subarray(0, length), bytes.subarray(second, second + rest)]);
    const leaf = pkijs.Certificate.fromBER(buffer(pki.leaf.certificate));
    const issuer = toBytes(new pkijs.GeneralName({ type: 4, value: leaf.issuer }).toSchema());
    const serialNumber = new Uint8Array(leaf.serialNumber.toBER());
    const hash = encodeOctetString(createHash('sha256').update(pki.leaf.certificate).digest());
    const ess = encodeSequence(
      encodeSequence(encodeSequence(hash, encodeSequence(encodeSequence(issuer), serialNumber))),
    );
    const attributes = [
      attribute(cmsOids.contentType, encodeOid(cmsOids.data)),
      attribute(cmsOids.messageDigest, encodeOctetString(createHash('sha256').update(signed).digest())),
      attribute(cmsOids.signingCertificateV2, ess),
    ].toSorted((a, b) => compareBytes(toBytes(a.toSchema()), toBytes(b.toSchema())));
    const digestAlgorithm = new pkijs.AlgorithmIdentifier({ algorithmId: '2.16.840.1.101.3.4.2.1' });
    const { identifierDer } = getSignatureAlgorithm('ecdsa-p256-sha256');
    const signedData = new pkijs.SignedData({
      version: 1,
      digestAlgorithms: [digestAlgorithm],
      encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: cmsOids.data }),
      certificates: [pki.leaf.certificate, ...pki.leaf.chain]
        .toSorted(compareBytes)
        .map((der) => pkijs.Certificate.fromBER(buffer(der))),
      signerInfos: [
        new pkijs.SignerInfo({
          version: 1,
          sid: new pkijs.IssuerAndSerialNumber({ issuer: leaf.issuer, serialNumber: leaf.serialNumber }),
          digestAlgorithm,
          signedAttrs: new pkijs.SignedAndUnsignedAttributes({ type: 0, attributes }),
          signatureAlgorithm: new pkijs.AlgorithmIdentifier({ schema: asn1(identifierDer) }),
          signature: new asn1js.OctetString({ valueHex: buffer(parts.signatureValue.content) }),
          unsignedAttrs: new pkijs.SignedAndUnsignedAttributes({
            type: 1,
            attributes: [attribute(cmsOids.signatureTimeStamp, parts.token.bytes)],
          }),
        }),
      ],
    });
    return toBytes(
      new pkijs.ContentInfo({ contentType: cmsOids.signedData, content: signedData.toSchema(true) }).toSchema(),
    );
  }

  test('has the very bytes that pkijs makes of the same values, time-stamp included', async () => {
    const sealed = await sealBySoftware(makeSamplePdf('classic'), pki);
    const ours = findSeal(sealed.bytes).cms;
    expect(readDer(ours).bytes).toHaveLength(ours.length);
    expect(Buffer.from(ours).toString('hex')).toBe(Buffer.from(makeByPkijs(sealed)).toString('hex'));
  });
});
