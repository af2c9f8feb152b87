import { readFileSync, statSync } from 'node:fs';
import { isSigillumError } from '@sigillum/errors';
import { type Certificate, type CertificateList, decodePem, parseCrl, verifyCrl } from '@sigillum/pki';
import type { Logger } from '@sigillum/service-kit';

type Entry = { version: string; list: CertificateList | undefined; readonly verifiedBy: Map<string, boolean> };

/** A CRL of ours has some hundred bytes per revoked certificate; a million of them is another product. */
const maxCrlBytes = 64 * 1024 * 1024;

/**
 * Our own CRLs, read from files again whenever one changes (they are replaced by rename). One that can't be read or is
 * malformed counts as missing, and is logged once.
 */
export class CrlFiles {
  readonly #logger: Logger;
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(paths: readonly string[], logger: Logger) {
    this.#logger = logger;
    this.#entries = new Map(paths.map((path) => [path, { version: '', list: undefined, verifiedBy: new Map() }]));
  }

  /** The newest list that this issuer signed, fresh or not; the caller knows the time. */
  find(issuer: Certificate): CertificateList | undefined {
    let newest: CertificateList | undefined;
    for (const [path, entry] of this.#entries) {
      this.#refresh(path, entry);
      if (entry.list === undefined || !this.#isSignedBy(entry, entry.list, issuer, path)) continue;
      if (newest === undefined || newest.thisUpdate < entry.list.thisUpdate) newest = entry.list;
    }
    return newest;
  }

  #refresh(path: string, entry: Entry): void {
    const version = readVersion(path);
    if (version === entry.version) return;
    entry.version = version;
    entry.verifiedBy.clear();
    try {
      entry.list = parseCrl(toDer(readFileSync(path)));
    } catch (error) {
      entry.list = undefined;
      this.#logger.warn('a CRL can not be used', { path, error });
    }
  }

  #isSignedBy(entry: Entry, list: CertificateList, issuer: Certificate, path: string): boolean {
    if (!Buffer.from(list.issuer.der).equals(issuer.subject.der)) return false;
    const key = Buffer.from(issuer.spki).toString('base64');
    const known = entry.verifiedBy.get(key);
    if (known !== undefined) return known;
    const verified = this.#verify(list, issuer, path);
    entry.verifiedBy.set(key, verified);
    return verified;
  }

  #verify(list: CertificateList, issuer: Certificate, path: string): boolean {
    try {
      verifyCrl(list, issuer);
      return true;
    } catch (error) {
      if (!isSigillumError(error)) throw error;
      this.#logger.warn('a CRL is not of its issuer', { path, error });
      return false;
    }
  }
}

function readVersion(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return size > maxCrlBytes ? 'too large' : `${mtimeMs}:${size}:${ino}`;
  } catch {
    return 'missing';
  }
}

/** Files may hold DER or PEM. */
function toDer(bytes: Buffer): Uint8Array {
  return bytes.subarray(0, 5).toString('latin1') === '-----'
    ? (decodePem(bytes.toString('utf8'), 'X509 CRL')[0] ?? bytes)
    : bytes;
}
