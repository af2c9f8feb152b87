import { type Agent, request } from 'node:https';
import { SigillumError } from '@sigillum/errors';
import { MAX_ANSWER_BYTES } from './wire.ts';

export type Exchange = {
  readonly agent: Agent;
  readonly url: URL;
  readonly method: 'GET' | 'POST';
  readonly body?: Uint8Array;
  /** The caller waits no longer than this, whatever the network does. */
  readonly timeoutMs: number;
};

export type Answer = { readonly status: number; readonly retryAfter: string | undefined; readonly body: Buffer };

/** The connection was refused: certainly nothing was sent. */
export class NeverConnected extends Error {
  override readonly name = 'NeverConnected';
}

function unavailable(cause: unknown): SigillumError {
  return new SigillumError('signer_unavailable', 'The hash-signer cannot be reached.', { cause, retryAfterSeconds: 1 });
}

/** Node-core errors are not `instanceof Error` in every realm, so only the code is looked at. */
function isRefused(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === 'ECONNREFUSED';
}

/**
 * One HTTPS request and its whole answer.
 * @throws NeverConnected, `signer_timeout`, `signer_unavailable`, `signer_answer_invalid` (too large)
 */
export function exchange({ agent, url, method, body, timeoutMs }: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = body ? { 'content-type': 'application/json', 'content-length': body.length } : {};
    const call = request(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) {
          fail(new SigillumError('signer_answer_invalid', 'The hash-signer answered far too much.'));
        } else chunks.push(chunk);
      });
      response.on('error', (error) => fail(unavailable(error)));
      response.on('end', () => {
        clearTimeout(timer);
        const retryAfter = response.headers['retry-after'];
        resolve({ status: response.statusCode ?? 0, retryAfter, body: Buffer.concat(chunks) });
      });
    });
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
      call.destroy();
    };
    const timer = setTimeout(() => {
      fail(new SigillumError('signer_timeout', 'The hash-signer did not answer in time.', { retryAfterSeconds: 1 }));
    }, timeoutMs);
    call.on('error', (error) =>
      fail(isRefused(error) ? new NeverConnected('refused', { cause: error }) : unavailable(error)),
    );
    call.end(body);
  });
}
