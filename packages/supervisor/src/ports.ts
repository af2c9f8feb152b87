import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { SigillumError } from '@sigillum/errors';

const host = '127.0.0.1';

/** The internal listeners, and the names that their ports have in `ready.json`. */
export const internalPortNames = [
  'hash_signer',
  'hash_signer_internal',
  'tsa_seals',
  'tsa_internal',
  'document_service_internal',
] as const;

export type InternalPortName = (typeof internalPortNames)[number];
export type InternalPorts = Readonly<Record<InternalPortName, number>>;

/**
 * Free ports for the internal listeners, all different, none of those to `avoid`. They are free now: until the services
 * listen, another program may take one (`replaceTakenPorts`).
 */
export async function findInternalPorts(avoid: readonly number[]): Promise<InternalPorts> {
  return Object.fromEntries(await findPorts(internalPortNames, avoid)) as InternalPorts;
}

/**
 * After a service couldn't start: others for those of its ports that another program has taken; `undefined` when all are
 * free, and something else was wrong. The service must have ended.
 */
export async function replaceTakenPorts(
  ports: InternalPorts,
  names: readonly InternalPortName[],
  avoid: readonly number[],
): Promise<InternalPorts | undefined> {
  const taken: InternalPortName[] = [];
  for (const name of names) if (!(await isFree(ports[name]))) taken.push(name);
  if (taken.length === 0) return undefined;
  return { ...ports, ...Object.fromEntries(await findPorts(taken, [...avoid, ...Object.values(ports)])) };
}

async function findPorts(
  names: readonly InternalPortName[],
  avoid: readonly number[],
): Promise<ReadonlyMap<InternalPortName, number>> {
  const servers: Server[] = [];
  const ports = new Map<InternalPortName, number>();
  try {
    for (const name of names) {
      // Kept open until all are found, so that none comes twice.
      do servers.push(await listen(0));
      while (avoid.includes(portOf(servers.at(-1))));
      ports.set(name, portOf(servers.at(-1)));
    }
  } finally {
    for (const server of servers) await close(server);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch {
    return false;
  }
}

/** @throws SigillumError `home_port_busy` that says what to do. */
export async function assertPortFree(port: number, advice: string): Promise<void> {
  try {
    await close(await listen(port));
  } catch (cause) {
    throw new SigillumError('home_port_busy', `Port ${port} on ${host} is in use by another program. ${advice}`, {
      cause,
    });
  }
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, 'close');
}
