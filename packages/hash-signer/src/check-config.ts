import { SigillumError } from '@sigillum/errors';
import { loadConfig } from '@sigillum/service-kit';
import type { Config } from './config.ts';
import { loadServedKeys } from './served-keys.ts';
import { chooseSizes } from './token-setup.ts';
import { vendorProfileSchema } from './vendor-profile.ts';

/**
 * `--check-config` beyond the form: the profile and manifests that it names, and names of keys that exist. It loads no
 * module and tries no PIN.
 * @throws SigillumError `config_invalid`
 */
export function checkConfig(config: Config): undefined {
  const profile = config.pkcs11.profile ? loadConfig(config.pkcs11.profile, vendorProfileSchema) : undefined;
  const problems: string[] = [];
  for (const token of config.tokens) {
    const reserved = Object.values(token.reserved_lanes).reduce((sum, count) => sum + count, 0);
    if (reserved >= chooseSizes(token, profile).lanes) problems.push(`Every lane of ${token.label} is reserved.`);
  }
  const known = new Set(loadServedKeys(config.manifests, config.tokens).map(({ keyId }) => keyId));
  const named = [
    ...config.clients.flatMap(({ name, keys }) => (keys ?? []).map((keyId) => ({ name, keyId }))),
    ...config.rates.flatMap(({ key_id }) => (key_id === undefined ? [] : [{ name: 'rates', keyId: key_id }])),
  ];
  for (const { name, keyId } of named) {
    if (!known.has(keyId)) problems.push(`${name} names the key ${keyId}, for which there is no manifest.`);
  }
  if (problems.length > 0) throw new SigillumError('config_invalid', problems.join('\n'));
  return undefined;
}
