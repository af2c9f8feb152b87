import type { SignerSetup } from '../signer-messages.ts';
import { SignerFailure } from './signer-failure.ts';

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const hasAll =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(checks).every(([name, check]) => check(value[name]));
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** By hand, not by a library of schemas: loading one takes longer than the rest of a signer process's start. */
const isSetup = hasAll({
  module: isText,
  token: hasAll({ label: isText, serial: isText }),
  pinFile: isText,
  lanes: isCount,
  reservedLanes: (value) => isRecord(value) && Object.values(value).every(isCount),
  watchdogMs: hasAll({ ec: isCount, rsa: isCount }),
  libraryParameters: (value) => value === undefined || isText(value),
  inProcess: (value) => typeof value === 'boolean',
  returnCodes: isListOf((pair) => Array.isArray(pair) && Number.isSafeInteger(pair[0]) && isText(pair[1])),
  maxInFlight: isCount,
  keys: isListOf(hasAll({ keyId: isText, algorithm: isText, spki: isText, purpose: isText })),
});

/**
 * The set-up in a `configure` frame. Checked, although our own daemon wrote it: what is handed to the addon in the wrong
 * type ends the process without a word.
 * @throws SignerFailure `protocol` for anything else
 */
export function parseSetup(payload: Uint8Array): SignerSetup {
  const value = parseJson(payload);
  if (isSetup(value)) return value as SignerSetup;
  throw new SignerFailure({ reason: 'protocol' });
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
