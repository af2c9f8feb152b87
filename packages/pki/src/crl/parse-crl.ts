import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeBitString, decodeInteger, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { parseName } from '../x509/distinguished-name.ts';
import { extensionOids } from '../x509/extension-oids.ts';
import { formatSerialNumber } from '../x509/parse-certificate.ts';
import { parseAuthorityKeyIdentifier, parseExtensionList } from '../x509/parse-extensions.ts';
import type { CertificateList, RevokedCertificate } from './certificate-list.ts';
import { type RevocationReason, revocationReasons } from './revocation-reason.ts';

/** Seven elements for each entry: room for about 280,000 revoked certificates, four times the largest CRL met. */
const maxElements = 2_000_000;

const reasonNames = new Map<number, RevocationReason>(
  Object.entries(revocationReasons).map(([name, number]) => [number, name as RevocationReason]),
);

/**
 * Reads a full, direct CRL of version 2. Delta and indirect CRLs, and any critical extension, are refused: reading
 * them as a full CRL would call a revoked certificate good (RFC 5280 §5.2). Throws `pki_crl_invalid`.
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
  const critical = extensions.find((extension) => extension.critical);
  if (critical) throw new SigillumError('pki_crl_invalid', `The CRL has the critical extension ${critical.oid}.`);
  const find = (oid: string) => extensions.find((extension) => extension.oid === oid)?.value;
  const number = find(extensionOids.crlNumber);
  const akid = find(extensionOids.authorityKeyIdentifier);
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
    revoked,
  };
}

function parseEntries(node: DerNode | undefined): ReadonlyMap<string, RevokedCertificate> {
  const revoked = new Map<string, RevokedCertificate>();
  for (const entry of node?.children ?? []) {
    const fields = new DerFields(entry, 'revokedCertificate');
    const serialNumber = formatSerialNumber(fields.take(tags.integer));
    const time = decodeTime(fields.take());
    const extensions = parseExtensionList(fields.takeIf(tags.sequence));
    fields.end();
    const critical = extensions.find((extension) => extension.critical);
    if (critical) throw new SigillumError('pki_crl_invalid', `An entry has the critical extension ${critical.oid}.`);
    const reason = extensions.find(({ oid }) => oid === extensionOids.crlReason)?.value;
    revoked.set(serialNumber, { time, reason: reason && reasonNames.get(Number(decodeInteger(readDer(reason)))) });
  }
  return revoked;
}
