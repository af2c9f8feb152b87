import { SigillumError } from '@sigillum/errors';
import { findAesFileKey } from './aes-file-key.ts';
import type { FileKey } from './file-key.ts';
import { findLegacyFileKey } from './legacy-file-key.ts';
import type { Encryption } from './parse-encryption.ts';

/**
 * @param id the first half of the file's `/ID`, empty when there is none
 * @throws SigillumError `pdf_password_needed`, `pdf_encryption_damaged`
 */
export function getFileKey(encryption: Encryption, id: Uint8Array): FileKey {
  const found = encryption.version === 5 ? findAesFileKey(encryption) : findLegacyFileKey(encryption, id);
  if (found !== undefined) return found;
  throw new SigillumError(
    'pdf_password_needed',
    'The PDF can only be opened with a password. Remove the password and try again.',
  );
}
