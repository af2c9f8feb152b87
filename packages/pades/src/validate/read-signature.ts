import type { ByteSource } from '@sigillum/pdf';
import { type CheckedTimeStamp, checkTimeStamp, type TimeStampTrust } from './check-time-stamp.ts';
import { digestRange } from './digest-range.ts';
import type { Findings } from './findings.ts';
import type { FoundSignature } from './find-signatures.ts';
import { endsRevision } from './read-revisions.ts';
import type { SignatureDictionary } from './read-signature-dictionary.ts';
import type { ExistenceProof } from './revocation-store.ts';

/** A signature with what is known about it before any cryptography. */
export type ReadSignature = {
  readonly found: FoundSignature;
  readonly dictionary: SignatureDictionary;
  /** Index of the newest section of the revision that it signs; 0 is the file as it is. */
  readonly revision: number | undefined;
  readonly findings: Findings;
};

/** Each range ends at a revision's end, and ranges hold each other; signatures come in the order of their ends. */
export function checkRanges(source: ByteSource, signatures: readonly ReadSignature[]): void {
  let previous: ReadSignature | undefined;
  for (const signature of signatures) {
    const { byteRange, end } = signature.dictionary;
    if (byteRange === undefined || end === undefined) continue;
    if (!endsRevision(source, end)) signature.findings.add('byte_range_end_wrong');
    // the gap of the later one lies behind all of the earlier one
    if (previous?.dictionary.end !== undefined && byteRange[1] < previous.dictionary.end) {
      signature.findings.add('byte_range_overlap');
      previous.findings.add('byte_range_overlap');
    }
    previous = signature;
  }
}

/** The document time-stamps that were checked, in file order, and what those that are believed prove. */
export type DocumentTimeStamps = {
  readonly stamps: ReadonlyMap<ReadSignature, CheckedTimeStamp>;
  readonly proofs: readonly ExistenceProof[];
};

/**
 * Checks the document time-stamps, the last one first: each proves when the ones before it existed, so that they are judged
 * at that time and not now (EN 319 102-1 §5.6.2.3).
 */
export function checkTimeStamps(
  source: ByteSource,
  signatures: readonly ReadSignature[],
  trust: Omit<TimeStampTrust, 'proofs'>,
): DocumentTimeStamps {
  const checked: [ReadSignature, CheckedTimeStamp][] = [];
  const proofs: ExistenceProof[] = [];
  for (const signature of signatures.toReversed()) {
    const { isTimeStamp, contents, byteRange, end } = signature.dictionary;
    if (!isTimeStamp || contents === undefined || byteRange === undefined || end === undefined) continue;
    const digest = (name: Parameters<typeof digestRange>[2]) => digestRange(source, byteRange, name);
    const stamp = checkTimeStamp(contents, digest, { ...trust, proofs: [...proofs] }, end, signature.findings);
    checked.push([signature, stamp]);
    const isSound = signature.findings.list.every(({ severity }) => severity === 'note');
    if (stamp.token !== undefined && isSound) proofs.push({ end, time: stamp.token.genTime });
  }
  return { stamps: new Map(checked.toReversed()), proofs };
}
