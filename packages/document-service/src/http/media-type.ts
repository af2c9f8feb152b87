import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { SigillumError } from '@sigillum/errors';

/**
 * Checks the body's media type, compared parsed: parameters and case don't matter, a missing or malformed one does.
 * @throws SigillumError `request_media_type_unsupported`
 */
export function assertMediaType(request: IncomingMessage, expected: string): void {
  const given = request.headers['content-type'];
  if (given === undefined || parseEssence(given) !== expected) {
    throw new SigillumError('request_media_type_unsupported', `Send the body as Content-Type: ${expected}.`);
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    // What is sealed is what was sent: nobody unpacks it on the way.
    throw new SigillumError('request_media_type_unsupported', 'Send the body without a Content-Encoding.');
  }
}

function parseEssence(text: string): string | undefined {
  try {
    return new MIMEType(text).essence;
  } catch {
    return undefined;
  }
}
