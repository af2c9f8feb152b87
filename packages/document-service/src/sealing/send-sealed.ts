import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SpooledDocument } from './spooled-document.ts';

export type SealedAnswer = {
  /** `seal_…` */
  readonly publicId: string;
  readonly document: SpooledDocument;
  readonly increment: Uint8Array;
  /** Whether the seal was made by an earlier request with the same idempotency key. */
  readonly replayed: boolean;
};

/**
 * The answer: the input's bytes from the spool, then the increment. Everything in it is recorded already.
 * A caller who hangs up before the last byte is no error: the log line says 499, the record stays.
 */
export async function sendSealed(response: ServerResponse, answer: SealedAnswer): Promise<void> {
  const { publicId, document, increment, replayed } = answer;
  if (response.destroyed) return;
  response.writeHead(201, {
    'Content-Type': 'application/pdf',
    'Content-Length': document.source.size + increment.length,
    'Content-Disposition': `attachment; filename="${publicId}.pdf"`,
    'Cache-Control': 'no-store',
    Location: `/v1/seals/${publicId}`,
    'Sigillum-Seal-Id': publicId,
    ...(replayed ? { 'Sigillum-Replayed': 'true' } : {}),
  });
  try {
    await pipeline(Readable.from(concatenate(document, increment), { objectMode: false }), response);
  } catch (error) {
    if (!response.destroyed || !isHangUp(error)) throw error;
  }
}

async function* concatenate(document: SpooledDocument, increment: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* document.stream();
  yield increment;
}

function isHangUp(error: unknown): boolean {
  if (!Error.isError(error) || !('code' in error)) return false;
  return ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE', 'ERR_STREAM_DESTROYED'].includes(String(error.code));
}
