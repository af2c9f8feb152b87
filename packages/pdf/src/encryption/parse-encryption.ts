import { SigillumError } from '@sigillum/errors';
import { PdfDict, PdfName, type PdfObject, PdfReal, PdfString } from '../objects/pdf-object.ts';
import { assertNoDuplicates } from '../objects/take.ts';
import type { CryptMethod } from './crypt-method.ts';

/** An encryption dictionary of the standard security handler (ISO 32000-2 tables 20 and 21), checked and typed. */
export type Encryption = {
  readonly version: 1 | 2 | 4 | 5;
  readonly revision: 2 | 3 | 4 | 5 | 6;
  /** Lengths of the file's key that are possible, in bytes, the declared one first; `/U` tells which one it is. */
  readonly keyLengths: readonly number[];
  /** `/O` and `/U`: 32 bytes, from revision 5 on 48. */
  readonly owner: Uint8Array;
  readonly user: Uint8Array;
  /** `/OE`, `/UE` (32 bytes) and `/Perms` (16 bytes); empty before revision 5. */
  readonly ownerKey: Uint8Array;
  readonly userKey: Uint8Array;
  readonly permissionCheck: Uint8Array;
  /** `/P` as a signed integer of 32 bits. */
  readonly permissions: number;
  readonly encryptMetadata: boolean;
  readonly strings: CryptMethod;
  readonly streams: CryptMethod;
  readonly embeddedFiles: CryptMethod;
  /** Every crypt filter by its name, Identity among them; streams may choose another one than `/StmF`. */
  readonly filters: ReadonlyMap<string, CryptMethod>;
};

type Find = (dict: PdfDict, key: string) => PdfObject | undefined;

/**
 * @param find gives the value of a key with references followed
 * @throws SigillumError `pdf_encryption_public_key`, `pdf_encryption_unknown`, `pdf_encryption_damaged`, `pdf_key_duplicate`
 */
export function parseEncryption(dict: PdfDict, find: Find): Encryption {
  assertNoDuplicates(dict, 'The encryption dictionary');
  assertStandardHandler(find(dict, 'Filter'));
  const version = find(dict, 'V') ?? 0;
  const revision = find(dict, 'R');
  if (!isVersion(version) || !isRevision(revision) || (version === 5) !== revision >= 5) {
    throw new SigillumError(
      'pdf_encryption_unknown',
      'The PDF is encrypted in a way that is not in the PDF standard. Remove its protection and try again.',
    );
  }
  const isNew = revision >= 5;
  const filters = version >= 4 ? readFilters(dict, find, version) : new Map<string, CryptMethod>();
  const streams = version < 4 ? 'rc4' : readFilterName(dict, 'StmF', filters, find, 'identity');
  return {
    version,
    revision,
    keyLengths: isNew ? [32] : listKeyLengths(dict, find, version, revision),
    owner: readBytes(dict, 'O', find, isNew ? 48 : 32),
    user: readBytes(dict, 'U', find, isNew ? 48 : 32),
    ownerKey: isNew ? readBytes(dict, 'OE', find, 32) : noBytes,
    userKey: isNew ? readBytes(dict, 'UE', find, 32) : noBytes,
    permissionCheck: isNew ? readBytes(dict, 'Perms', find, 16) : noBytes,
    permissions: readPermissions(find(dict, 'P')),
    encryptMetadata: version < 4 || find(dict, 'EncryptMetadata') !== false,
    strings: version < 4 ? 'rc4' : readFilterName(dict, 'StrF', filters, find, 'identity'),
    streams,
    embeddedFiles: version < 4 ? 'rc4' : readFilterName(dict, 'EFF', filters, find, streams),
    filters,
  };
}

const noBytes = new Uint8Array(0);

function assertStandardHandler(filter: PdfObject | undefined): void {
  if (!(filter instanceof PdfName)) throw damaged('names no security handler');
  if (filter.value === 'Standard') return;
  // Adobe.PubSec and its relatives: only who holds a recipient's private key can read it
  throw new SigillumError(
    'pdf_encryption_public_key',
    'The PDF is encrypted for certain recipients, not with a password. Remove its protection and try again.',
  );
}

function isVersion(value: PdfObject): value is Encryption['version'] {
  return value === 1 || value === 2 || value === 4 || value === 5;
}

function isRevision(value: PdfObject | undefined): value is Encryption['revision'] {
  return value === 2 || value === 3 || value === 4 || value === 5 || value === 6;
}

/**
 * `/Length` is in bits, writers put bytes there or forget it; revision 2 always has 40 bits, version 4 always 128. What
 * follows the declared length is tried as well: `/U` proves which one is right.
 */
function listKeyLengths(dict: PdfDict, find: Find, version: number, revision: number): readonly number[] {
  const declared = find(dict, 'Length');
  const length = typeof declared === 'number' ? (declared < 40 ? declared : Math.floor(declared / 8)) : 5;
  const likely = revision === 2 || version === 1 ? [5, length, 16] : version === 4 ? [16, length, 5] : [length, 16, 5];
  return [...new Set(likely)].filter((bytes) => bytes >= 5 && bytes <= 16);
}

/** §7.6.6: `/CF`, and Identity, which nobody may redefine. */
function readFilters(dict: PdfDict, find: Find, version: number): ReadonlyMap<string, CryptMethod> {
  const filters = new Map<string, CryptMethod>();
  const all = find(dict, 'CF');
  if (all !== undefined && !(all instanceof PdfDict)) throw damaged('has crypt filters of another type');
  if (all !== undefined) {
    assertNoDuplicates(all, 'The crypt filters');
    for (const [name] of all.entries()) {
      const filter = find(all, name);
      if (!(filter instanceof PdfDict)) throw damaged('has a crypt filter of another type');
      assertNoDuplicates(filter, 'A crypt filter');
      filters.set(name, toMethod(find(filter, 'CFM'), version));
    }
  }
  return filters.set('Identity', 'identity');
}

function toMethod(value: PdfObject | undefined, version: number): CryptMethod {
  const name = value === undefined ? 'None' : value instanceof PdfName ? value.value : '';
  if (name === 'None') return 'identity';
  if (name === 'V2' && version === 4) return 'rc4';
  if (name === 'AESV2' && version === 4) return 'aes-128';
  if (name === 'AESV3' && version === 5) return 'aes-256';
  throw new SigillumError(
    'pdf_encryption_unknown',
    'The PDF is encrypted with a cipher that is not in the PDF standard. Remove its protection and try again.',
  );
}

function readFilterName(
  dict: PdfDict,
  key: string,
  filters: ReadonlyMap<string, CryptMethod>,
  find: Find,
  otherwise: CryptMethod,
): CryptMethod {
  const name = find(dict, key);
  if (name === undefined) return otherwise;
  const method = name instanceof PdfName ? filters.get(name.value) : undefined;
  if (method === undefined) throw damaged(`names a crypt filter in /${key} that it does not define`);
  return method;
}

/** Some writers pad them to 127 bytes. */
function readBytes(dict: PdfDict, key: string, find: Find, length: number): Uint8Array {
  const value = find(dict, key);
  if (!(value instanceof PdfString) || value.bytes.length < length) throw damaged(`has no proper /${key}`);
  return value.bytes.subarray(0, length);
}

/** Signed or, from some writers, unsigned. */
function readPermissions(value: PdfObject | undefined): number {
  const number = value instanceof PdfReal ? value.value : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) throw damaged('has no permissions');
  return number | 0;
}

function damaged(how: string): SigillumError {
  return new SigillumError(
    'pdf_encryption_damaged',
    `The PDF is encrypted, but its encryption dictionary ${how}. Save it again and try again.`,
  );
}
