import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { findCodeDefinition, isSigillumError, SigillumError } from '@sigillum/errors';
import { type SignatureReport, validateSignatures } from '@sigillum/pades';
import { type LocallySealedPdf, SigillumApiError, SigillumClient } from '@sigillum/sdk';
import { writeFileAtomically } from '../write-file-atomically.ts';
import { noSeal, type WorkerResult } from './corpus-result.ts';
import type { SealJob, WorkerStart } from './worker-messages.ts';

/** A file whose sealing was refused for a moment: the parent tries again so much later when the service doesn't say. */
const defaultRetryMs = 2_000;

/** What is told of an error at most. */
const maxDetail = 500;

/**
 * Seals one file after the other, in a process of its own: whatever a hostile file does to it, the others don't notice. What
 * it answers is always a result; what a result can't be given for shows by the end of the process, or by its silence.
 */
export class CorpusWorker {
  readonly #client: SigillumClient;
  readonly #start: WorkerStart;
  readonly #roots: readonly Uint8Array[];

  constructor(start: WorkerStart) {
    this.#start = start;
    this.#roots = start.roots.map((root) => new Uint8Array(Buffer.from(root, 'base64')));
    this.#client = new SigillumClient({ url: start.url, apiKey: start.apiKey });
  }

  async seal(job: SealJob): Promise<WorkerResult> {
    const before = process.cpuUsage();
    try {
      const file = await openFile(Buffer.from(job.path, 'base64'));
      try {
        const { level, credential } = this.#start;
        const options = { level, ...(credential === undefined ? {} : { credential }) };
        const sealed = await this.#client.sealLocally(file, {
          ...options,
          ...(this.#roots.length === 0 ? {} : { roots: this.#roots }),
        });
        return await this.#finish(sealed, job, toMilliseconds(process.cpuUsage(before)));
      } finally {
        await file.close();
      }
    } catch (error) {
      return describeError(error, job.size, toMilliseconds(process.cpuUsage(before)));
    }
  }

  /** The sealed file is checked before it is called one, and there as a whole or not at all. */
  async #finish(sealed: LocallySealedPdf, { output, size }: SealJob, cpuMs: number): Promise<WorkerResult> {
    const before = process.cpuUsage();
    const check = checkSeal(sealed, size, this.#roots);
    const checkMs = toMilliseconds(process.cpuUsage(before));
    if (check.problem !== undefined) throw new SigillumError('corpus_seal_wrong', check.problem);
    if (output !== null) {
      try {
        await mkdir(dirname(output), { recursive: true });
        await writeFileAtomically(output, sealed.stream({ reuse: true }), { overwrite: true });
      } catch (cause) {
        if (isSigillumError(cause)) throw cause;
        throw new SigillumError('corpus_output_unwritable', `${output} can not be written.`, { cause });
      }
    }
    return {
      size,
      outcome: 'sealed',
      code: null,
      detail: null,
      cpu_ms: cpuMs,
      check_cpu_ms: checkMs,
      seal_id: sealed.sealId,
      sealed_size: sealed.size,
      earlier_signatures: sealed.earlierSignatures.length,
      verified: this.#roots.length === 0 ? null : check.accepted,
      findings: check.findings,
      retry_after_ms: null,
    };
  }
}

/**
 * Our own signature, and at b-lta our document time-stamp, have to be intact and to cover what they are about. Whether our
 * verifier accepts the file, too, is told apart: it also objects to damage that was there before, and that a seal keeps.
 */
function checkSeal({ source, fieldName, level }: LocallySealedPdf, inputSize: number, roots: readonly Uint8Array[]) {
  const report = validateSignatures(source, { roots, now: new Date(), only: { field: fieldName } });
  const ours = report.signatures.find(({ field, kind }) => field === fieldName && kind === 'signature');
  const codes = [...report.findings, ...(ours?.findings ?? [])].flatMap(({ severity, code }) =>
    severity === 'note' ? [] : [code],
  );
  const problem = findProblem(ours, report.signatures.at(-1), level, inputSize);
  const why = problem && `${problem} (${codes.join(', ')})`;
  return { problem: why, accepted: report.accepted, findings: [...new Set(codes)] };
}

function findProblem(
  ours: SignatureReport | undefined,
  last: SignatureReport | undefined,
  level: LocallySealedPdf['level'],
  inputSize: number,
): string | undefined {
  if (ours === undefined) return 'The signature is not found in the sealed file.';
  if (!ours.intact) return 'The signature is not intact.';
  if (level === 'b-t' && !ours.coversWholeFile) return 'The signature does not cover the file.';
  const [start, , second = 0, length = 0] = ours.byteRange ?? [];
  if (start !== 0 || second + length <= inputSize) return 'The signature does not cover the document.';
  if (level !== 'b-lta') return undefined;
  if (last?.kind !== 'document_time_stamp' || !last.intact) return 'The document time-stamp is not intact.';
  return last.coversWholeFile ? undefined : 'The document time-stamp does not cover the file.';
}

async function openFile(path: Buffer) {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new SigillumError('corpus_file_unreadable', 'The file can not be opened.', { cause });
  }
}

/** What can't be sealed as it is, by the codes' own status; everything else should have worked. */
function describeError(error: unknown, size: number, cpuMs: number): WorkerResult {
  const isRefusal = isSigillumError(error) && findCodeDefinition(error.code)?.status === 422;
  return {
    ...noSeal,
    size,
    outcome: isRefusal ? 'refused' : 'failed',
    code: error instanceof SigillumApiError || isSigillumError(error) ? error.code : 'corpus_internal',
    detail: describe(error).slice(0, maxDetail),
    cpu_ms: cpuMs,
    retry_after_ms: findRetry(error),
  };
}

function describe(error: unknown): string {
  if (error instanceof SigillumApiError || isSigillumError(error)) return error.message;
  if (!Error.isError(error)) return 'Something was thrown that is not an error.';
  const [, where = ''] = error.stack?.split('\n    at ') ?? [];
  return `${error.name}: ${error.message} ${where}`;
}

function findRetry(error: unknown): number | null {
  if (error instanceof SigillumApiError && (error.status === 429 || error.status === 503)) {
    return error.retryAfterSeconds === undefined ? defaultRetryMs : error.retryAfterSeconds * 1000;
  }
  return isSigillumError(error, 'service_unavailable') ? defaultRetryMs : null;
}

function toMilliseconds({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 10) / 100;
}
