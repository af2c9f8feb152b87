import { formatUuid, uuidToBytes } from './uuid-v7.ts';

/** What an id names; the part before the underscore. */
export type IdPrefix = 'org' | 'key' | 'cred' | 'seal' | 'ext' | 'evt';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const valueOf = new Map<string, bigint>(alphabet.split('').map((character, index) => [character, BigInt(index)]));

/** 26 × 5 = 130 bits for 128: the first character only carries three. */
const length = 26;

/**
 * The public form of a UUID: `seal_` and 26 characters of Crockford's base32, upper case, most significant first.
 *
 * @example encodeId('seal', '0199b3c1-7d2e-7c3a-9a55-3f0e9b1d2c4f')
 */
export function encodeId(prefix: IdPrefix, uuid: string): string {
  let value = BigInt(`0x${Buffer.from(uuidToBytes(uuid)).toString('hex')}`);
  let text = '';
  for (let index = 0; index < length; index += 1) {
    text = alphabet.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return `${prefix}_${text}`;
}

/**
 * The UUID of a public id, or undefined when the text is not exactly what {@link encodeId} writes: other prefixes,
 * lower case and look-alikes (I, L, O) are no second spelling of the same thing.
 */
export function findUuid(prefix: IdPrefix, text: string): string | undefined {
  if (!text.startsWith(`${prefix}_`)) return undefined;
  const characters = text.slice(prefix.length + 1);
  if (characters.length !== length) return undefined;
  let value = 0n;
  for (const character of characters) {
    const digit = valueOf.get(character);
    if (digit === undefined) return undefined;
    value = (value << 5n) | digit;
  }
  if (value >> 128n !== 0n) return undefined;
  return formatUuid(Buffer.from(value.toString(16).padStart(32, '0'), 'hex'));
}
