import { isSigillumError, SigillumError } from '@sigillum/errors';
import { readTextFile } from '@sigillum/service-kit';
import { parseKeyManifest } from '@sigillum/signer-rpc';
import type { TsaConfig } from '../config.ts';
import { readCertificateFile } from './read-certificate-file.ts';
import { openTimeStampUnit, type TimeStampUnit } from './time-stamp-unit.ts';
import { UnitRotation } from './unit-rotation.ts';

/** The units that the configuration names. One that can't be used is a wrong configuration: throws `config_invalid`. */
export function openConfiguredUnits(config: Pick<TsaConfig, 'units' | 'development' | 'limits'>): UnitRotation {
  return new UnitRotation(config.units.map((unit) => openConfiguredUnit(unit, config)));
}

function openConfiguredUnit(
  unit: TsaConfig['units'][number],
  { development, limits }: Pick<TsaConfig, 'development' | 'limits'>,
): TimeStampUnit {
  try {
    return openTimeStampUnit({
      name: unit.name,
      manifest: parseKeyManifest(readTextFile(unit.manifest), unit.manifest),
      certificate: readCertificateFile(unit.certificate),
      chain: unit.chain.map(readCertificateFile),
      development,
      qualified: unit.qualified,
      from: unit.from === undefined ? undefined : new Date(unit.from),
      until: unit.until === undefined ? undefined : new Date(unit.until),
      marginMs: limits.unit_margin_minutes * 60_000,
    });
  } catch (cause) {
    if (!isSigillumError(cause)) throw cause;
    throw new SigillumError('config_invalid', `${unit.name}: ${cause.message}`, { cause });
  }
}
