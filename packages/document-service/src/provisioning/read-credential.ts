import { readFileSync } from 'node:fs';
import { getSignatureAlgorithm } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { assertIssuedBy, decodePem, parseCertificate } from '@sigillum/pki';
import { parseKeyManifest } from '@sigillum/signer-rpc';
import type { CredentialInput } from '@sigillum/store';
import type { ProvisionFile } from './provision-file.ts';

/**
 * Reads a credential's files and checks that they belong together: the certificate is of the manifest's key, the key is
 * one for seals, and each certificate was issued by the next.
 *
 * @throws SigillumError `config_invalid`
 */
export function readCredential(entry: ProvisionFile['credentials'][number]): CredentialInput {
  const refuse = (why: string, cause?: unknown) =>
    new SigillumError('config_invalid', `The credential ${entry.name} can't be provisioned: ${why}.`, { cause });
  try {
    const manifest = parseKeyManifest(readFileSync(entry.manifest, 'utf8'), entry.manifest);
    const algorithm = getSignatureAlgorithm(manifest.algorithm);
    const [leafDer] = decodePem(readFileSync(entry.certificate, 'utf8'));
    const chainDer = entry.chain.flatMap((path) => decodePem(readFileSync(path, 'utf8')));
    if (manifest.purpose !== 'seal') throw refuse(`its key is for ${manifest.purpose}, not for seals`);
    if (leafDer === undefined) throw refuse('its certificate is missing');
    const path = [leafDer, ...chainDer].map(parseCertificate);
    const [leaf] = path;
    if (leaf === undefined || !Buffer.from(manifest.spki, 'base64').equals(leaf.spki)) {
      throw refuse('the certificate is not of the key in the manifest');
    }
    if (leaf.keySpec === undefined || !algorithm.keys.includes(leaf.keySpec)) {
      throw refuse(`the key can't be used with ${algorithm.name}`);
    }
    for (const [index, certificate] of path.entries()) {
      const issuer = path[index + 1];
      if (issuer !== undefined) assertIssuedBy(certificate, issuer);
    }
    return {
      name: entry.name,
      keyId: manifest.key_id,
      algorithm: algorithm.name,
      certificate: leafDer,
      chain: chainDer,
    };
  } catch (error) {
    if (error instanceof SigillumError && error.code === 'config_invalid') throw error;
    throw refuse(Error.isError(error) ? error.message.replace(/\.$/, '') : 'its files are not usable', error);
  }
}
