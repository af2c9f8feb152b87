import type { IncomingMessage } from 'node:http';
import { SigillumError } from '@sigillum/errors';

/**
 * Reads a JSON object of at most `maxBytes`.
 * @throws SigillumError `request_too_large`, `request_invalid`, `request_aborted`
 */
export async function readJsonBody(request: IncomingMessage, maxBytes: number): Promise<Record<string, unknown>> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const text = await readText(request, maxBytes);
  return parseJsonObject(text, '');
}

/**
 * A JSON object out of a text.
 * @param pointer where the text stands, for the problem
 */
export function parseJsonObject(text: string, pointer: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new SigillumError('request_invalid', 'A JSON object is expected.', {
    fields: [{ pointer: `/body${pointer}`, detail: 'Must be a JSON object.' }],
  });
}

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof SigillumError) throw error;
    throw new SigillumError('request_aborted', 'The caller hung up during the upload.', { cause: error });
  }
  try {
    // RFC 8259 §8.1; what isn't UTF-8 would otherwise be sealed as question marks
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new SigillumError('request_invalid', 'The JSON body is not UTF-8.', {
      cause,
      fields: [{ pointer: '/body', detail: 'Must be UTF-8.' }],
    });
  }
}

function tooLarge(maxBytes: number): SigillumError {
  return new SigillumError('request_too_large', `A JSON body may have at most ${maxBytes} bytes.`);
}
