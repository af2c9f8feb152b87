import { isSigillumError, SigillumError } from '@sigillum/errors';
import { decodePem, parseCertificate } from '@sigillum/pki';
import { assertTlsFiles, readSecretFile, readTextFile } from '@sigillum/service-kit';
import type { Config } from './config.ts';
import { openFonts } from './open-fonts.ts';

/**
 * `--check-config` beyond the form: the files that the service reads at its start, but for the lists of revoked
 * certificates, which come later. It asks nothing over the network.
 * @throws SigillumError `config_invalid` with a sentence for each problem, never with what a file holds
 */
export function checkConfig(config: Config, now: Date): undefined {
  const { database, signer, tsas, revocation } = config;
  const secrets = [
    config.api_key_pepper_file,
    ...(database.password_file === undefined ? [] : [database.password_file]),
    ...tsas.flatMap(({ authorization }) =>
      authorization === undefined
        ? []
        : [authorization.kind === 'basic' ? authorization.password_file : authorization.value_file],
    ),
  ];
  const roots = [...tsas.flatMap((tsa) => [...tsa.roots, ...(tsa.tls_roots ?? [])]), ...(revocation?.roots ?? [])];
  const checks = [
    () => assertTlsFiles([signer], now),
    ...secrets.map((path) => () => void readSecretFile(path).fill(0)),
    () => void openFonts(config.fonts),
    ...[...new Set(roots)].map((path) => () => assertCertificates(path)),
  ];
  const problems = new Set(checks.flatMap((check) => findProblem(check)));
  if (problems.size > 0) throw new SigillumError('config_invalid', [...problems].join('\n'));
  return undefined;
}

function findProblem(check: () => void): string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (isSigillumError(error, 'config_invalid')) return error.message.split('\n');
    throw error;
  }
}

function assertCertificates(path: string): void {
  const text = readTextFile(path);
  for (const [index, certificate] of decodeCertificates(text, path).entries()) {
    try {
      parseCertificate(certificate);
    } catch (cause) {
      throw new SigillumError('config_invalid', `Certificate ${index + 1} in ${path} can't be parsed.`, { cause });
    }
  }
}

function decodeCertificates(text: string, path: string): readonly Uint8Array[] {
  try {
    return decodePem(text);
  } catch (cause) {
    throw new SigillumError('config_invalid', `There is no certificate (PEM) in ${path}.`, { cause });
  }
}
