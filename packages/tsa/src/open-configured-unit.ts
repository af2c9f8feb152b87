import { isSigillumError, SigillumError } from '@sigillum/errors';
import { readTextFile } from '@sigillum/service-kit';
import type { TsaConfig } from './config.ts';
import { parseKeyManifest } from './key-manifest.ts';
import { readCertificateFile } from './read-certificate-file.ts';
import { openTimeStampUnit, type TimeStampUnit } from './time-stamp-unit.ts';

/** The unit that the configuration names. One that can't be used is a wrong configuration: throws `config_invalid`. */
export function openConfiguredUnit(tsu: TsaConfig['tsu'], now: Date): TimeStampUnit {
  try {
    return openTimeStampUnit({
      manifest: parseKeyManifest(readTextFile(tsu.manifest)),
      certificate: readCertificateFile(tsu.certificate),
      chain: tsu.chain.map(readCertificateFile),
      development: tsu.development,
      now,
    });
  } catch (cause) {
    if (!isSigillumError(cause)) throw cause;
    throw new SigillumError('config_invalid', cause.message, { cause });
  }
}
