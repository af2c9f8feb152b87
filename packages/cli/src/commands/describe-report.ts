import type { Finding, SignatureReport, ValidationReport } from '@sigillum/pades';

const changes: Record<SignatureReport['changedSince'], string> = {
  none: 'nothing',
  lta_update: 'validation data or time-stamps were added',
  new_signatures: 'signatures were added',
  form_filling: 'form fields were filled',
  annotations: 'ANNOTATIONS WERE CHANGED',
  other: 'THE DOCUMENT WAS CHANGED',
};

const sources: Record<SignatureReport['time']['source'], string> = {
  signature_time_stamp: 'time-stamp of the signature',
  document_time_stamp: 'document time-stamp',
  claimed: "the signer's own word",
  none: 'unknown',
};

const revocations: Record<SignatureReport['revocation'], string> = {
  good: 'not revoked, by the data in the file',
  revoked: 'REVOKED',
  unknown: 'not checked: the file holds no data about it',
};

/** What a report says it did not look at, in words. */
function describeUnchecked(what: string): string {
  return what === 'revocation' ? 'revocation (the file holds no data about it)' : what.replaceAll('_', ' ');
}

/** A report for a person to read. */
export function describeReport(report: ValidationReport): string {
  const lines = [report.summary];
  for (const finding of report.findings) lines.push(`  ${describeFinding(finding)}`);
  report.signatures.forEach((signature, index) => lines.push(...describeSignature(signature, index)));
  if (report.readable) lines.push('', `Not checked: ${report.notChecked.map(describeUnchecked).join(', ')}.`);
  // names and reasons come from the file: nothing that a terminal would obey
  return `${lines.join('\n').replaceAll(/[^\P{Cc}\n]/gu, '?')}\n`;
}

function describeSignature(signature: SignatureReport, index: number): readonly string[] {
  const kind = signature.kind === 'signature' ? 'Signature' : 'Document time-stamp';
  const { time, signer } = signature;
  const status = [signature.indication, signature.subIndication]
    .filter((part) => part !== undefined && part !== '')
    .join(' / ');
  const row = (name: string, value: string): string => `  ${name.padEnd(18)} ${value}`;
  return [
    '',
    `${kind} ${index + 1}${signature.field === undefined || signature.field === '' ? '' : ` (${signature.field})`}: ${status}`,
    row('format', signature.format ?? 'unknown'),
    row('intact', yesNo(signature.intact)),
    row('covers whole file', yesNo(signature.coversWholeFile)),
    row('changed since', changes[signature.changedSince]),
    row('trusted chain', signature.trustedChain ? signature.chain.join(' < ') : 'no'),
    row('revocation', revocations[signature.revocation]),
    row('signed by', signer === undefined ? 'unknown' : signer.subject),
    row('time', `${time.value ?? 'none'} (${sources[time.source]})`),
    ...signature.findings
      .filter(({ code }) => code !== 'whole_file_not_covered')
      .map((one) => `  - ${describeFinding(one)}`),
  ];
}

function describeFinding({ code, sentence, detail }: Finding): string {
  return `${sentence}${detail === undefined ? '' : ` ${detail}`} [${code}]`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'NO';
}

/** The report with keys as they stand in JSON (snake_case); values are kept. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [toSnakeCase(key), toWire(entry) ?? null]));
}

function toSnakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
