import type { Response } from 'express';

/** A JSON answer. What belongs to one caller is kept by nobody on the way. */
export function sendJson(response: Response, body: unknown): void {
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Type', 'application/json');
  response.status(200).end(JSON.stringify(body));
}
