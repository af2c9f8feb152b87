import type { ServerResponse } from 'node:http';
import type { Limits } from '../config.ts';
import { watchTransfer } from '../intake/watch-transfer.ts';
import type { SpooledDocument } from './spooled-document.ts';

/** What the headers of an answer tell. */
export type AnswerFacts = {
  /** `seal_…` or `ext_…` */
  readonly publicId: string;
  /** Signatures that could not be extended. */
  readonly leftAlone: number;
  /** Whether it was made by an earlier request with the same idempotency key. */
  readonly replayed: boolean;
};

export type SealedAnswer = AnswerFacts & {
  readonly kind: 'seal' | 'extension';
  readonly document: SpooledDocument;
  readonly increment: Uint8Array;
};

/** A rate that a reader has to keep up. */
export type ReadLimits = Pick<Limits, 'upload_idle_ms' | 'upload_bytes_per_s'>;

/**
 * The answer: the input's bytes from the spool, then the increment. Everything in it is recorded already.
 * A caller who hangs up before the last byte is no error: the log line says 499, the record stays.
 */
export async function sendSealed(response: ServerResponse, answer: SealedAnswer, limits: ReadLimits): Promise<void> {
  const { publicId, document, increment } = answer;
  if (response.destroyed) return;
  response.writeHead(201, {
    'Content-Type': 'application/pdf',
    'Content-Length': document.source.size + increment.length,
    'Content-Disposition': `attachment; filename="${publicId}.pdf"`,
    'Cache-Control': 'no-store',
    ...identify(answer.kind, answer),
  });
  await sendPieces(response, concatenateSealed(document, increment), limits);
}

/** The headers that say which seal it is. */
export function identify(
  kind: 'seal' | 'extension',
  { publicId, leftAlone, replayed }: AnswerFacts,
): Record<string, string> {
  return {
    Location: `/v1/${kind}s/${publicId}`,
    [kind === 'seal' ? 'Sigillum-Seal-Id' : 'Sigillum-Extension-Id']: publicId,
    ...(leftAlone > 0 ? { 'Sigillum-Left-Alone': String(leftAlone) } : {}),
    ...(replayed ? { 'Sigillum-Replayed': 'true' } : {}),
  };
}

/** The sealed file. */
export async function* concatenateSealed(document: SpooledDocument, increment: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* document.stream();
  yield increment;
}

/** Sends a body whose head is written. A reader who stands still, or hangs up, loses the connection and nothing else. */
export async function sendPieces(
  response: ServerResponse,
  pieces: AsyncIterable<Uint8Array>,
  limits: ReadLimits,
): Promise<void> {
  const { socket } = response;
  if (socket === null) return;
  const rate = { windowMs: limits.upload_idle_ms, minBytesPerSecond: limits.upload_bytes_per_s };
  const stop = watchTransfer(socket, 'bytesWritten', rate, () => response.destroy());
  try {
    for await (const piece of pieces) await write(response, piece);
    await new Promise<void>((resolve, reject) => {
      response.once('error', reject).once('close', resolve).end(resolve);
    });
  } catch (error) {
    if (!response.destroyed || !isHangUp(error)) throw error;
  } finally {
    stop();
  }
}

/** Resolves when the piece has left: only then may its memory be used again. */
function write(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => reject(Object.assign(new Error('hung up'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }));
    if (response.destroyed) return onClose();
    response.once('close', onClose);
    response.write(piece, (error) => {
      response.off('close', onClose);
      if (error) reject(error);
      else resolve();
    });
  });
}

function isHangUp(error: unknown): boolean {
  if (!Error.isError(error) || !('code' in error)) return false;
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED'].includes(String(error.code));
}
