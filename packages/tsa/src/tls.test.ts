import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeTimeStampRequest } from '@sigillum/pki';
import { send, TsaHome } from '../test/tsa-home.ts';

const home = new TsaHome();
const { pki } = home;
const query = encodeTimeStampRequest({ imprint: { algorithm: 'sha256', digest: new Uint8Array(32) }, certReq: true });

beforeAll(() => home.open());
afterEach(() => home.killAll());
afterAll(() => home.remove());

const ask = async (port: number): Promise<number> => (await send(port, '/', query)).status;

async function waitFor(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await isSo()); ) {
    if (Date.now() > deadline) throw new Error('it did not come');
    await sleep(50);
  }
}

test('a renewed client certificate is shown to the signer without a restart, as soon as both its halves are there', async () => {
  const { ports, log } = await home.start(pki.write('renewed.yaml', home.config(undefined, 'renewed')));
  expect(await ask(ports.seals)).toBe(200);
  // As the daemon treats one that has ended: connections that are open included.
  home.locked.add('tsa');
  expect(await ask(ports.seals)).toBe(503);
  const renewed = home.issueClient('renewed');
  const { validToDate } = new X509Certificate(renewed.certificate);
  renameSync(renewed.certificateFile, pki.path('tsa.pem'));
  await waitFor(() => log.some((line) => line.includes('the TLS files are not usable, the old ones stay')));
  renameSync(renewed.keyFile, pki.path('tsa.key'));
  await waitFor(async () => (await ask(ports.seals)) === 200);
  const metrics = Buffer.from((await send(ports.internal, '/metrics')).body).toString();
  const [, end] = /tls_certificate_not_after_seconds\{[^}]*certificate="signer"[^}]*\} (\d+)/.exec(metrics) ?? [];
  expect(Number(end)).toBe(validToDate.getTime() / 1000);
  expect(metrics).toMatch(/tls_reloads_total\{[^}]*certificate="signer",outcome="ok"[^}]*\} 1/);
  expect(log.join()).not.toContain('PRIVATE');
});

test('renewed certificates of listeners are taken at SIGHUP, which ends nothing', async () => {
  for (const name of ['public', 'public-2', 'seals', 'seals-2']) {
    const names = ['subjectAltName=IP:127.0.0.1', 'extendedKeyUsage=serverAuth'];
    chmodSync(pki.issue(name, { issuer: home.tlsRoot, extensions: names }).keyFile, 0o600);
  }
  const withTls = (text: string): string =>
    text
      .replace('public: {', 'public: {tls: {certificate: public.pem, key: public.key}, ')
      .replace('seals: {', 'seals: {tls: {certificate: seals.pem, key: seals.key, client_roots: tls-root.pem}, ');
  const { child, ports, log } = await home.start(pki.write('listeners.yaml', home.config(withTls, 'listeners')));
  const show = async (port: number): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', ca: readFileSync(home.tlsRoot.certificateFile) });
    await once(socket, 'secureConnect');
    const name = String(socket.getPeerCertificate().subject.CN);
    socket.on('error', () => undefined).destroy();
    return name;
  };
  expect([await show(ports.public), await show(ports.seals)]).toEqual(['public', 'seals']);
  for (const name of ['public', 'seals']) {
    for (const suffix of ['key', 'pem']) renameSync(pki.path(`${name}-2.${suffix}`), pki.path(`${name}.${suffix}`));
  }
  child.kill('SIGHUP');
  await waitFor(() => log.filter((line) => line.includes('TLS files read again')).length === 2);
  expect([await show(ports.public), await show(ports.seals)]).toEqual(['public-2', 'seals-2']);
  expect(child.exitCode).toBeNull();
});
