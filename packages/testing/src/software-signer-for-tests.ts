import { execFileSync } from 'node:child_process';
import { constants, createECDH, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** DigestInfo before a SHA-256 digest (RFC 8017 §9.2, note 1). */
const sha256DigestInfo = Buffer.from('3031300d060960864801650304020105000420', 'hex');

const curves = {
  prime256v1: { size: 32, order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  secp384r1: {
    size: 48,
    order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
} as const;

/**
 * Signs bare digests with a key in memory, where the product has the signing daemon. node:crypto only signs messages, so
 * ECDSA is calculated here and PSS is left to OpenSSL's command line. For tests alone: nothing in it is constant in time.
 */
export class SoftwareSignerForTests {
  readonly #key: KeyObject;
  readonly #scheme: 'ecdsa' | 'rsassa-pss' | 'rsassa-pkcs1-v1_5';

  constructor(key: KeyObject, scheme: 'ecdsa' | 'rsassa-pss' | 'rsassa-pkcs1-v1_5') {
    this.#key = key;
    this.#scheme = scheme;
  }

  sign(digest: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(this.signSync(digest));
  }

  signSync(digest: Uint8Array): Uint8Array {
    if (this.#scheme === 'ecdsa') return signEcdsa(this.#key, digest);
    if (this.#scheme === 'rsassa-pss') return signPss(this.#key, digest);
    const info = Buffer.concat([sha256DigestInfo, digest]);
    return new Uint8Array(privateEncrypt({ key: this.#key, padding: constants.RSA_PKCS1_PADDING }, info));
  }
}

/** FIPS 186-5 §6.4.1, with a random k. */
function signEcdsa(key: KeyObject, digest: Uint8Array): Uint8Array {
  const name = key.asymmetricKeyDetails?.namedCurve;
  if (name !== 'prime256v1' && name !== 'secp384r1') throw new Error(`no curve for ECDSA: ${name}`);
  const { size, order } = curves[name];
  const privateValue = toNumber(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  for (;;) {
    const k = toNumber(randomBytes(size));
    if (k === 0n || k >= order) continue;
    const point = createECDH(name);
    point.setPrivateKey(Buffer.from(k.toString(16).padStart(size * 2, '0'), 'hex'));
    const r = toNumber(point.getPublicKey().subarray(1, 1 + size)) % order;
    const s = (invert(k, order) * (toNumber(digest.subarray(0, size)) + r * privateValue)) % order;
    if (r !== 0n && s !== 0n) return encodePair(r, s);
  }
}

function signPss(key: KeyObject, digest: Uint8Array): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'sigillum-pss-'));
  try {
    const keyFile = join(folder, 'key.pem');
    const digestFile = join(folder, 'digest');
    writeFileSync(keyFile, key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    writeFileSync(digestFile, digest);
    const options = ['digest:sha256', 'rsa_padding_mode:pss', 'rsa_pss_saltlen:digest', 'rsa_mgf1_md:sha256'];
    const flags = options.flatMap((option) => ['-pkeyopt', option]);
    return new Uint8Array(
      execFileSync('openssl', ['pkeyutl', '-sign', '-inkey', keyFile, '-in', digestFile, ...flags]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** By Euclid's extended algorithm; `modulus` is prime. */
function invert(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) {
    const quotient = b / a;
    [a, b, x, y] = [b % a, a, y - quotient * x, x];
  }
  return ((x % modulus) + modulus) % modulus;
}

/** ECDSA-Sig-Value in DER. */
function encodePair(r: bigint, s: bigint): Uint8Array {
  const parts = [r, s].map((value) => {
    const hex = value.toString(16);
    const magnitude = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
    const content = (magnitude[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), magnitude]) : magnitude;
    return Buffer.concat([Buffer.of(2, content.length), content]);
  });
  const body = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([Buffer.of(0x30, body.length), body]));
}
