import { createHash } from 'node:crypto';
import { type JsonObject, verifyAuditLog } from '@sigillum/audit';
import { listProcesses } from '@sigillum/testing';
import type { RunningSigner } from './running-signer.ts';
import type { SignerHome } from './signer-home.ts';
import type { SigningRecord } from './signing-record.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/**
 * What must be true of a hash-signer after anything that happened to it, once it has stopped: every answered signature
 * verifies; each has one audit line, and each line of a request that we know of belongs to one answer; the chain is
 * whole; no process of it lives, and whichever ended in order left no session open.
 * @returns what is not so, in sentences; empty when all is well
 */
export async function checkInvariants(
  home: SignerHome,
  signers: readonly RunningSigner[],
  record: SigningRecord,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const [signer] = signers;
  if (!signer) return ['there is no signer to check'];
  for (const answer of record.answered) {
    if (answer.signature && !record.isRight(answer))
      problems.push(`${answer.requestId}: a wrong signature was answered`);
  }
  const events: JsonObject[] = [];
  const report = await verifyAuditLog({
    directory: signer.auditDirectory,
    chain: `hash-signer/${signer.instance}`,
    onEvent: (event) => events.push(event),
  });
  problems.push(...report.problems.map(({ kind, line, detail }) => `audit line ${line}: ${kind}: ${detail}`));
  problems.push(...compareWithLines(record, events));
  const pids = new Set(signers.map(({ pid }) => pid));
  for (const { pid, parent, command } of listProcesses()) {
    const isSigner = command.includes('signer/main') && (pids.has(parent) || wasStartedIn(home, pid));
    if (pids.has(pid) || isSigner) problems.push(`the process ${pid} is left: ${command}`);
  }
  for (const { pid, what, sessions } of home.shim.readTrace()) {
    if (what === 'finalize' && sessions !== 0) problems.push(`the process ${pid} finalised with ${sessions} sessions`);
    if (what === 'logout') problems.push(`the process ${pid} logged out`);
    if (what === 'initialize') problems.push(`the process ${pid} initialised without CKF_OS_LOCKING_OK`);
  }
  return problems;
}

/** Nobody heard the answer: the connection broke, or the disk filled, after some lines had been written. */
const mayHaveLines: ReadonlySet<string> = new Set(['signer_unavailable', 'signer_timeout', 'signer_audit_unavailable']);

function wasStartedIn(home: SignerHome, pid: number): boolean {
  return home.shim.readTrace().some((event) => event.pid === pid);
}

function compareWithLines(record: SigningRecord, events: readonly JsonObject[]): string[] {
  const problems: string[] = [];
  const lines = new Map<string, number>();
  const known = new Set(record.answered.map(({ requestId }) => requestId));
  const expected = new Set<string>();
  for (const event of events) {
    if (event['outcome'] !== 'signed') continue;
    const name = `${String(event['request_id'])} ${String(event['signature_sha256'])}`;
    lines.set(name, (lines.get(name) ?? 0) + 1);
  }
  const lost = new Set<string>();
  for (const { requestId, signature, code } of record.answered) {
    if (signature) {
      const name = `${requestId} ${sha256(signature)}`;
      expected.add(name);
      if (lines.get(name) !== 1) problems.push(`${requestId}: ${lines.get(name) ?? 0} lines for one signature`);
    } else if (mayHaveLines.has(code ?? '')) {
      lost.add(requestId);
    }
  }
  for (const name of lines.keys()) {
    const requestId = name.split(' ')[0] ?? '';
    const isKnown = known.has(requestId) && !lost.has(requestId);
    if (isKnown && !expected.has(name)) problems.push(`${requestId}: a line for a signature that was not answered`);
  }
  return problems;
}
