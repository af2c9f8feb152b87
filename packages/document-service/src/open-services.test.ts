import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLogger, createMetrics, parseConfig } from '@sigillum/service-kit';
import { hashSignerUri } from '@sigillum/signer-rpc';
import { type OpensslCertificate, OpensslPki, opensslExtensions } from '@sigillum/testing';
import { configSchema } from './config.ts';
import { openServices } from './open-services.ts';

const pki = new OpensslPki();
let root: OpensslCertificate;

beforeAll(() => {
  root = pki.issue('root', { extensions: opensslExtensions.root });
});
afterAll(() => pki.remove());

function issueClient(name: string): OpensslCertificate {
  const uri = 'subjectAltName=URI:spiffe://sigillum.internal/document-service';
  const client = pki.issue(name, { issuer: root, extensions: [uri, 'extendedKeyUsage=clientAuth'] });
  chmodSync(client.keyFile, 0o600);
  return client;
}

test('a renewed client certificate is shown to the signer without a restart, and its end is a metric', async () => {
  issueClient('client');
  const server = pki.issue('hash-signer', {
    issuer: root,
    extensions: [`subjectAltName=IP:127.0.0.1,URI:${hashSignerUri}`, 'extendedKeyUsage=serverAuth'],
  });
  const seen: string[] = [];
  const [cert, key, ca] = [server.certificateFile, server.keyFile, root.certificateFile].map((path) =>
    readFileSync(path),
  );
  const daemon = createServer({ cert, key, ca, requestCert: true, minVersion: 'TLSv1.3' }, (request, response) => {
    seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject.CN));
    response.end(JSON.stringify({ status: 'ok', purposes: { seal: 'ok' } }));
  });
  daemon.listen(0, '127.0.0.1');
  await once(daemon, 'listening');
  mkdirSync(pki.path('public'));
  chmodSync(pki.write('pepper', 'a pepper that is long enough for anybody'), 0o600);
  const yaml = `
instance: document-service-1
listen: {host: 127.0.0.1, port: 0}
public_url: http://127.0.0.1:8480
internal: {host: 127.0.0.1, port: 0}
database: {url: "postgresql://nobody@127.0.0.1:9/none"}
blobs: blobs
spool: spool
pki_directory: public
crls: [none.crl]
api_key_pepper_file: pepper
signer: {url: "https://127.0.0.1:${(daemon.address() as AddressInfo).port}", certificate: client.pem, key: client.key, roots: root.pem}
tsas: [{name: none, url: "http://127.0.0.1:9/", roots: [root.pem]}]
`;
  const config = parseConfig(yaml, { name: 'test.yaml', directory: pki.directory }, configSchema);
  const metrics = createMetrics({ service: 'document-service' });
  const logger = createLogger({ service: 'document-service', instance: 'document-service-1' });
  const opened = await openServices(config, logger, metrics);
  try {
    await opened.services.signer.health();
    const renewed = issueClient('renewed');
    renameSync(renewed.keyFile, pki.path('client.key'));
    renameSync(renewed.certificateFile, pki.path('client.pem'));
    opened.rereadTls();
    await opened.services.signer.health();
    expect(seen).toEqual(['client', 'renewed']);
    const said = await metrics.registry.getSingleMetricAsString('tls_certificate_not_after_seconds');
    const end = new X509Certificate(renewed.certificate).validToDate.getTime() / 1000;
    expect(said).toMatch(new RegExp(`certificate="signer"[^}]*\\} ${end}`));
  } finally {
    await opened.close();
    daemon.closeAllConnections();
    await new Promise((resolve) => daemon.close(resolve));
  }
});
