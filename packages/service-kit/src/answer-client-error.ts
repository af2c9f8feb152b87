import { type Server, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { problemMediaType, SigillumError, toProblem } from '@sigillum/errors';
import { createRequestId, requestIdHeader } from './request-id.ts';

/**
 * Answers what is no HTTP request in due form, or not there in time, by a problem, and ends the connection. Node would send
 * a bare status. Where an answer has begun, or an earlier request still waits for its own, nothing can be said.
 */
export function answerClientErrors(server: Server): void {
  const latest = new WeakMap<Socket, ServerResponse>();
  server.on('request', (request, response) => void latest.set(request.socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const socket = stream as Socket;
    const response = latest.get(socket);
    const isFree = response === undefined || response.writableFinished;
    const isOpen = response?.socket === socket && !response.headersSent;
    if (socket.writable && (isFree || isOpen)) socket.write(describe(toTypedError(error)));
    socket.destroy();
  });
}

function toTypedError({ code }: NodeJS.ErrnoException): SigillumError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new SigillumError('request_head_too_large', 'The request line and the headers are too large.');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new SigillumError('request_too_large', 'The extensions of the chunks are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new SigillumError('request_timeout', 'The request was not there in time.');
    default:
      return new SigillumError('request_invalid', 'This is not a well-formed HTTP/1.1 request.');
  }
}

/** A whole answer as it goes over the connection. */
function describe(error: SigillumError): string {
  const requestId = createRequestId();
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    `${requestIdHeader}: ${requestId}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
