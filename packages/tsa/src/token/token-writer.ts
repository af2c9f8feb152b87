import { hash, verify } from 'node:crypto';
import { type DigestName, getDigestOf, getSignatureAlgorithm, getVerifyParameters } from '@sigillum/algorithms';
import {
  cmsOids,
  compareBytes,
  concatBytes,
  contextTag,
  encodeGeneralizedTime,
  encodeInteger,
  encodeOid,
  encodeSequence,
  encodeSet,
  encodeSignedAttributes,
  encodeTlv,
  equalBytes,
  readIssuerAndSerial,
  type TimeStampRequest,
  tags,
} from '@sigillum/pki';
import type { GenTime } from '../clock/gen-time-clock.ts';
import type { TimeStampUnit } from '../unit/time-stamp-unit.ts';
import { lengthOfHeader, put, toIntegerContent, wrapLength, writeHeader } from './der-writer.ts';
import { encodeAccuracy, encodeQualifiedClaim } from './tst-fields.ts';

/** A TSTInfo and the attributes that are to be signed over it. */
export type TokenDraft = {
  readonly content: Uint8Array;
  readonly signedAttributes: Uint8Array;
  /** Digest of the signed attributes: what goes to the signer. */
  readonly digest: Uint8Array;
};

/** TimeStampResp, granted, and the token as a view of it. */
export type WrittenToken = { readonly response: Uint8Array; readonly token: Uint8Array };

/**
 * Writes the tokens of one unit under one policy. All that is the same in each is encoded once; the bytes are those that
 * `encodeTstInfo`, `encodeSignedAttributes` and `encodeSignedData` of `pki` would make, which a test compares.
 */
export class TokenWriter {
  readonly unit: TimeStampUnit;
  readonly policy: string;
  readonly #digest: DigestName;
  readonly #verification: ReturnType<typeof getVerifyParameters>;
  /** version, policy */
  readonly #tstHead: Uint8Array;
  readonly #tstExtensions: Uint8Array;
  /** The SET OF attributes, and where its message digest stands. */
  readonly #attributes: Uint8Array;
  readonly #digestOffset: number;
  /** SignedData up to encapContentInfo, and from the certificates on. */
  readonly #dataHead: Uint8Array;
  readonly #certificates: Uint8Array;
  /** SignerInfo before the signed attributes, and after them up to the signature. */
  readonly #signerHead: Uint8Array;
  readonly #signatureAlgorithm: Uint8Array;

  constructor(unit: TimeStampUnit, policy: string) {
    this.unit = unit;
    this.policy = policy;
    const digest = getDigestOf(unit.algorithm);
    const certificate = unit.certificate.der;
    this.#digest = digest.name;
    this.#verification = getVerifyParameters(unit.algorithm, unit.certificate.publicKey);
    this.#tstHead = concatBytes([encodeInteger(1), encodeOid(policy)]);
    this.#tstExtensions = unit.qualified ? encodeQualifiedClaim() : new Uint8Array(0);
    // A digest of ones shows where it stands; its value changes neither lengths nor the order of the SET OF.
    const ones = new Uint8Array(digest.length).fill(0xff);
    this.#attributes = encodeSignedAttributes({ contentType: 'tstInfo', messageDigest: ones, certificate });
    this.#digestOffset = Buffer.from(this.#attributes).indexOf(ones);
    const algorithm = encodeSequence(encodeOid(digest.oid));
    const name = readIssuerAndSerial(certificate);
    this.#dataHead = concatBytes([encodeInteger(3), encodeSet(algorithm)]);
    const certificates = [certificate, ...unit.chain]
      .toSorted(compareBytes)
      .filter((one, index, all) => index === 0 || !equalBytes(one, all[index - 1] ?? one));
    this.#certificates = encodeTlv(contextTag(0), ...certificates);
    this.#signerHead = concatBytes([encodeInteger(1), encodeSequence(name.issuer, name.serialNumber), algorithm]);
    this.#signatureAlgorithm = getSignatureAlgorithm(unit.algorithm).identifierDer;
  }

  /** The fields of TSTInfo that a whole batch shares: genTime and accuracy (RFC 3161 §2.4.2). */
  encodeTime({ time, accuracyMs }: Pick<GenTime, 'time' | 'accuracyMs'>): Uint8Array {
    return concatBytes([encodeGeneralizedTime(time), encodeAccuracy(accuracyMs)]);
  }

  /**
   * @param timeDer of {@link encodeTime}
   * @param serialNumber 16 bytes, big-endian
   */
  draft(
    request: Pick<TimeStampRequest, 'imprintDer' | 'nonce'>,
    timeDer: Uint8Array,
    serialNumber: Uint8Array,
  ): TokenDraft {
    const serial = toIntegerContent(serialNumber);
    const nonceLength = request.nonce === undefined ? 0 : 2 + request.nonce.length;
    const inner =
      this.#tstHead.length +
      request.imprintDer.length +
      2 +
      serial.length +
      timeDer.length +
      nonceLength +
      this.#tstExtensions.length;
    const content = new Uint8Array(lengthOfHeader(inner) + inner);
    let at = writeHeader(content, 0, tags.sequence, inner);
    at = put(content, at, this.#tstHead);
    at = put(content, at, request.imprintDer);
    at = put(content, writeHeader(content, at, tags.integer, serial.length), serial);
    at = put(content, at, timeDer);
    // Content octets as they came, sign and leading zeros included; parseTimeStampRequest keeps them below 128 bytes.
    if (request.nonce) at = put(content, writeHeader(content, at, tags.integer, request.nonce.length), request.nonce);
    put(content, at, this.#tstExtensions);
    const signedAttributes = new Uint8Array(this.#attributes);
    signedAttributes.set(hash(this.#digest, content, 'buffer'), this.#digestOffset);
    return { content, signedAttributes, digest: hash(this.#digest, signedAttributes, 'buffer') };
  }

  /** Whether the signature is one of this unit's key over the draft. */
  isOurs({ signedAttributes }: TokenDraft, signature: Uint8Array): boolean {
    return verify(this.#verification.digest, signedAttributes, this.#verification.key, signature);
  }

  /** RFC 3161 §2.4.1: the certificates are there when certReq says so, and must not be there when it doesn't. */
  write({ content, signedAttributes }: TokenDraft, signature: Uint8Array, certReq: boolean): WrittenToken {
    const certificates = certReq ? this.#certificates : undefined;
    const octets = wrapLength(content.length);
    const explicitContent = wrapLength(octets);
    const encapsulated = tstInfoOid.length + explicitContent;
    const signer =
      this.#signerHead.length +
      signedAttributes.length +
      this.#signatureAlgorithm.length +
      wrapLength(signature.length);
    const signers = wrapLength(signer);
    const signedData =
      this.#dataHead.length + wrapLength(encapsulated) + (certificates?.length ?? 0) + wrapLength(signers);
    const explicitData = wrapLength(signedData);
    const contentInfo = signedDataOid.length + wrapLength(explicitData);
    const whole = grantedStatus.length + wrapLength(contentInfo);
    const response = new Uint8Array(wrapLength(whole));
    let at = put(response, writeHeader(response, 0, tags.sequence, whole), grantedStatus);
    const start = at;
    at = put(response, writeHeader(response, at, tags.sequence, contentInfo), signedDataOid);
    at = writeHeader(response, at, contextTag(0), explicitData);
    at = put(response, writeHeader(response, at, tags.sequence, signedData), this.#dataHead);
    at = put(response, writeHeader(response, at, tags.sequence, encapsulated), tstInfoOid);
    at = writeHeader(response, at, contextTag(0), octets);
    at = put(response, writeHeader(response, at, tags.octetString, content.length), content);
    if (certificates) at = put(response, at, certificates);
    at = writeHeader(response, at, tags.set, signers);
    at = put(response, writeHeader(response, at, tags.sequence, signer), this.#signerHead);
    put(response, at, signedAttributes);
    // [0] IMPLICIT: the same bytes under another tag (RFC 5652 §5.3).
    response[at] = contextTag(0);
    at = put(response, at + signedAttributes.length, this.#signatureAlgorithm);
    put(response, writeHeader(response, at, tags.octetString, signature.length), signature);
    return { response, token: response.subarray(start) };
  }
}

const tstInfoOid = encodeOid(cmsOids.tstInfo);
const signedDataOid = encodeOid(cmsOids.signedData);
/** PKIStatusInfo { status granted (0) }. */
const grantedStatus = encodeSequence(encodeInteger(0));
