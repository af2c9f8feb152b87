import { isSigillumError, SigillumError } from '@sigillum/errors';
import { findRevocationReason } from '../crl/revocation-reason.ts';
import { decodeBitString, decodeInteger, decodeOctetString, decodeOid, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, primitiveContextTag, tags } from '../der/tags.ts';
import { parseName } from '../x509/distinguished-name.ts';
import { type Extension, parseExtensionList } from '../x509/parse-extensions.ts';
import { readCertificateId } from './ocsp-certificate-id.ts';
import { ocspOids } from './ocsp-oids.ts';
import type { OcspCertificateStatus, OcspResponderId, OcspResponse, OcspSingleResponse } from './ocsp-response.ts';

/** A response has at most this many elements: one certificate's, with four certificates along, has about 400. */
const maxElements = 20_000;
/** Single responses in one answer: we ask about one, some responders add their favourites. */
const maxResponses = 64;
/** Certificates in one answer: the responder's, and perhaps its chain. */
const maxCertificates = 16;

/** OCSPResponseStatus other than successful (RFC 6960 §4.2.1). */
const refusals = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
]);

/**
 * Reads an OCSPResponse: strict DER, successful, with a BasicOCSPResponse of version 1 (RFC 6960 §4.2.1). The signature
 * is not checked: {@link verifyOcspResponse}. Throws `pki_ocsp_refused` when the responder has no answer, else
 * `pki_ocsp_invalid`.
 */
export function parseOcspResponse(der: Uint8Array): OcspResponse {
  try {
    return read(der);
  } catch (error) {
    if (isSigillumError(error, 'pki_der_invalid', 'pki_certificate_invalid')) {
      throw new SigillumError('pki_ocsp_invalid', `The OCSP response can't be read: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function read(der: Uint8Array): OcspResponse {
  const outer = new DerFields(readDer(der, { maxElements }), 'OCSPResponse');
  const status = decodeSmallInteger(outer.take(tags.enumerated));
  const wrapper = outer.takeIf(contextTag(0))?.children[0];
  outer.end();
  if (status !== 0) {
    throw new SigillumError(
      'pki_ocsp_refused',
      `The OCSP responder has no answer: ${refusals.get(status) ?? `status ${status}`}.`,
    );
  }
  if (!wrapper) throw invalid('It is empty.');
  const bytes = new DerFields(wrapper, 'ResponseBytes');
  if (decodeOid(bytes.take(tags.oid)) !== ocspOids.basicResponse) throw invalid('It is of an unknown type.');
  const body = decodeOctetString(bytes.take(tags.octetString));
  bytes.end();
  const basic = new DerFields(readDer(body, { maxElements }), 'BasicOCSPResponse');
  const tbs = basic.take(tags.sequence);
  const signatureAlgorithm = basic.take(tags.sequence).bytes;
  const signature = decodeBitString(basic.take(tags.bitString));
  const certificates = readCertificates(basic.takeIf(contextTag(0)));
  basic.end();
  if (certificates.length > maxCertificates) throw invalid('It holds too many certificates.');
  return {
    der,
    tbs: tbs.bytes,
    signatureAlgorithm,
    signature,
    ...readResponseData(tbs),
    certificates: certificates.map((certificate) => certificate.bytes),
  };
}

/** `[0] EXPLICIT SEQUENCE OF Certificate OPTIONAL`. It isn't signed, so it is held to its form here. */
function readCertificates(node: DerNode | undefined): readonly DerNode[] {
  if (!node) return [];
  const [list, ...others] = node.children;
  if (list?.tag !== tags.sequence || others.length > 0) throw invalid('Its certificates are malformed.');
  return list.children;
}

function readResponseData(
  node: DerNode,
): Pick<OcspResponse, 'responderId' | 'producedAt' | 'responses' | 'nonce' | 'criticalExtensions'> {
  const fields = new DerFields(node, 'ResponseData');
  // DEFAULT v1; written out by some in spite of DER
  const version = fields.takeIf(contextTag(0))?.children[0];
  if (version && decodeInteger(version) !== 0n) throw invalid('It is not of version 1.');
  const responderId = readResponderId(fields.take());
  const producedAt = readGeneralizedTime(fields.take());
  const responses = fields.take(tags.sequence).children;
  const extensions = parseExtensionList(fields.takeIf(contextTag(1))?.children[0]);
  fields.end();
  if (responses.length > maxResponses) throw invalid('It speaks of too many certificates.');
  const nonce = extensions.find(({ oid }) => oid === ocspOids.nonce);
  return {
    responderId,
    producedAt,
    responses: responses.map(readSingleResponse),
    nonce: nonce && readNonce(nonce),
    criticalExtensions: listCritical(extensions).filter((oid) => oid !== ocspOids.nonce),
  };
}

/** byName [1] and byKey [2], both EXPLICIT. */
function readResponderId(node: DerNode): OcspResponderId {
  const [value, ...others] = node.children;
  if (!value || others.length > 0) throw invalid('It does not say who made it.');
  if (node.tag === contextTag(1)) return { kind: 'name', name: parseName(value) };
  if (node.tag === contextTag(2)) return { kind: 'key', keyHash: decodeOctetString(value) };
  throw invalid('It does not say who made it.');
}

function readSingleResponse(node: DerNode): OcspSingleResponse {
  const fields = new DerFields(node, 'SingleResponse');
  const certificateId = readCertificateId(fields.take(tags.sequence));
  const certificateStatus = readStatus(fields.take());
  const thisUpdate = readGeneralizedTime(fields.take());
  const nextUpdate = fields.takeIf(contextTag(0))?.children[0];
  const extensions = parseExtensionList(fields.takeIf(contextTag(1))?.children[0]);
  fields.end();
  return {
    certificateId,
    certificateStatus,
    thisUpdate,
    nextUpdate: nextUpdate && readGeneralizedTime(nextUpdate),
    criticalExtensions: listCritical(extensions),
  };
}

/** good [0] IMPLICIT NULL, revoked [1] IMPLICIT RevokedInfo, unknown [2] IMPLICIT NULL. */
function readStatus(node: DerNode): OcspCertificateStatus {
  if (node.tag === primitiveContextTag(0) && node.content.length === 0) return { status: 'good' };
  if (node.tag === primitiveContextTag(2) && node.content.length === 0) return { status: 'unknown' };
  if (node.tag !== contextTag(1)) throw invalid('It gives a status that does not exist.');
  const fields = new DerFields(node, 'RevokedInfo', contextTag(1));
  const time = readGeneralizedTime(fields.take());
  const reason = fields.takeIf(contextTag(0))?.children[0];
  fields.end();
  return { status: 'revoked', time, reason: reason && findRevocationReason(reason) };
}

function readGeneralizedTime(node: DerNode): Date {
  if (node.tag !== tags.generalizedTime) throw invalid('It has a time of the wrong type.');
  return decodeTime(node);
}

/**
 * RFC 9654 §2.1: the extension's value is an OCTET STRING. Responders older than RFC 8954 put the bare octets there: they
 * are the nonce then.
 */
function readNonce({ value }: Extension): Uint8Array {
  try {
    return decodeOctetString(readDer(value));
  } catch (error) {
    if (isSigillumError(error, 'pki_der_invalid')) return value;
    throw error;
  }
}

function listCritical(extensions: readonly Extension[]): readonly string[] {
  return extensions.filter(({ critical }) => critical).map(({ oid }) => oid);
}

function invalid(why: string): SigillumError {
  return new SigillumError('pki_ocsp_invalid', `The OCSP response can't be used. ${why}`);
}
