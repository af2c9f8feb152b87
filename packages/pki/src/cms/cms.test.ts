import { createHash, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  getDigestOf,
  getSignatureAlgorithm,
  getVerifyParameters,
  type SignatureAlgorithmName,
} from '@sigillum/algorithms';
import {
  cmsOids,
  compareBytes,
  encodeInteger,
  encodeOctetString,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTlv,
  hashContent,
  matchesCertificate,
  parseSignedData,
  parseSigningCertificateV2,
  readDer,
  readIssuerAndSerial,
  verifySigner,
} from '@sigillum/pki';
import { type OpensslCertificate, type OpensslKeyKind, OpensslPki, opensslExtensions } from '@sigillum/testing';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

const algorithms: readonly [SignatureAlgorithmName, OpensslKeyKind][] = [
  ['ecdsa-p256-sha256', 'p256'],
  ['ecdsa-p384-sha384', 'p384'],
  ['rsassa-pss-sha256', 'rsa-3072'],
  ['rsassa-pkcs1-v1_5-sha256', 'rsa-2048'],
];
const document = Buffer.from('the bytes of two ranges');
const pki = new OpensslPki();
let root: OpensslCertificate;
let ca: OpensslCertificate;
const leaves = new Map<string, OpensslCertificate>();

beforeAll(() => {
  root = pki.issue('root', { key: 'p384', extensions: opensslExtensions.root });
  ca = pki.issue('ca', { issuer: root, extensions: opensslExtensions.ca });
  for (const [, key] of algorithms)
    leaves.set(key, pki.issue(key, { key, issuer: ca, extensions: opensslExtensions.seal }));
});
afterAll(() => pki.remove());

function getLeaf(key: string): OpensslCertificate {
  const leaf = leaves.get(key);
  if (!leaf) throw new Error(key);
  return leaf;
}

function makeSigned(
  algorithm: SignatureAlgorithmName,
  key: string,
  extra: { content?: Uint8Array; token?: Uint8Array } = {},
) {
  const leaf = getLeaf(key);
  const contentType = extra.content ? ('tstInfo' as const) : ('data' as const);
  const messageDigest = createHash(getDigestOf(algorithm).name)
    .update(extra.content ?? document)
    .digest();
  const signedAttributes = encodeSignedAttributes({ contentType, messageDigest, certificate: leaf.certificate });
  const parameters = getVerifyParameters(algorithm, leaf.privateKey);
  const signature = sign(parameters.digest, signedAttributes, parameters.key);
  const der = encodeSignedData({
    contentType,
    content: extra.content,
    algorithm,
    signedAttributes,
    signature,
    signerCertificate: leaf.certificate,
    certificates: [leaf.certificate, ca.certificate],
    signatureTimeStamp: extra.token,
  });
  return { der, leaf, signedAttributes, signature, messageDigest };
}

describe.each(algorithms)('a detached signature by %s', (algorithm, key) => {
  test('is accepted by openssl cms -verify -cades, and refused for another document', () => {
    const { der } = makeSigned(algorithm, key);
    const verify = (content: Uint8Array): Uint8Array =>
      pki.run(
        [
          'cms',
          '-verify',
          '-cades',
          '-purpose',
          'any',
          '-binary',
          '-inform',
          'DER',
          '-in',
          pki.write('sig.der', der),
        ].concat(['-content', pki.write('content', content), '-CAfile', root.certificateFile]),
      );
    expect(Buffer.from(verify(document))).toEqual(document);
    expect(() => verify(Buffer.from('something else'))).toThrow('verification failure');
  });

  test('has the very bytes that pkijs makes of the same values', () => {
    const token = encodeSequence(encodeInteger(5));
    const { der, leaf, signature, messageDigest } = makeSigned(algorithm, key, { token });
    const buffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
    const asn1 = (bytes: Uint8Array): asn1js.AsnType => asn1js.fromBER(buffer(bytes)).result;
    // Some schema types are a union whose Choice can't be encoded; what we build has none.
    const toBytes = (schema: object): Uint8Array => new Uint8Array((schema as asn1js.BaseBlock).toBER());
    const certificate = pkijs.Certificate.fromBER(buffer(leaf.certificate));
    const ess = encodeSequence(
      encodeSequence(
        encodeSequence(
          encodeOctetString(createHash('sha256').update(leaf.certificate).digest()),
          encodeSequence(
            encodeSequence(toBytes(new pkijs.GeneralName({ type: 4, value: certificate.issuer }).toSchema())),
            new Uint8Array(certificate.serialNumber.toBER()),
          ),
        ),
      ),
    );
    const attribute = (type: string, value: Uint8Array): pkijs.Attribute =>
      new pkijs.Attribute({ type, values: [asn1(value)] });
    const attributes = [
      attribute(cmsOids.contentType, encodeOid(cmsOids.data)),
      attribute(cmsOids.messageDigest, encodeOctetString(messageDigest)),
      attribute(cmsOids.signingCertificateV2, ess),
    ].toSorted((left, right) =>
      compareBytes(new Uint8Array(left.toSchema().toBER()), new Uint8Array(right.toSchema().toBER())),
    );
    const digestAlgorithm = new pkijs.AlgorithmIdentifier({ algorithmId: getDigestOf(algorithm).oid });
    const signedData = new pkijs.SignedData({
      version: 1,
      digestAlgorithms: [digestAlgorithm],
      encapContentInfo: new pkijs.EncapsulatedContentInfo({ eContentType: cmsOids.data }),
      certificates: [leaf.certificate, ca.certificate]
        .toSorted(compareBytes)
        .map((bytes) => pkijs.Certificate.fromBER(buffer(bytes))),
      signerInfos: [
        new pkijs.SignerInfo({
          version: 1,
          sid: new pkijs.IssuerAndSerialNumber({ issuer: certificate.issuer, serialNumber: certificate.serialNumber }),
          digestAlgorithm,
          signedAttrs: new pkijs.SignedAndUnsignedAttributes({ type: 0, attributes }),
          signatureAlgorithm: new pkijs.AlgorithmIdentifier({
            schema: asn1(getSignatureAlgorithm(algorithm).identifierDer),
          }),
          signature: new asn1js.OctetString({ valueHex: buffer(signature) }),
          unsignedAttrs: new pkijs.SignedAndUnsignedAttributes({
            type: 1,
            attributes: [attribute(cmsOids.signatureTimeStamp, token)],
          }),
        }),
      ],
    });
    const contentInfo = new pkijs.ContentInfo({ contentType: cmsOids.signedData, content: signedData.toSchema(true) });
    const theirs = Buffer.from(contentInfo.toSchema().toBER()).toString('hex');
    expect(Buffer.from(der).toString('hex')).toBe(theirs);
  });

  test('is read back and verified by our own reader, and refused when a byte of it changes', () => {
    const { der, leaf } = makeSigned(algorithm, key);
    const parsed = parseSignedData(der);
    expect(new Set(parsed.signer.attributes.keys())).toEqual(
      new Set([cmsOids.contentType, cmsOids.messageDigest, cmsOids.signingCertificateV2]),
    );
    expect(parsed.content).toBeUndefined();
    expect(parsed.certificates).toHaveLength(2);
    const ess = parsed.signer.attributes.get(cmsOids.signingCertificateV2);
    const id = ess && parseSigningCertificateV2(ess);
    expect(id && matchesCertificate(id, leaf.certificate)).toBe(true);
    expect(id && matchesCertificate(id, ca.certificate)).toBe(false);
    const publicKey = getPublicKey(leaf);
    verifySigner(parsed, hashContent(document), publicKey);
    expect(() => verifySigner(parsed, hashContent(Buffer.from('x')), publicKey)).toThrow(
      'content is not the signed one',
    );
    const flipped = { ...parsed.signer, signature: Uint8Array.from(parsed.signer.signature) };
    flipped.signature[flipped.signature.length - 1] = (flipped.signature.at(-1) ?? 0) ^ 1;
    expect(() => verifySigner({ ...parsed, signer: flipped }, hashContent(document), publicKey)).toThrow(
      'signature is wrong',
    );
    const other = getPublicKey(getLeaf(key === 'p256' ? 'rsa-2048' : 'p256'));
    expect(() => verifySigner(parsed, hashContent(document), other)).toThrow(
      expect.objectContaining({ code: 'pki_cms_invalid' }),
    );
  });
});

describe('encoding', () => {
  test('names the certificate exactly as it names itself', () => {
    const { issuer, serialNumber } = readIssuerAndSerial(getLeaf('p256').certificate);
    expect(readDer(issuer).tag).toBe(0x30);
    const said = Buffer.from(pki.run(['x509', '-in', getLeaf('p256').certificateFile, '-noout', '-serial'])).toString();
    const content = Buffer.from(readDer(serialNumber).content).toString('hex').replace(/^00/, '');
    expect(said.trim().toLowerCase()).toBe(`serial=${content}`);
  });

  test('leaves certificates out when there are none, and drops doubles', () => {
    const { signedAttributes, signature, leaf } = makeSigned('ecdsa-p256-sha256', 'p256');
    const make = (certificates: Uint8Array[]): Uint8Array =>
      encodeSignedData({
        contentType: 'data',
        algorithm: 'ecdsa-p256-sha256',
        signedAttributes,
        signature,
        signerCertificate: leaf.certificate,
        certificates,
      });
    expect(parseSignedData(make([])).certificates).toHaveLength(0);
    expect(parseSignedData(make([leaf.certificate, ca.certificate, leaf.certificate])).certificates).toHaveLength(2);
  });

  test('gives a SignedData with content version 3 (RFC 5652 §5.1)', () => {
    const version = (der: Uint8Array): number | undefined =>
      readDer(der).children[1]?.children[0]?.children[0]?.content[0];
    const content = encodeSequence(encodeInteger(1));
    expect(version(makeSigned('ecdsa-p256-sha256', 'p256', { content }).der)).toBe(3);
    expect(version(makeSigned('ecdsa-p256-sha256', 'p256').der)).toBe(1);
  });
});

describe('parseSignedData', () => {
  const oid = encodeOid;
  const attribute = (type: string, ...values: Uint8Array[]): Uint8Array =>
    encodeSequence(oid(type), encodeSet(...values));
  const build = (parts: {
    signers?: Uint8Array[];
    attributes?: Uint8Array[];
    version?: number;
    type?: string;
  }): Uint8Array => {
    const name = readIssuerAndSerial(getLeaf('p256').certificate);
    const signer = encodeSequence(
      encodeInteger(parts.version ?? 1),
      encodeSequence(name.issuer, name.serialNumber),
      encodeSequence(oid('2.16.840.1.101.3.4.2.1')),
      ...(parts.attributes ? [encodeTlv(0xa0, ...parts.attributes)] : []),
      getSignatureAlgorithm('ecdsa-p256-sha256').identifierDer,
      encodeOctetString(new Uint8Array(8)),
    );
    const body = encodeSequence(
      encodeInteger(1),
      encodeSet(),
      encodeSequence(oid(cmsOids.data)),
      encodeTlv(0x31, ...(parts.signers ?? [signer])),
    );
    return encodeSequence(oid(parts.type ?? cmsOids.signedData), encodeTlv(0xa0, body));
  };
  const type = attribute(cmsOids.contentType, oid(cmsOids.data));
  const time = attribute(cmsOids.signingTime, encodeTlv(0x17, Buffer.from('260101000000Z')));

  test('reads a structure built by hand', () => {
    expect(parseSignedData(build({ attributes: [type, time] })).signer.attributes.size).toBe(2);
  });

  test.each([
    ['another content type', () => build({ type: '1.2.840.113549.1.7.3', attributes: [type] }), 'not a SignedData'],
    ['no signer', () => build({ signers: [] }), 'exactly one signer'],
    ['two signers', () => build({ signers: [encodeSequence(), encodeSequence()] }), 'exactly one signer'],
    ['a signer by key identifier', () => build({ version: 3, attributes: [type] }), 'by issuer and serial'],
    ['no signed attributes', () => build({}), 'no signed attributes'],
    ['unsorted attributes', () => build({ attributes: [time, type] }), 'not sorted'],
    [
      'an attribute twice',
      () => build({ attributes: [type, attribute(cmsOids.contentType, oid(cmsOids.tstInfo))] }),
      'twice',
    ],
    [
      'two values',
      () => build({ attributes: [attribute(cmsOids.contentType, oid(cmsOids.data), oid(cmsOids.tstInfo))] }),
      'exactly one value',
    ],
    [
      'an attribute without a value',
      () => build({ attributes: [attribute(cmsOids.contentType)] }),
      'exactly one value',
    ],
  ])('refuses %s', (_what, make, message) => {
    expect(() => parseSignedData(make())).toThrow(message);
  });
});

function getPublicKey({ certificate }: OpensslCertificate): KeyObject {
  return new X509Certificate(certificate).publicKey;
}
