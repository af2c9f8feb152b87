import type { IncomingMessage } from 'node:http';
import { SigillumError } from '@sigillum/errors';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Only these are read; other parameters of the type mean nothing. */
const charsetParameter = /;\s*charset\s*=\s*"?([^\s";]+)/i;

const tooLarge = (): SigillumError => new SigillumError('request_too_large', 'The body is too large.');

function assertJson({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  const isJson = type === 'application/json' || type.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
  const charset = charsetParameter.exec(type)?.[1]?.toLowerCase() ?? 'utf-8';
  const encoding = headers['content-encoding'] ?? 'identity';
  if (isJson && charset === 'utf-8' && encoding === 'identity') return;
  throw new SigillumError('request_media_type_unsupported', 'Send application/json in UTF-8, not compressed.');
}

/**
 * The JSON body of a request, uncompressed UTF-8; never resolves when the caller hangs up before its end.
 * @throws `request_media_type_unsupported`, `request_too_large`, `request_invalid`
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  assertJson(request);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const bytes = await new Promise<Uint8Array>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    request.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
  });
  try {
    return JSON.parse(decoder.decode(bytes)) as unknown;
  } catch (cause) {
    throw new SigillumError('request_invalid', 'The body is not valid JSON.', { cause });
  }
}
