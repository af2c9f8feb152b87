import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { opensslExtensions } from '@sigillum/testing';
import type { Kind, Stand } from './stand.ts';

/** `openssl ts -reply` with a key of the same kind in a file: a configuration for it. */
export function prepareOpenssl({ pki, ca }: Stand, kind: Kind): string {
  const tsu = pki.issue(`openssl-${kind}`, { key: kind, issuer: ca, extensions: opensslExtensions.tsu });
  // Reads back what it was given, so that a wrong kind is not measured.
  if (createPublicKey(tsu.privateKey).asymmetricKeyType !== (kind === 'p256' ? 'ec' : 'rsa')) throw new Error(kind);
  pki.write(`${kind}.serial`, '01\n');
  return pki.write(
    `${kind}.cnf`,
    `[tsa]
default_tsa = one
[one]
serial = ${pki.path(`${kind}.serial`)}
signer_cert = ${tsu.certificateFile}
certs = ${ca.certificateFile}
signer_key = ${tsu.keyFile}
signer_digest = sha256
default_policy = 2.25.99
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
`,
  );
}

/** Tokens per second of two processes at a time, one token each, as a script around it would do. */
export async function measureOpenssl(
  stand: Stand,
  kind: Kind,
  configuration: string,
  seconds: number,
): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const started = performance.now();
  let tokens = 0;
  const work = async (lane: number): Promise<void> => {
    // Two processes would fight for one serial file; each lane has its own.
    const own = stand.pki.write(
      `${kind}-${lane}.cnf`,
      readFileSync(configuration, 'utf8').replace('.serial', `-${lane}.serial`),
    );
    stand.pki.write(`${kind}-${lane}.serial`, '01\n');
    while (performance.now() < end) {
      const args = ['ts', '-reply', '-config', own, '-section', 'one', '-queryfile', stand.queryFile];
      const child = spawn('openssl', [...args, '-out', stand.pki.path(`${kind}-${lane}.tsr`)], { stdio: 'ignore' });
      const [code] = (await once(child, 'exit')) as [number | null];
      if (code !== 0) throw new Error(`openssl ts ended with ${code}`);
      tokens++;
    }
  };
  await Promise.all([work(0), work(1)]);
  return tokens / ((performance.now() - started) / 1000);
}
