import { decodeInteger } from '../der/decode-der.ts';
import type { DerNode } from '../der/read-der.ts';

/** CRLReason (RFC 5280 §5.3.1) by number; 7 is not used. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  certificateHold: 6,
  removeFromCRL: 8,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const;

export type RevocationReason = keyof typeof revocationReasons;

const byNumber = new Map<number, RevocationReason>(
  Object.entries(revocationReasons).map(([name, number]) => [number, name as RevocationReason]),
);

/** The reason in a CRLReason, ENUMERATED; undefined for a number that has no name. */
export function findRevocationReason(node: DerNode): RevocationReason | undefined {
  return byNumber.get(Number(decodeInteger(node)));
}
