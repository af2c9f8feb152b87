import { hash } from 'node:crypto';

/** Domain separation: the hash of an event can't be taken for that of anything else. */
const eventPrefix = Uint8Array.of(0x01);

/** The hash before the first event: SHA-256 of the chain's id in UTF-8. */
export function startOfChain(chainId: string): Uint8Array {
  return hash('sha256', chainId, 'buffer');
}

/** SHA-256(0x01 ‖ previous ‖ event bytes); `eventBytes` is canonical JSON, `previous` has 32 bytes. */
export function nextHash(previous: Uint8Array, eventBytes: Uint8Array): Uint8Array {
  return hash('sha256', Buffer.concat([eventPrefix, previous, eventBytes]), 'buffer');
}
