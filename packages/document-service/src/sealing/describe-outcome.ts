import type { JsonObject } from '@sigillum/audit';
import type { SealOutcome } from '@sigillum/store';

/** What an event says about an outcome: times, serials, hashes; of earlier signatures their number and the broken ones. */
export function describeOutcome(outcome: SealOutcome): JsonObject {
  const { sealed, signingTime, genTime, documentTimeStamp, fieldName, fromLevel, leftAlone, earlierSignatures } =
    outcome;
  return {
    ...(sealed === undefined ? {} : { sealed: { size: sealed.size, sha256: toHex(sealed.sha256) } }),
    ...(signingTime === undefined ? {} : { signing_time: signingTime.toISOString() }),
    ...(genTime === undefined
      ? {}
      : { time_stamp: { time: genTime.toISOString(), serial: outcome.timeStampSerial ?? '' } }),
    ...(documentTimeStamp === undefined
      ? {}
      : { document_time_stamp: { time: documentTimeStamp.time.toISOString(), serial: documentTimeStamp.serial } }),
    ...(fieldName === undefined ? {} : { field_name: fieldName }),
    ...(fromLevel === undefined ? {} : { from_level: fromLevel }),
    ...(leftAlone === undefined ? {} : { left_alone: leftAlone.length }),
    ...(earlierSignatures === undefined
      ? {}
      : {
          earlier_signatures: earlierSignatures.length,
          broken_signatures: earlierSignatures.filter(({ state }) => state === 'broken').length,
        }),
  };
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
