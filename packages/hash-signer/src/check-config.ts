import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { assertTlsFiles, loadConfig } from '@sigillum/service-kit';
import type { Config } from './config.ts';
import { loadServedKeys, type ServedKey } from './served-keys.ts';
import { chooseSizes } from './token-setup.ts';
import { vendorProfileSchema } from './vendor-profile.ts';

/** As the signer processes see it (signer/read-pin.ts). */
const MAX_PIN_FILE_BYTES = 1024;

/**
 * `--check-config` beyond the form: profile, manifests, TLS files, who may read the PINs, and names of keys that exist.
 * It loads no module and reads no PIN.
 * @throws SigillumError `config_invalid` with a sentence for each problem
 */
export function checkConfig(config: Config): undefined {
  const problems: string[] = [];
  const attempt = <T>(check: () => T): T | undefined => {
    try {
      return check();
    } catch (error) {
      if (!isSigillumError(error, 'config_invalid')) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const { profile: path, module, run_as } = config.pkcs11;
  const profile = attempt(() => (path ? loadConfig(path, vendorProfileSchema) : undefined));
  if (!existsSync(module)) problems.push(`There is no PKCS#11 module ${module}.`);
  for (const token of config.tokens) {
    const reserved = Object.values(token.reserved_lanes).reduce((sum, count) => sum + count, 0);
    if (reserved >= chooseSizes(token, profile).lanes) problems.push(`Every lane of ${token.label} is reserved.`);
    problems.push(...findPinProblem(token.pin_file, run_as !== undefined));
  }
  const { certificate, key, client_roots: roots } = config.tls;
  attempt(() => assertTlsFiles([{ certificate, key, roots }], new Date()));
  const keys = attempt(() => loadServedKeys(config.manifests, config.tokens));
  if (keys) problems.push(...findKeyProblems(config, keys));
  if (problems.length > 0) throw new SigillumError('config_invalid', problems.join('\n'));
  return undefined;
}

function findKeyProblems(config: Config, keys: readonly ServedKey[]): string[] {
  const problems: string[] = [];
  // A token without keys is one whose last was taken out of use: the others go on.
  if (keys.length === 0)
    problems.push(`No manifest in ${config.manifests} names a key on these tokens that is served.`);
  const known = new Set(keys.map(({ keyId }) => keyId));
  const named = [
    ...config.clients.flatMap(({ name, keys }) => (keys ?? []).map((keyId) => ({ name, keyId }))),
    ...config.rates.flatMap(({ key_id }) => (key_id === undefined ? [] : [{ name: 'rates', keyId: key_id }])),
  ];
  for (const { name, keyId } of named) {
    if (!known.has(keyId)) problems.push(`${name} names the key ${keyId}, for which there is no manifest.`);
  }
  return problems;
}

/** Not by reading it: that is for the signer processes, which may be another user. */
function findPinProblem(path: string, isOfAnotherUser: boolean): string[] {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return [`The PIN file ${path} is no file.`];
    if ((stat.mode & 0o077) !== 0) return [`The PIN file ${path} must be readable by its owner only: chmod 600`];
    if (stat.size === 0) return [`The PIN file ${path} is empty.`];
    if (stat.size > MAX_PIN_FILE_BYTES) return [`The PIN file ${path} is larger than 1 KiB: is it the right one?`];
    if (!isOfAnotherUser) accessSync(path, constants.R_OK);
    return [];
  } catch (error) {
    const code = Error.isError(error) && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [`There is no PIN file ${path}.`];
    // The folder may be closed to us when the file is somebody else's.
    return isOfAnotherUser ? [] : [`The PIN file ${path} can't be read.`];
  }
}
