import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { SigillumError } from '@sigillum/errors';

/**
 * The body's media type, compared parsed: parameters and case don't matter, a missing, malformed or unknown one does.
 * @throws SigillumError `request_media_type_unsupported`
 */
export function chooseMediaType(request: IncomingMessage, expected: readonly string[]): string {
  const given = request.headers['content-type'];
  const essence = given === undefined ? undefined : parseEssence(given);
  if (essence === undefined || !expected.includes(essence)) {
    throw new SigillumError(
      'request_media_type_unsupported',
      `Send the body as Content-Type: ${expected.join(' or ')}.`,
    );
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    // What is sealed is what was sent: nobody unpacks it on the way.
    throw new SigillumError('request_media_type_unsupported', 'Send the body without a Content-Encoding.');
  }
  return essence;
}

function parseEssence(text: string): string | undefined {
  try {
    return new MIMEType(text).essence;
  } catch {
    return undefined;
  }
}
