import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { readJsonBody } from './read-json-body.ts';

function makeRequest(body: Buffer): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.push(body);
  request.push(null);
  return request;
}

test('a JSON body is UTF-8: what is not would be sealed as replacement characters', async () => {
  const good = Buffer.from('{"reason":"Größe"}');
  expect(await readJsonBody(makeRequest(good), 1000)).toEqual({ reason: 'Größe' });
  for (const [body, detail] of [
    [Buffer.from('{"reason":"Größe"}', 'latin1'), 'Must be UTF-8.'],
    [Buffer.from('{"reason":"x"}', 'utf16le'), 'Must be a JSON object.'],
    [Buffer.from('\uFEFF{}'), 'Must be a JSON object.'],
  ] as const) {
    await expect(readJsonBody(makeRequest(body), 1000)).rejects.toMatchObject({
      code: 'request_invalid',
      fields: [{ pointer: '/body', detail }],
    });
  }
});
