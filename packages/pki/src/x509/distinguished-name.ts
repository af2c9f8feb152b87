import { SigillumError } from '@sigillum/errors';
import { decodeOid } from '../der/decode-der.ts';
import { DerFields } from '../der/der-fields.ts';
import { encodeOid, encodePrintableString, encodeSequence, encodeSet, encodeUtf8String } from '../der/encode-der.ts';
import { type DerNode, readDer } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';

/** One attribute of a name. `type` is one of our words for it, else its OID in dotted decimals. */
export type NameAttribute = { readonly type: string; readonly value: string };

/** A distinguished name (RFC 5280 §4.1.2.4). */
export type DistinguishedName = {
  /** RFC 4514 text, most specific first: `CN=…,O=…,C=FR`. For people; names are compared by `der`. */
  readonly text: string;
  readonly der: Uint8Array;
  /** In the order of the encoding, country first as a rule. */
  readonly attributes: readonly NameAttribute[];
};

type AttributeKind = {
  readonly type: string;
  readonly oid: string;
  /** Short form for RFC 4514 text; without one the OID stands there. */
  readonly short: string;
  /** Upper bound in characters (RFC 5280 appendix A.1, X.520). */
  readonly maxLength: number;
  readonly string: 'printable' | 'utf8';
};

const kinds: readonly AttributeKind[] = [
  { type: 'country', oid: '2.5.4.6', short: 'C', maxLength: 2, string: 'printable' },
  { type: 'state', oid: '2.5.4.8', short: 'ST', maxLength: 128, string: 'utf8' },
  { type: 'locality', oid: '2.5.4.7', short: 'L', maxLength: 128, string: 'utf8' },
  { type: 'organization', oid: '2.5.4.10', short: 'O', maxLength: 64, string: 'utf8' },
  { type: 'organizational_unit', oid: '2.5.4.11', short: 'OU', maxLength: 64, string: 'utf8' },
  // EN 319 412-3 §4.2.1: legal persons are identified by organizationIdentifier (X.520 §6.4.4)
  { type: 'organization_identifier', oid: '2.5.4.97', short: '2.5.4.97', maxLength: 256, string: 'utf8' },
  { type: 'serial_number', oid: '2.5.4.5', short: '2.5.4.5', maxLength: 64, string: 'printable' },
  { type: 'given_name', oid: '2.5.4.42', short: '2.5.4.42', maxLength: 64, string: 'utf8' },
  { type: 'surname', oid: '2.5.4.4', short: '2.5.4.4', maxLength: 64, string: 'utf8' },
  { type: 'common_name', oid: '2.5.4.3', short: 'CN', maxLength: 64, string: 'utf8' },
];

const byType = new Map(kinds.map((kind) => [kind.type, kind]));
const byOid = new Map(kinds.map((kind) => [kind.oid, kind]));

/** A name from its attributes, one to each RDN, in the given order. Throws `pki_request_invalid`. */
export function encodeName(attributes: readonly NameAttribute[]): Uint8Array {
  return encodeSequence(
    ...attributes.map(({ type, value }) => {
      const kind = byType.get(type);
      if (!kind) throw new SigillumError('pki_request_invalid', `A subject can't have the attribute ${type}.`);
      if (value === '' || [...value].length > kind.maxLength || hasControlCharacter(value)) {
        throw new SigillumError(
          'pki_request_invalid',
          `The subject's ${type} must have 1 to ${kind.maxLength} characters and no control characters.`,
        );
      }
      const encode = kind.string === 'printable' ? encodePrintableString : encodeUtf8String;
      return encodeSet(encodeSequence(encodeOid(kind.oid), encode(value)));
    }),
  );
}

/** Reads a name. Values in a string type that we don't know are kept as `#` and hex (RFC 4514 §2.4). */
export function parseName(node: DerNode): DistinguishedName {
  if (node.tag !== tags.sequence) throw new SigillumError('pki_certificate_invalid', 'A name has the wrong type.');
  const rdns = node.children.map((rdn) => {
    if (rdn.tag !== tags.set || rdn.children.length === 0) {
      throw new SigillumError('pki_certificate_invalid', 'A relative distinguished name is empty.');
    }
    return rdn.children.map((attribute) => {
      const fields = new DerFields(attribute, 'AttributeTypeAndValue');
      const oid = decodeOid(fields.take(tags.oid));
      const value = decodeDirectoryString(fields.take());
      fields.end();
      return { kind: byOid.get(oid), oid, value };
    });
  });
  return {
    text: rdns
      .toReversed()
      .map((rdn) => rdn.map(({ kind, oid, value }) => `${kind?.short ?? oid}=${escapeValue(value)}`).join('+'))
      .join(','),
    der: node.bytes,
    attributes: rdns.flat().map(({ kind, oid, value }) => ({ type: kind?.type ?? oid, value })),
  };
}

/** A name from its attributes, as {@link parseName} gives it. */
export function createName(attributes: readonly NameAttribute[]): DistinguishedName {
  return parseName(readDer(encodeName(attributes)));
}

function decodeDirectoryString(node: DerNode): string {
  const content = Buffer.from(node.content.buffer, node.content.byteOffset, node.content.byteLength);
  switch (node.tag) {
    case tags.utf8String:
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(content);
      } catch (cause) {
        throw new SigillumError('pki_certificate_invalid', 'A name holds bytes that are not UTF-8.', { cause });
      }
    case tags.printableString:
    case tags.ia5String:
    case tags.teletexString:
      return content.toString('latin1');
    case tags.bmpString:
      return Buffer.from(content.subarray(0, content.length & ~1))
        .swap16()
        .toString('utf16le');
    default:
      return `#${Buffer.from(node.bytes).toString('hex')}`;
  }
}

/** RFC 4514 §2.4. */
function escapeValue(value: string): string {
  return value
    .replace(/[\\",+;<>]/g, (character) => `\\${character}`)
    .replace(/^[ #]/, (character) => `\\${character}`)
    .replace(/ $/, '\\ ')
    .replaceAll('\u0000', '\\00');
}

function hasControlCharacter(value: string): boolean {
  return [...value].some((character) => (character.codePointAt(0) ?? 0) < 0x20 || character === '\u007f');
}
