import type { ServerResponse } from 'node:http';

/** A JSON answer. What belongs to one caller is kept by nobody on the way. */
export function sendJson(
  response: ServerResponse,
  body: unknown,
  options: { readonly status?: 200 | 201; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  if (response.destroyed) return;
  const { status = 200, headers = {} } = options;
  response.writeHead(status, { 'Cache-Control': 'no-store', 'Content-Type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
