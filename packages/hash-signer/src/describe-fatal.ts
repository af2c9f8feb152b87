import type { SignerFatal } from './signer-messages.ts';

/** A sentence for the operator; the HSM's own words never get here. */
export function describeFatal(fatal: SignerFatal, tokenLabel: string): string {
  const key = fatal.keyId === undefined ? '' : ` ${fatal.keyId}`;
  switch (fatal.reason) {
    case 'pin-rejected':
      return `The token ${tokenLabel} rejected the PIN. It is not tried again: put the right PIN into its file.`;
    case 'pin-unreadable':
      return `The PIN file of token ${tokenLabel} cannot be read, or others than its owner may read it.`;
    case 'key-missing':
      return `The key${key} of a manifest is not on the token ${tokenLabel}.`;
    case 'key-mismatch':
      return `The key${key} on the token ${tokenLabel} is not the one of its manifest.`;
    case 'verification-refused':
      return `The module of token ${tokenLabel} refuses C_CreateObject for a public session key, by which each ECDSA signature of the key${key} is verified. Use an RSA key there.`;
    case 'protocol':
      return `A signer process of token ${tokenLabel} and the daemon are not of the same release.`;
    case 'module-unusable':
      return 'The PKCS#11 module cannot be loaded or does not start.';
    case 'token-missing':
      return `There is no token ${tokenLabel} with the configured serial.`;
    case 'hang':
      return `An operation of the token ${tokenLabel} did not come back.`;
    case 'token-down':
      return `The token ${tokenLabel} is not available.`;
  }
}
