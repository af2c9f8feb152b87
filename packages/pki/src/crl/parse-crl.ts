import { isSigillumError, SigillumError } from '@sigillum/errors';
import { equalBytes } from '../der/compare-bytes.ts';
import { decodeBitString, decodeInteger, decodeSmallInteger } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { readDer } from '../der/read-der.ts';
import { contextTag, tags } from '../der/tags.ts';
import { parseName } from '../x509/distinguished-name.ts';
import { crlExtensionOids, extensionOids } from '../x509/extension-oids.ts';
import { parseAuthorityKeyIdentifier, parseExtensionList } from '../x509/parse-extensions.ts';
import { assertUnderstood } from './assert-understood.ts';
import type { CertificateList } from './certificate-list.ts';
import { parseCrlScope } from './crl-scope.ts';
import { readRevokedCertificates } from './revoked-certificates.ts';

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

/** revokedCertificates: the SEQUENCE behind the times. It may be a million elements: `readRevokedCertificates` needs none of them. */
function isEntryList({ tag, depth, before }: { tag: number; depth: number; before: number }): boolean {
  return depth === 2 && tag === tags.sequence && (before === tags.utcTime || before === tags.generalizedTime);
}

function read(der: Uint8Array): CertificateList {
  const outer = new DerFields(readDer(der, { isLeft: isEntryList }), 'CertificateList');
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
  const revoked = readRevokedCertificates(tbs.takeIf(tags.sequence)?.content);
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
