import { SigillumError } from '@sigillum/errors';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { concatBytes } from '../der/concat-bytes.ts';
import { encodeTime } from '../der/der-time.ts';
import {
  encodeEnumerated,
  encodeExplicit,
  encodeInteger,
  encodeSequence,
  encodeUnsignedInteger,
} from '../der/encode-der.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { DigestSigner, MessageSigner } from '../x509/digest-signer.ts';
import { encodeAuthorityKeyIdentifier, encodeExtension } from '../x509/encode-extensions.ts';
import { extensionOids } from '../x509/extension-oids.ts';
import { computeKeyIdentifier } from '../x509/key-identifier.ts';
import { signStructure } from '../x509/sign-structure.ts';
import type { RevokedCertificate } from './certificate-list.ts';
import { parseCrl } from './parse-crl.ts';
import { revocationReasons } from './revocation-reason.ts';
import { verifyCrl } from './verify-crl.ts';

export type CrlRequest = {
  readonly issuer: Certificate;
  /** Grows with each CRL of the issuer (RFC 5280 §5.2.3). */
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** By serial number, lowercase hex. */
  readonly revoked: ReadonlyMap<string, RevokedCertificate>;
};

/**
 * Issues a full CRL. It is read again and verified before it is returned. Returns DER; throws `pki_request_invalid`,
 * `pki_signature_wrong`.
 */
export async function issueCrl(request: CrlRequest, signer: DigestSigner | MessageSigner): Promise<Uint8Array> {
  const { issuer, number, thisUpdate, nextUpdate } = request;
  // RFC 5280 §5.2.3: at most 20 octets
  if (number < 0n || number >= 1n << 159n)
    throw new SigillumError('pki_request_invalid', 'The CRL number is out of range.');
  if (nextUpdate <= thisUpdate) {
    throw new SigillumError('pki_request_invalid', 'The next update of a CRL must come after this one.');
  }
  const entries = [...request.revoked].map(([serialNumber, { time, reason }]) => {
    if (!/^([0-9a-f]{2}){1,20}$/.test(serialNumber)) {
      throw new SigillumError('pki_request_invalid', `${serialNumber} is not a serial number in lowercase hex.`);
    }
    // RFC 5280 §5.3.1: the extension should be absent instead of saying unspecified
    const extensions =
      reason === undefined || reason === 'unspecified'
        ? []
        : [
            encodeSequence(
              encodeExtension(extensionOids.crlReason, false, encodeEnumerated(revocationReasons[reason])),
            ),
          ];
    return encodeSequence(encodeUnsignedInteger(Buffer.from(serialNumber, 'hex')), encodeTime(time), ...extensions);
  });
  const tbs = encodeSequence(
    encodeInteger(1),
    getSignatureAlgorithm(signer.algorithm).identifierDer,
    issuer.subject.der,
    encodeTime(thisUpdate),
    encodeTime(nextUpdate),
    // RFC 5280 §5.1.2.6: absent when nothing is revoked
    ...(entries.length > 0 ? [encodeSequence(concatBytes(entries))] : []),
    encodeExplicit(
      0,
      encodeSequence(
        encodeAuthorityKeyIdentifier(issuer.skid ?? computeKeyIdentifier(issuer.spki)),
        encodeExtension(extensionOids.crlNumber, false, encodeInteger(number)),
      ),
    ),
  );
  const der = await signStructure(tbs, signer, issuer.publicKey);
  verifyCrl(parseCrl(der), issuer);
  return der;
}
