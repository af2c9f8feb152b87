import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeBitString, decodeInteger, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { parseName } from '../x509/distinguished-name.ts';
import { crlExtensionOids, extensionOids } from '../x509/extension-oids.ts';
import { formatSerialNumber } from '../x509/parse-certificate.ts';
import { type Extension, parseAuthorityKeyIdentifier, parseExtensionList } from '../x509/parse-extensions.ts';
import type { CertificateList, RevokedCertificate } from './certificate-list.ts';
import { parseCrlScope } from './crl-scope.ts';
import { findRevocationReason } from './revocation-reason.ts';

/** Seven elements for each entry: room for about 280,000 revoked certificates, four times the largest CRL met. */
const maxElements = 2_000_000;

/**
 * Reads a direct CRL of version 2: of all certificates of its issuer, or of a part of them (`scope`). Delta and indirect
 * CRLs, those of some reasons only, and any other critical extension are refused as `pki_crl_unsupported`: reading them as
 * a full CRL would call a revoked certificate good (RFC 5280 §5.2). Throws `pki_crl_invalid` for everything else.
 */
export function parseCrl(der: Uint8Array): CertificateList {
  try {
    return read(der);
  } catch (error) {
    if (isSigillumError(error, 'pki_der_invalid', 'pki_certificate_invalid')) {
      throw new SigillumError('pki_crl_invalid', `The CRL can't be read: ${error.message}`, { cause: error });
    }
    throw error;
  }
}

function read(der: Uint8Array): CertificateList {
  const outer = new DerFields(readDer(der, { maxElements }), 'CertificateList');
  const tbsNode = outer.take(tags.sequence);
  const signatureAlgorithm = outer.take(tags.sequence);
  const signature = decodeBitString(outer.take(tags.bitString));
  outer.end();
  const tbs = new DerFields(tbsNode, 'TBSCertList');
  if (decodeSmallInteger(tbs.take(tags.integer)) !== 1) {
    throw new SigillumError('pki_crl_invalid', 'The CRL is not of version 2.');
  }
  if (!equalBytes(tbs.take(tags.sequence).bytes, signatureAlgorithm.bytes)) {
    throw new SigillumError('pki_crl_invalid', 'The CRL names two different signature algorithms.');
  }
  const issuer = parseName(tbs.take(tags.sequence));
  const thisUpdate = decodeTime(tbs.take());
  const nextUpdate = tbs.takeIf(tags.utcTime) ?? tbs.takeIf(tags.generalizedTime);
  if (!nextUpdate) throw new SigillumError('pki_crl_invalid', 'The CRL does not say when the next one comes.');
  const revoked = parseEntries(tbs.takeIf(tags.sequence));
  const extensions = parseExtensionList(tbs.takeIf(contextTag(0))?.children[0]);
  tbs.end();
  assertUnderstood('The CRL', extensions);
  const find = (oid: string) => extensions.find((extension) => extension.oid === oid)?.value;
  const number = find(extensionOids.crlNumber);
  const akid = find(extensionOids.authorityKeyIdentifier);
  const point = find(crlExtensionOids.issuingDistributionPoint);
  return {
    der,
    tbs: tbsNode.bytes,
    signatureAlgorithm: signatureAlgorithm.bytes,
    signature,
    issuer,
    thisUpdate,
    nextUpdate: decodeTime(nextUpdate),
    number: number && decodeInteger(readDer(number)),
    akid: akid && parseAuthorityKeyIdentifier(readDer(akid)),
    scope: point && parseCrlScope(readDer(point)),
    revoked,
  };
}

function parseEntries(node: DerNode | undefined): ReadonlyMap<string, RevokedCertificate> {
  const revoked = new Map<string, RevokedCertificate>();
  for (const entry of node?.children ?? []) {
    const fields = new DerFields(entry, 'revokedCertificate');
    const serialNumber = formatSerialNumber(fields.take(tags.integer));
    const time = decodeTime(fields.take());
    const given = fields.takeIf(tags.sequence);
    fields.end();
    if (given === undefined) {
      revoked.set(serialNumber, { time, reason: undefined });
      continue;
    }
    const extensions = parseExtensionList(given);
    assertUnderstood('An entry of the CRL', extensions);
    const reason = extensions.find(({ oid }) => oid === extensionOids.crlReason)?.value;
    revoked.set(serialNumber, { time, reason: reason && findRevocationReason(readDer(reason)) });
  }
  return revoked;
}

/** A delta CRL is refused by its OID too: nothing binds a CA to mark it critical but the standard. */
function assertUnderstood(what: string, extensions: readonly Extension[]): void {
  const strange = extensions.find(
    ({ oid, critical }) =>
      oid === crlExtensionOids.deltaCrlIndicator || (critical && oid !== crlExtensionOids.issuingDistributionPoint),
  );
  if (strange?.oid === crlExtensionOids.deltaCrlIndicator) {
    throw new SigillumError('pki_crl_unsupported', 'The CRL holds only what changed since another one (delta CRL).');
  }
  if (strange) throw new SigillumError('pki_crl_unsupported', `${what} has the critical extension ${strange.oid}.`);
}
