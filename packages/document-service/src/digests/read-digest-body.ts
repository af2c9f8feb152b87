import type { IncomingMessage, ServerResponse } from 'node:http';
import { orAborted } from '../intake/or-aborted.ts';
import { readJsonBody } from '../intake/read-json-body.ts';
import { whileMoving } from '../intake/while-moving.ts';
import type { Services } from '../services.ts';

/** The fields of either call fit into a tenth of it. */
const maxDigestBodyBytes = 16 * 1024;

/**
 * Reads the JSON object of a call that brings a digest.
 * @throws SigillumError `request_too_large`, `request_invalid`, `request_aborted`, `request_timeout`
 */
export function readDigestBody(
  { limits }: Services,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
): Promise<Record<string, unknown>> {
  return whileMoving(response, limits, (signal) => orAborted(readJsonBody(request, maxDigestBodyBytes), signal));
}
