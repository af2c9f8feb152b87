import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the answers before them: each costs memory, and nobody needs more. */
const maxWaiting = 100;

/**
 * Pipelined requests (RFC 9112 §9.3.2) one after the other. Node hands them over all at once, the later ones with a response
 * that has no connection yet: nobody would hear of its end when the caller hangs up meanwhile. Who sends too many at once
 * loses the connection.
 */
export function takeTurns(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    if (response.socket !== null) return listener(request, response);
    const { socket } = request;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > maxWaiting) return void socket.destroy();
    waiting.set(socket, count);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      listener(request, response);
    });
  };
}
