import type { IncomingMessage } from 'node:http';
import { MIMEType } from 'node:util';
import { SigillumError } from '@sigillum/errors';

/**
 * The body's media type, compared parsed: case and parameters don't matter, but for a charset of JSON that isn't UTF-8; a
 * missing, malformed or unknown one does.
 * @throws SigillumError `request_media_type_unsupported`
 */
export function chooseMediaType(request: IncomingMessage, expected: readonly string[]): string {
  const given = request.headers['content-type'];
  const type = given === undefined ? undefined : parseType(given);
  const essence = type?.essence;
  if (essence === undefined || !expected.includes(essence)) {
    throw new SigillumError(
      'request_media_type_unsupported',
      `Send the body as Content-Type: ${expected.join(' or ')}.`,
    );
  }
  // RFC 8259 §8.1: it is UTF-8, and has no such parameter; to say so is harmless, to say otherwise is not.
  const charset = essence === 'application/json' ? type?.params.get('charset') : null;
  if (charset !== null && charset !== undefined && charset.toLowerCase() !== 'utf-8') {
    throw new SigillumError('request_media_type_unsupported', 'Send JSON in UTF-8.');
  }
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    // What is sealed is what was sent: nobody unpacks it on the way.
    throw new SigillumError('request_media_type_unsupported', 'Send the body without a Content-Encoding.');
  }
  return essence;
}

function parseType(text: string): MIMEType | undefined {
  try {
    return new MIMEType(text);
  } catch {
    return undefined;
  }
}
