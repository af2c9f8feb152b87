import { SigillumError } from '@sigillum/errors';
import { decodePem } from '@sigillum/pki';
import { readTextFile } from '@sigillum/service-kit';

/** The one certificate of a PEM file, as DER. Throws `config_invalid` when there is not exactly one. */
export function readCertificateFile(path: string): Uint8Array {
  const [certificate, ...others] = decodePem(readTextFile(path));
  if (!certificate || others.length > 0) {
    throw new SigillumError('config_invalid', `${path} must hold exactly one certificate.`);
  }
  return certificate;
}
