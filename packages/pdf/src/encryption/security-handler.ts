import { SigillumError } from '@sigillum/errors';
import {
  isPdfArray,
  PdfDict,
  PdfName,
  PdfNewStream,
  type PdfObject,
  type PdfRef,
  PdfStream,
} from '../objects/pdf-object.ts';
import { isName } from '../objects/take.ts';
import { type CryptMethod, decryptBytes, encryptBytes } from './crypt-method.ts';
import type { FileKey } from './file-key.ts';
import type { Encryption } from './parse-encryption.ts';
import { mapStrings } from './map-strings.ts';

export type Random = (length: number) => Uint8Array;
type Resolve = (value: PdfObject) => PdfObject;

/** The standard security handler (ISO 32000-2 §7.6.4), opened with the empty password: what every reader tries first. */
export class SecurityHandler {
  /** `/P`, or undefined for who opened it as its owner and may do everything. */
  readonly permissions: { readonly bits: number; readonly revision: number } | undefined;
  readonly #encryption: Encryption;
  readonly #key: Uint8Array;
  /** The number of the encryption dictionary: its strings are as they are (§7.6.2). */
  readonly #own: number | undefined;

  constructor(encryption: Encryption, { key, isOwner }: FileKey, ref: PdfRef | undefined) {
    this.permissions = isOwner ? undefined : { bits: encryption.permissions, revision: encryption.revision };
    this.#encryption = encryption;
    this.#key = key;
    this.#own = ref?.number;
  }

  /** An indirect object as parsed, with its strings decrypted; not for those of object streams, which are encrypted as a whole. */
  decryptObject(value: PdfObject, ref: PdfRef): PdfObject {
    const { strings } = this.#encryption;
    if (strings === 'identity' || ref.number === this.#own) return value;
    // §7.5.8.2: neither the data of a cross-reference stream nor the strings of its dictionary are encrypted
    if (value instanceof PdfStream && isName(value.dict.find('Type'), 'XRef')) return value;
    return mapStrings(value, (bytes) => decryptBytes(strings, this.#key, ref, bytes));
  }

  /** The data of a stream, filters not undone. */
  decryptStream(dict: PdfDict, ref: PdfRef, bytes: Uint8Array, resolve: Resolve): Uint8Array {
    return decryptBytes(this.#chooseMethod(dict, resolve), this.#key, ref, bytes);
  }

  /** An object to be written: its strings and, of a stream, its data are encrypted; placeholders stay. */
  encryptObject(value: PdfObject, ref: PdfRef, random: Random, resolve: Resolve): PdfObject {
    const { strings } = this.#encryption;
    const change = (bytes: Uint8Array): Uint8Array => encryptBytes(strings, this.#key, ref, bytes, random);
    if (!(value instanceof PdfNewStream)) return mapStrings(value, change);
    const dict = mapStrings(value.dict, change);
    if (!(dict instanceof PdfDict)) throw new TypeError('a dictionary became something else');
    const method = this.#chooseMethod(value.dict, resolve);
    return new PdfNewStream(dict, encryptBytes(method, this.#key, ref, value.data, random));
  }

  /** §7.6.6: the stream's own crypt filter, else the one for its kind. Cross-reference streams are never encrypted. */
  #chooseMethod(dict: PdfDict, resolve: Resolve): CryptMethod {
    const { version, filters, streams, embeddedFiles, encryptMetadata } = this.#encryption;
    const type = resolve(dict.find('Type') ?? null);
    if (isName(type, 'XRef')) return 'identity';
    if (version < 4) return streams;
    if (isName(first(dict, 'Filter', resolve), 'Crypt')) {
      const parameters = first(dict, 'DecodeParms', resolve);
      const name = parameters instanceof PdfDict ? resolve(parameters.find('Name') ?? null) : null;
      const method = filters.get(name instanceof PdfName ? name.value : 'Identity');
      if (method !== undefined) return method;
      throw new SigillumError('pdf_encryption_damaged', 'A stream of the PDF names a crypt filter that is not there.');
    }
    if (isName(type, 'EmbeddedFile')) return embeddedFiles;
    return isName(type, 'Metadata') && !encryptMetadata ? 'identity' : streams;
  }
}

function first(dict: PdfDict, key: string, resolve: Resolve): PdfObject {
  const value = resolve(dict.find(key) ?? null);
  return isPdfArray(value) ? resolve(value[0] ?? null) : value;
}
