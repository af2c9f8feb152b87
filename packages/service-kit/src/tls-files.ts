import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { readSecretFile, readTextFile } from './read-secret-file.ts';

/** PEM files: our chain with our own certificate first, its key, and whom we believe on the other side. */
export type TlsPaths = { readonly certificate: string; readonly key: string; readonly roots?: string | undefined };

/** What is in them. */
export type TlsTexts = { readonly certificate: string; readonly key: string; readonly roots: string | undefined };

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/**
 * Reads the files, and refuses what OpenSSL takes in silence: a list of roots without one (with an empty file Node would
 * believe every public authority), a key of another certificate. It doesn't look at the clock.
 * @throws SigillumError `config_invalid` with a sentence for each problem
 */
export function readTlsFiles(paths: TlsPaths): TlsTexts {
  const { texts, problems } = inspect(paths, undefined);
  if (texts === undefined || problems.length > 0) throw new SigillumError('config_invalid', problems.join('\n'));
  return texts;
}

/** The same for `--check-config`, of several at once and with the times of the certificates. @throws as {@link readTlsFiles} */
export function assertTlsFiles(all: readonly TlsPaths[], now: Date): void {
  const problems = all.flatMap((paths) => inspect(paths, now).problems);
  // The same roots may stand in several places.
  if (problems.length > 0) throw new SigillumError('config_invalid', [...new Set(problems)].join('\n'));
}

function inspect(paths: TlsPaths, now: Date | undefined): { texts: TlsTexts | undefined; problems: readonly string[] } {
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!isSigillumError(error, 'config_invalid')) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const certificate = attempt(() => readTextFile(paths.certificate));
  const key = attempt(() => readSecretFile(paths.key).toString('utf8'));
  const roots = attempt(() => (paths.roots === undefined ? undefined : readTextFile(paths.roots)));
  const own = certificate === undefined ? [] : attempt(() => parseCertificates(certificate, paths.certificate));
  const secret = key === undefined ? undefined : attempt(() => parseKey(key, paths.key));
  const anchors = roots === undefined ? [] : attempt(() => parseCertificates(roots, paths.roots ?? ''));
  const leaf = own?.[0];
  if (leaf && secret && !leaf.checkPrivateKey(secret)) {
    problems.push(`The key in ${paths.key} is not that of the certificate in ${paths.certificate}.`);
  }
  if (now && leaf) problems.push(...findTimeProblem(leaf, paths.certificate, now));
  // A list may hold roots that are over, or not yet in use, as long as one is.
  if (
    now &&
    anchors &&
    paths.roots !== undefined &&
    anchors.every((root) => findTimeProblem(root, '', now).length > 0)
  ) {
    if (anchors.length > 0) problems.push(`No root in ${paths.roots} is valid at this time.`);
  }
  const isComplete = certificate !== undefined && key !== undefined;
  return { texts: isComplete ? { certificate, key, roots } : undefined, problems };
}

function parseCertificates(text: string, path: string): X509Certificate[] {
  const found = text.match(pemCertificate) ?? [];
  if (found.length === 0) throw new SigillumError('config_invalid', `There is no certificate (PEM) in ${path}.`);
  return found.map((pem, index) => {
    try {
      return new X509Certificate(pem);
    } catch (cause) {
      throw new SigillumError('config_invalid', `Certificate ${index + 1} in ${path} can't be parsed.`, { cause });
    }
  });
}

function parseKey(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // Without the cause: nothing about a key goes anywhere.
    throw new SigillumError('config_invalid', `There is no private key (PEM, not encrypted) in ${path}.`);
  }
}

function findTimeProblem({ validFromDate, validToDate }: X509Certificate, path: string, now: Date): string[] {
  if (now < validFromDate) return [`The certificate in ${path} is valid only from ${validFromDate.toISOString()}.`];
  if (now > validToDate) return [`The certificate in ${path} has expired at ${validToDate.toISOString()}.`];
  return [];
}
