import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** A handshake among live peers is a few round trips; in a crowd nobody gets longer. */
const crowdedMs = 1_000;

/**
 * Keeps connections that don't show who they are from filling a TLS listener. When `crowd` of them are in their
 * handshake, or the listener is full, each newcomer ends the oldest that has had a second: sockets that never speak keep
 * nobody out, and a burst of live ones isn't cut. How many there are at all is bounded by `maxConnections`.
 */
export function boundHandshakes(server: Server, crowd: number): void {
  // In the order of arrival.
  const waiting = new Map<string, { readonly socket: Socket; readonly since: number }>();
  const dropOldest = (): void => {
    const [oldest] = waiting;
    if (oldest === undefined || performance.now() - oldest[1].since < crowdedMs) return;
    waiting.delete(oldest[0]);
    oldest[1].socket.destroy();
  };
  server.on('connection', (socket: Socket) => {
    if (waiting.size >= crowd) dropOldest();
    const peer = describePeer(socket);
    const entry = { socket, since: performance.now() };
    waiting.set(peer, entry);
    socket.once('close', () => {
      // The same address and port may be somebody new.
      if (waiting.get(peer) === entry) waiting.delete(peer);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => waiting.delete(describePeer(socket)));
  // The listener was full and has closed a newcomer; the next one finds room.
  server.on('drop', () => dropOldest());
}

/** The same for a connection before and after its handshake, and no two have it at the same time. */
function describePeer({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
