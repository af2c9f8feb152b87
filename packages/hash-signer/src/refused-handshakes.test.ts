import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, expect, test } from '@jest/globals';
import { createLogger, createMetrics, serve } from '@sigillum/service-kit';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';
import { RefusedHandshakes } from './refused-handshakes.ts';
import { createSignerMetrics } from './signer-metrics.ts';

const pki = new OpensslPki();
afterAll(() => pki.remove());

/** Whatever went wrong before. */
const close = (socket: Socket): Promise<void> =>
  new Promise((resolve) =>
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', () => resolve()),
  );

test('connections that end in their handshake are counted and logged by their reason, a line for many', async () => {
  const root = pki.issue('root', { extensions: opensslExtensions.root });
  const usage = (name: string) => [`extendedKeyUsage=${name}`];
  const server = pki.issue('server', {
    issuer: root,
    extensions: ['subjectAltName=IP:127.0.0.1', ...usage('serverAuth')],
  });
  const ended = pki.issue('ended', { issuer: root, extensions: usage('clientAuth'), days: 0 });
  const foreign = pki.issue('foreign', { extensions: usage('clientAuth') });
  let log = '';
  const stream = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      log += Buffer.from(chunk).toString();
      done();
    },
  });
  const metrics = createMetrics({ service: 'hash-signer' });
  const refused = new RefusedHandshakes({
    logger: createLogger({ service: 'hash-signer', instance: 'test', stream }),
    metrics: createSignerMetrics(metrics, () => new Map()),
  });
  const read = ({ certificateFile, keyFile }: OpensslCertificate) => ({
    cert: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  });
  const clientRoots = readFileSync(root.certificateFile, 'utf8');
  const { cert: certificate, key } = read(server);
  const running = await serve((_request, response) => void response.end(), {
    host: '127.0.0.1',
    port: 0,
    tls: { certificate, key, clientRoots },
    limits: { handshakeTimeoutMs: 300 },
    onRefusedHandshake: (error, socket) => refused.add(error, socket),
  });
  const knock = async (options: ConnectionOptions): Promise<void> => {
    const socket = connect({ port: running.port, host: '127.0.0.1', ca: clientRoots, ...options });
    await close(socket);
  };
  // Its last second has to be over.
  await sleep(1100);
  for (let round = 0; round < 3; round += 1) await knock(read(ended));
  await knock(read(foreign));
  await knock({});
  await close(connectTcp(running.port, '127.0.0.1'));
  const plain = connectTcp(running.port, '127.0.0.1');
  plain.write('GET / HTTP/1.1\r\n\r\n');
  await close(plain);
  await running.close(0);
  const said = await metrics.registry.getSingleMetricAsString('hash_signer_refused_handshakes_total');
  const counts = Object.fromEntries(
    Array.from(said.matchAll(/reason="(\w+)"[^}]*\} (\d+)/g), ([, reason, count]) => [reason, Number(count)]),
  );
  expect(counts).toEqual({
    certificate_expired: 3,
    certificate_untrusted: 1,
    certificate_missing: 1,
    timeout: 1,
    protocol: 1,
  });
  expect(log.match(/certificate_expired/g)).toHaveLength(1);
  expect(log).toContain('"address":"127.0.0.1"');
});
