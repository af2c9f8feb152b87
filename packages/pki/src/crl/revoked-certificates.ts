import { isSigillumError, SigillumError } from '@sigillum/errors';
import { DerFields } from '../der/der-fields.ts';
import { decodeTime } from '../der/der-time.ts';
import { type DerNode, readDer, readDerAt } from '../der/read-der.ts';
import { tags } from '../der/tags.ts';
import { extensionOids } from '../x509/extension-oids.ts';
import { formatSerialNumber } from '../x509/parse-certificate.ts';
import { parseExtensionList } from '../x509/parse-extensions.ts';
import { assertUnderstood } from './assert-understood.ts';
import type { RevokedCertificate, RevokedCertificates } from './certificate-list.ts';
import { findRevocationReason } from './revocation-reason.ts';

/** Usual entries count as three, others by what is in them: room for 280,000 and more, four times the largest CRL met. */
const maxElements = 2_000_000;
/** An entry is the third element from the outside of its list: what is left of the depth that a list may have. */
const maxEntryDepth = 29;
/** SEQUENCE, serial number of one octet, UTCTime. */
const smallestEntry = 20;
/** crlEntryExtensions with nothing but a reason code (RFC 5280 §5.3.1), but for its value. */
const reasonOnly = Uint8Array.of(0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01);

/**
 * Reads revokedCertificates (RFC 5280 §5.1.2.6) in one pass that keeps nothing but where each entry stands: a list may
 * have a hundred thousand, of which one is asked about. Entries of the usual form are looked at as bytes, as strictly as all
 * others, which are read as DER. Throws `pki_der_invalid`, `pki_certificate_invalid`, `pki_crl_unsupported`.
 */
export function readRevokedCertificates(entries: Uint8Array = new Uint8Array()): RevokedCertificates {
  const room = Math.ceil(entries.length / smallestEntry);
  const starts = new Uint32Array(room);
  const marks = new Uint32Array(room);
  let count = 0;
  let elements = 0;
  let problem: SigillumError | undefined;
  for (let start = 0; start < entries.length; ) {
    let end = findUsualEnd(entries, start);
    if (end === 0) {
      // what is no DER comes first, wherever it stands
      const node = readDerAt(entries, start, { maxDepth: maxEntryDepth, maxElements: maxElements - elements });
      end = start + node.bytes.length;
      elements += countElements(node);
      problem ??= findProblem(node);
    } else {
      elements += 3;
    }
    if (elements > maxElements) {
      throw new SigillumError('pki_der_invalid', 'The bytes are not valid DER: it has too many elements.');
    }
    if (problem === undefined) {
      starts[count] = start;
      marks[count] = readMark(entries, start);
      count++;
    }
    start = end;
  }
  if (problem !== undefined) throw problem;
  return new EntryIndex(entries, starts.slice(0, count), marks.slice(0, count));
}

class EntryIndex implements RevokedCertificates {
  readonly #entries: Uint8Array;
  readonly #starts: Uint32Array;
  /** The end of each serial number. */
  readonly #marks: Uint32Array;

  constructor(entries: Uint8Array, starts: Uint32Array, marks: Uint32Array) {
    this.#entries = entries;
    this.#starts = starts;
    this.#marks = marks;
  }

  get size(): number {
    return this.#starts.length;
  }

  has(serialNumber: string): boolean {
    return this.#find(serialNumber) !== undefined;
  }

  get(serialNumber: string): RevokedCertificate | undefined {
    const found = this.#find(serialNumber);
    return found && parseEntry(found).revoked;
  }

  *[Symbol.iterator](): Iterator<readonly [string, RevokedCertificate]> {
    for (const [index, start] of this.#starts.entries()) {
      const { serialNumber, revoked } = parseEntry(readDer(this.#entries.subarray(start, this.#starts[index + 1])));
      yield [serialNumber, revoked];
    }
  }

  #find(serialNumber: string): DerNode | undefined {
    const mark = Number.parseInt(serialNumber.slice(-8), 16);
    for (let at = this.#marks.lastIndexOf(mark); at >= 0; at = at === 0 ? -1 : this.#marks.lastIndexOf(mark, at - 1)) {
      const entry = readDer(this.#entries.subarray(this.#starts[at], this.#starts[at + 1]));
      if (parseEntry(entry).serialNumber === serialNumber) return entry;
    }
    return undefined;
  }
}

function parseEntry(entry: DerNode): { readonly serialNumber: string; readonly revoked: RevokedCertificate } {
  const fields = new DerFields(entry, 'revokedCertificate');
  const serialNumber = formatSerialNumber(fields.take(tags.integer));
  const time = decodeTime(fields.take());
  const given = fields.takeIf(tags.sequence);
  fields.end();
  if (given === undefined) return { serialNumber, revoked: { time, reason: undefined } };
  const extensions = parseExtensionList(given);
  assertUnderstood('An entry of the CRL', extensions);
  const reason = extensions.find(({ oid }) => oid === extensionOids.crlReason)?.value;
  return { serialNumber, revoked: { time, reason: reason && findRevocationReason(readDer(reason)) } };
}

function findProblem(entry: DerNode): SigillumError | undefined {
  try {
    parseEntry(entry);
    return undefined;
  } catch (error) {
    if (isSigillumError(error)) return error;
    throw error;
  }
}

function countElements(node: DerNode): number {
  return node.children.reduce((sum, child) => sum + countElements(child), 1);
}

/** The last four octets of the serial number of an entry that was looked at. */
function readMark(bytes: Uint8Array, start: number): number {
  // the entry's length, and then that of the serial number, may take more than one octet
  const serial = start + sizeOfHead(bytes, start);
  const content = serial + sizeOfHead(bytes, serial);
  let length = bytes[serial + 1] ?? 0;
  if (length >= 0x80) {
    length = 0;
    for (let at = serial + 2; at < content; at++) length = length * 256 + (bytes[at] ?? 0);
  }
  let mark = 0;
  for (let at = content + Math.max(0, length - 4); at < content + length; at++) mark = mark * 256 + (bytes[at] ?? 0);
  return mark;
}

function sizeOfHead(bytes: Uint8Array, start: number): number {
  const length = bytes[start + 1] ?? 0;
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

/** Where an entry ends that has the usual form and nothing wrong in it; 0 for any other, which isn't wrong for that. */
function findUsualEnd(bytes: Uint8Array, start: number): number {
  const length = bytes[start + 1] ?? 0x80;
  const end = start + 2 + length;
  if (bytes[start] !== tags.sequence || length >= 0x80 || end > bytes.length) return 0;
  const serialLength = bytes[start + 3] ?? 0;
  const serial = start + 4;
  if (bytes[start + 2] !== tags.integer || serialLength === 0 || serialLength >= 0x70) return 0;
  const first = bytes[serial] ?? 0;
  // X.690 §8.3.2: neither nine zeros nor nine ones lead
  if (serialLength > 1 && (first === 0 || first === 0xff) && (bytes[serial + 1] ?? 0) >= 0x80 === (first === 0xff)) {
    return 0;
  }
  const time = serial + serialLength;
  const after = time + 15;
  if (after > end || bytes[time] !== tags.utcTime || bytes[time + 1] !== 13 || !isUsualTime(bytes, time + 2)) return 0;
  if (after === end) return end;
  if (end - after !== reasonOnly.length + 1) return 0;
  for (let index = 0; index < reasonOnly.length; index++) if (bytes[after + index] !== reasonOnly[index]) return 0;
  return end;
}

/** YYMMDDhhmmssZ; the last days of a month are left to those who know the months. */
function isUsualTime(bytes: Uint8Array, start: number): boolean {
  if (bytes[start + 12] !== 0x5a) return false;
  for (let index = 0; index < 12; index++) {
    const code = bytes[start + index] ?? 0;
    if (code < 0x30 || code > 0x39) return false;
  }
  const pair = (index: number): number => (bytes[start + index] ?? 0) * 10 + (bytes[start + index + 1] ?? 0) - 528;
  const [month, day] = [pair(2), pair(4)];
  const isDay = month >= 1 && month <= 12 && day >= 1 && (day <= 28 || (day <= 30 && month !== 2));
  return isDay && pair(6) < 24 && pair(8) < 60 && pair(10) < 60;
}
