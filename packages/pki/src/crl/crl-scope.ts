import { SigillumError } from '@sigillum/errors';
import { DerFields } from '../der/der-fields.ts';
import type { DerNode } from '../der/read-der.ts';
import { contextTag, primitiveContextTag } from '../der/tags.ts';
import type { Certificate } from '../x509/certificate.ts';
import type { CrlScope } from './certificate-list.ts';

const uriTag = primitiveContextTag(6);

/**
 * IssuingDistributionPoint (RFC 5280 §5.2.5). Indirect CRLs, those of some reasons and of attribute certificates only, and
 * points named relative to the issuer are refused as `pki_crl_unsupported`.
 */
export function parseCrlScope(node: DerNode): CrlScope {
  const fields = new DerFields(node, 'IssuingDistributionPoint');
  const point = fields.takeIf(contextTag(0));
  const onlyUsers = readFlag(fields.takeIf(primitiveContextTag(1)));
  const onlyCas = readFlag(fields.takeIf(primitiveContextTag(2)));
  const someReasons = fields.takeIf(primitiveContextTag(3));
  const isIndirect = readFlag(fields.takeIf(primitiveContextTag(4)));
  const onlyAttributes = readFlag(fields.takeIf(primitiveContextTag(5)));
  fields.end();
  if (isIndirect) throw unsupported('names certificates of other issuers (indirect CRL)');
  if (someReasons) throw unsupported('holds revocations for some reasons only');
  if (onlyAttributes) throw unsupported('is one of attribute certificates');
  if (onlyUsers && onlyCas) throw unsupported('claims to be of nothing');
  return {
    urls: point && readUrls(point),
    onlyContains: onlyUsers ? 'user-certificates' : onlyCas ? 'ca-certificates' : undefined,
  };
}

/** Whether a CRL of that scope speaks of the certificate (RFC 5280 §6.3.3 b 2). */
export function isInCrlScope(scope: CrlScope | undefined, certificate: Certificate): boolean {
  if (!scope) return true;
  const isCa = certificate.basicConstraints?.ca === true;
  if (scope.onlyContains === 'user-certificates' && isCa) return false;
  if (scope.onlyContains === 'ca-certificates' && !isCa) return false;
  return scope.urls === undefined || scope.urls.some((url) => certificate.crlUrls.includes(url));
}

function readUrls(point: DerNode): readonly string[] {
  const fullName = point.children[0];
  if (fullName?.tag !== contextTag(0)) throw unsupported('has a distribution point without a full name');
  return fullName.children
    .filter(({ tag }) => tag === uriTag)
    .map(({ content }) => Buffer.from(content).toString('latin1'));
}

/** `[n] IMPLICIT BOOLEAN DEFAULT FALSE`. */
function readFlag(node: DerNode | undefined): boolean {
  return node !== undefined && node.content[0] !== 0;
}

function unsupported(why: string): SigillumError {
  return new SigillumError('pki_crl_unsupported', `The CRL ${why}.`);
}
