import { chmodSync, renameSync, symlinkSync } from 'node:fs';
import { Writable } from 'node:stream';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { createLogger, createMetrics } from '@sigillum/service-kit';
import { OpensslPki, opensslExtensions } from '@sigillum/testing';
import { createSignerMetrics } from './signer-metrics.ts';
import { TlsFiles } from './tls-files.ts';

const pki = new OpensslPki();
afterAll(() => pki.remove());
afterEach(() => void jest.useRealTimers());

const LOOK_MS = 5_000;

test('TLS files that can not be read for a moment end nothing, and are taken when only their mode is put right', () => {
  const root = pki.issue('root', { extensions: opensslExtensions.root });
  const issue = (name: string) => pki.issue(name, { issuer: root, extensions: ['extendedKeyUsage=serverAuth'] });
  const [first, second] = [issue('first'), issue('second')];
  const { certificateFile: certificate, keyFile: key } = first;
  chmodSync(key, 0o600);
  const taken: string[] = [];
  const server = {
    port: 0,
    close: () => Promise.resolve(),
    replaceTls: (tls: { key: string }) => void taken.push(tls.key),
  };
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  const logger = createLogger({ service: 'hash-signer', instance: 'test', stream });
  const metrics = createSignerMetrics(createMetrics({ service: 'hash-signer' }), () => new Map());
  jest.useFakeTimers();
  const files = new TlsFiles({ certificate, key, client_roots: root.certificateFile }, { server, logger, metrics });
  jest.advanceTimersByTime(LOOK_MS);
  expect(taken).toHaveLength(0);
  // A path that can't be followed, as one in a folder that is closed to us: not "no such file".
  renameSync(key, `${key}.old`);
  symlinkSync(key, key);
  jest.advanceTimersByTime(LOOK_MS);
  expect(taken).toHaveLength(0);
  chmodSync(second.keyFile, 0o644);
  renameSync(second.certificateFile, certificate);
  renameSync(second.keyFile, key);
  jest.advanceTimersByTime(LOOK_MS);
  expect(taken).toHaveLength(0);
  chmodSync(key, 0o600);
  jest.advanceTimersByTime(LOOK_MS);
  expect(taken).toHaveLength(1);
  jest.advanceTimersByTime(LOOK_MS);
  expect(taken).toHaveLength(1);
  files.stop();
});
