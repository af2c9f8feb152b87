/** Kinds of key pairs that the product makes and uses. */
export type KeySpecName = 'p256' | 'p384' | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';

export type KeySpec = {
  readonly name: KeySpecName;
  readonly kind: 'ec' | 'rsa';
  /** Field size (EC) or modulus size (RSA), in bits. */
  readonly bits: number;
  /** Named curve, EC only (RFC 5480 §2.1.1.1). */
  readonly curve?: { readonly oid: string; readonly name: 'prime256v1' | 'secp384r1'; readonly der: Uint8Array };
};

const oidDer = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** Every key kind, by name. RSA always has the public exponent 65537. */
export const keySpecs: Readonly<Record<KeySpecName, KeySpec>> = {
  p256: {
    name: 'p256',
    kind: 'ec',
    bits: 256,
    curve: { oid: '1.2.840.10045.3.1.7', name: 'prime256v1', der: oidDer('06082a8648ce3d030107') },
  },
  p384: {
    name: 'p384',
    kind: 'ec',
    bits: 384,
    curve: { oid: '1.3.132.0.34', name: 'secp384r1', der: oidDer('06052b81040022') },
  },
  'rsa-2048': { name: 'rsa-2048', kind: 'rsa', bits: 2048 },
  'rsa-3072': { name: 'rsa-3072', kind: 'rsa', bits: 3072 },
  'rsa-4096': { name: 'rsa-4096', kind: 'rsa', bits: 4096 },
};

/** The key kind of that name, if there is one. */
export function findKeySpec(name: string): KeySpec | undefined {
  return Object.hasOwn(keySpecs, name) ? keySpecs[name as KeySpecName] : undefined;
}
