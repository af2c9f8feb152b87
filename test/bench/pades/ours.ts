/**
 * usage: ours FILE COUNT OUTPUT [--cms]: seals the file COUNT times, B-T. Signature and token are made once, before, and
 * given again each time: with the same document, clock and random bytes they fit. Everything else is done each time, the
 * verification of the signature included. With --cms it prints the CPU milliseconds of CMS encoding per document instead.
 */
import { createHash, sign } from 'node:crypto';
import { readSync, writeSync } from 'node:fs';
import { sealDocument, type TimeStampSource } from '@sigillum/pades';
import { type ByteSource, createArraySource } from '@sigillum/pdf';
import { KnownCertificates, verifyTimeStampToken } from '@sigillum/pki';
import { makeSoftwareToken, SoftwarePki } from '@sigillum/testing';
import { type CopiedFile, closeCopy, copyWhileHashing } from './read-through.ts';

const [path = '', count = '', output = '', flag] = process.argv.slice(2);
/** More than the token has: the room is the same for every document, and so is its digest. */
const tokenRoom = 4096;

const pki = await SoftwarePki.make();
const known = new KnownCertificates();
let signature: Uint8Array | undefined;
let token: Awaited<ReturnType<TimeStampSource['request']>> | undefined;
let encodingUs = 0;
let startUs = 0;

for (let index = 0; index < Number(count); index += 1) {
  const copy = copyWhileHashing(path, output);
  const source = copy.whole === undefined ? readFrom(copy) : createArraySource(copy.whole);
  const sealed = await sealDocument({
    input: {
      source,
      prefixHash: {
        algorithm: 'sha256',
        finish(parts) {
          const hash = copy.hash.copy();
          for (const part of parts) hash.update(part);
          return hash.digest();
        },
      },
    },
    credential: { certificate: pki.leaf.certificate, chain: pki.leaf.chain, algorithm: 'ecdsa-p256-sha256' },
    options: { signingTime: pki.now, reason: 'Approved' },
    known,
    lastTokenSize: tokenRoom,
    ports: {
      sign: ({ signedAttributes }) => {
        stop();
        signature ??= new Uint8Array(sign('sha256', signedAttributes, pki.leaf.privateKey));
        return Promise.resolve(signature);
      },
      timeStamps: {
        request: (imprint) => {
          if (signature === undefined) throw new Error('nothing was signed');
          token ??= verifyTimeStampToken(makeSoftwareToken(pki.tsu, signature, pki.now), {
            imprint,
            roots: [pki.root.certificate],
          });
          return Promise.resolve(token);
        },
      },
      now: () => pki.now,
      random: (length) => createHash('shake256', { outputLength: length }).digest(),
    },
    hooks: { prepared: start, timeStamped: start, assembled: stop },
  });
  writeSync(copy.output, sealed.increment);
  closeCopy(copy);
}
if (flag === '--cms') process.stdout.write(`${encodingUs / 1000 / Number(count)}\n`);

/** As the service reads what it spools. */
function readFrom({ size, input }: CopiedFile): ByteSource {
  return {
    size,
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length);
      if (readSync(input, bytes, 0, length, offset) !== length) throw new RangeError('outside the file');
      return bytes;
    },
  };
}

function start(): void {
  if (flag === '--cms') startUs = readCpu();
}

function stop(): void {
  if (flag === '--cms') encodingUs += readCpu() - startUs;
}

function readCpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
