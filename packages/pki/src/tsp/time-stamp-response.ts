import { isSigillumError, SigillumError } from '@sigillum/errors';
import { decodeNamedBits, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeInteger, encodeNamedBits, encodeSequence, encodeUtf8String } from '../der/encode-der.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';
import { findPkiFailure, type PkiFailure, pkiFailures } from './pki-failure.ts';

/** PKIStatus (RFC 3161 §2.4.2). */
const granted = 0;
const grantedWithMods = 1;
const rejection = 2;

/** TimeStampResp with status granted. */
export function encodeTimeStampResponse(token: Uint8Array): Uint8Array {
  return encodeSequence(encodeSequence(encodeInteger(granted)), token);
}

/** TimeStampResp with status rejection, a sentence for people and the failure. */
export function encodeTimeStampFailure(failure: PkiFailure, text: string): Uint8Array {
  return encodeSequence(
    encodeSequence(
      encodeInteger(rejection),
      encodeSequence(encodeUtf8String(text)),
      encodeNamedBits([pkiFailures[failure]]),
    ),
  );
}

export type TimeStampResponse =
  | { readonly granted: true; readonly token: Uint8Array }
  | {
      readonly granted: false;
      readonly status: number;
      readonly failure: PkiFailure | undefined;
      readonly text: string;
    };

/** Texts of a status that we keep, in characters: enough to act on, too little to flood a log. */
const maxText = 500;

/** Reads a TimeStampResp; the token in it is not verified. Throws `pki_timestamp_response_invalid`. */
export function parseTimeStampResponse(der: Uint8Array): TimeStampResponse {
  try {
    const fields = new DerFields(readDer(der, { maxElements: 20_000 }), 'TimeStampResp');
    const info = new DerFields(fields.take(tags.sequence), 'PKIStatusInfo');
    const token = fields.takeIf(tags.sequence);
    fields.end();
    const status = decodeSmallInteger(info.take(tags.integer));
    const text = info.takeIf(tags.sequence);
    const failure = info.takeIf(tags.bitString);
    info.end();
    if (status === granted || status === grantedWithMods) {
      if (!token) throw new SigillumError('pki_timestamp_response_invalid', 'A time-stamp was granted but is missing.');
      return { granted: true, token: token.bytes };
    }
    if (token) throw new SigillumError('pki_timestamp_response_invalid', 'A refusal carries a time-stamp.');
    return { granted: false, status, failure: failure && findFailure(failure), text: text ? readText(text) : '' };
  } catch (error) {
    if (!isSigillumError(error, 'pki_der_invalid')) throw error;
    throw new SigillumError(
      'pki_timestamp_response_invalid',
      `The time-stamp response is malformed. ${error.message}`,
      {
        cause: error,
      },
    );
  }
}

function findFailure(node: DerNode): PkiFailure | undefined {
  for (const bit of decodeNamedBits(node)) {
    const failure = findPkiFailure(bit);
    if (failure) return failure;
  }
  return undefined;
}

/** PKIFreeText ::= SEQUENCE OF UTF8String, without control characters. */
function readText(node: DerNode): string {
  const text = node.children.map((child) => Buffer.from(child.content).toString('utf8')).join(' ');
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, maxText);
}
