import { findDigestByOid } from '@sigillum/algorithms';
import { isSigillumError } from '@sigillum/errors';
import { decodeBoolean, decodeInteger, decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeBoolean, encodeInteger, encodeOid, encodeSequence, encodeTlv } from '../der/encode-der.ts';
import { readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { encodeMessageImprint, type MessageImprint, type RawImprint, readMessageImprint } from './message-imprint.ts';
import { TimeStampRefusal } from './time-stamp-refusal.ts';

export type TimeStampRequest = {
  readonly imprint: MessageImprint;
  /** MessageImprint as it came: TSTInfo repeats exactly these bytes (RFC 3161 §2.4.2). */
  readonly imprintDer: Uint8Array;
  readonly policy?: string;
  /** Content octets of the nonce INTEGER as they came, sign and leading zero included. */
  readonly nonce?: Uint8Array;
  readonly certReq: boolean;
};

/** Nonces in use have 8 to 20 bytes; more than this is an attempt to store something in our tokens. */
const maxNonceLength = 64;

/** Why a digest that clients still ask for is not time-stamped. */
const refusedDigests = new Map([
  ['1.3.14.3.2.26', 'SHA-1'],
  ['1.2.840.113549.2.5', 'MD5'],
  ['1.2.840.113549.2.2', 'MD2'],
  ['1.3.36.3.2.1', 'RIPEMD-160'],
]);

/**
 * TimeStampReq in DER (RFC 3161 §2.4.1). `nonce` holds the content octets of an INTEGER ≥ 0, at least one.
 *
 * @example encodeTimeStampRequest({ imprint: { algorithm: 'sha256', digest }, nonce, certReq: true });
 */
export function encodeTimeStampRequest(request: {
  readonly imprint: MessageImprint;
  readonly policy?: string | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly certReq: boolean;
}): Uint8Array {
  const parts = [encodeInteger(1), encodeMessageImprint(request.imprint)];
  if (request.policy !== undefined) parts.push(encodeOid(request.policy));
  if (request.nonce) parts.push(encodeTlv(tags.integer, request.nonce));
  // certReq BOOLEAN DEFAULT FALSE: absent when false (X.690 §11.5).
  if (request.certReq) parts.push(encodeBoolean(true));
  return encodeSequence(...parts);
}

/**
 * Reads a TimeStampReq strictly. Every refusal is a {@link TimeStampRefusal} with its PKIFailureInfo:
 * `badDataFormat` for what is not DER or not this structure, `badRequest` for another version, `badAlg` for an imprint
 * algorithm we don't accept, `unacceptedExtension` for any extension (RFC 3161 §2.4.1: also a non-critical one).
 * Whether a policy is served is the caller's to say.
 */
export function parseTimeStampRequest(der: Uint8Array): TimeStampRequest {
  try {
    return readRequest(der);
  } catch (error) {
    if (isSigillumError(error, 'pki_der_invalid')) {
      throw new TimeStampRefusal('badDataFormat', `The request is malformed. ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function readRequest(der: Uint8Array): TimeStampRequest {
  // A request is flat: eight levels would do for extensions too.
  const fields = new DerFields(readDer(der, { maxDepth: 8, maxElements: 200 }), 'TimeStampReq');
  if (decodeInteger(fields.take(tags.integer)) !== 1n) {
    throw new TimeStampRefusal('badRequest', 'Only version 1 of TimeStampReq is known.');
  }
  const imprintNode = fields.take(tags.sequence);
  const raw = readMessageImprint(imprintNode);
  const policyNode = fields.takeIf(tags.oid);
  const nonceNode = fields.takeIf(tags.integer);
  const certReqNode = fields.takeIf(tags.boolean);
  const extensions = fields.takeIf(contextTag(0));
  fields.end();
  const certReq = certReqNode ? decodeBoolean(certReqNode) : false;
  if (certReqNode && !certReq) {
    throw new TimeStampRefusal(
      'badDataFormat',
      'The request is malformed. certReq FALSE is the default and must be left out in DER.',
    );
  }
  if (nonceNode && nonceNode.content.length > maxNonceLength) {
    throw new TimeStampRefusal('badRequest', `The nonce has more than ${maxNonceLength} bytes.`);
  }
  if (extensions) throw new TimeStampRefusal('unacceptedExtension', 'This service knows no request extensions.');
  return {
    imprint: getImprint(raw),
    imprintDer: imprintNode.bytes,
    certReq,
    ...(policyNode ? { policy: decodeOid(policyNode) } : {}),
    ...(nonceNode ? { nonce: nonceNode.content } : {}),
  };
}

function getImprint(raw: RawImprint): MessageImprint {
  const algorithm = findDigestByOid(raw.oid);
  if (!algorithm) {
    const name = refusedDigests.get(raw.oid);
    throw new TimeStampRefusal(
      'badAlg',
      name
        ? `${name} is no longer secure. Use SHA-256, SHA-384 or SHA-512.`
        : `The hash algorithm ${raw.oid} is not supported. Use SHA-256, SHA-384 or SHA-512.`,
    );
  }
  if (!raw.parametersAreEmpty) throw new TimeStampRefusal('badAlg', 'The hash algorithm has parameters.');
  if (raw.digest.length !== algorithm.length) {
    throw new TimeStampRefusal(
      'badDataFormat',
      `The imprint has ${raw.digest.length} bytes, but a ${algorithm.name} digest has ${algorithm.length}.`,
    );
  }
  return { algorithm: algorithm.name, digest: raw.digest };
}
