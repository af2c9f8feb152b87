import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

/** `hsm/deepbind/deepbind.c`, built as it says, in front of SoftHSM. */
const root = resolve(import.meta.dirname, '../..');
const softhsm = ['/usr/lib/softhsm/libsofthsm2.so', `/usr/lib/${process.arch}-linux-gnu/softhsm/libsofthsm2.so`].find(
  (path) => existsSync(path),
);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sigillum-deepbind-'));
  writeFileSync(join(folder, 'softhsm2.conf'), `directories.tokendir = ${folder}\nlog.level = ERROR\n`);
  const flags = ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror'];
  const source = join(root, 'hsm/deepbind/deepbind.c');
  execFileSync('gcc', [...flags, '-o', join(folder, 'deepbind.so'), source, '-ldl']);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Makes a token and signs; then tells to which files the dynamic linker has bound SoftHSM's OpenSSL. */
function sign(
  module: string,
  environment: Readonly<Record<string, string>>,
): { status: number | null; bound: Set<string> } {
  const output = join(folder, `bindings-${Math.random()}`);
  const script = `
    import { loadModule } from '@sigillum/pkcs11';
    const module = loadModule(${JSON.stringify(module)});
    const label = 'deepbind' + process.pid;
    const info = module.initToken({ label, soPin: Buffer.from('so-pin-0000'), userPin: Buffer.from('user-pin-0000') });
    const token = module.openToken(info, Buffer.from('user-pin-0000'));
    const { keyId } = token.generateKeyPair({ spec: 'p256', algorithm: 'ecdsa-p256-sha256', label: 'key' });
    const signature = await token.sign(token.findKey(keyId), 'ecdsa-p256-sha256', new Uint8Array(32));
    process.exit(signature.length > 60 ? 0 : 1);`;
  const { status } = spawnSync(process.execPath, ['--conditions=source', '--input-type=module', '-e', script], {
    cwd: import.meta.dirname,
    env: {
      ...environment,
      SOFTHSM2_CONF: join(folder, 'softhsm2.conf'),
      LD_DEBUG: 'bindings',
      LD_DEBUG_OUTPUT: output,
    },
  });
  const bound = new Set<string>();
  for (const name of readdirSync(folder).filter((one) => join(folder, one).startsWith(output))) {
    const lines = readFileSync(join(folder, name), 'utf8').matchAll(
      /binding file \S*libsofthsm2\.so \[\d+\] to (\S+) \[\d+\]: normal symbol `EVP_/g,
    );
    for (const [, file = ''] of lines) bound.add(file);
  }
  return { status, bound };
}

describe('the module that loads another one with RTLD_DEEPBIND', () => {
  test('signs, and SoftHSM computes with its own OpenSSL where it would have taken that of Node', () => {
    if (softhsm === undefined) throw new Error('SoftHSM is not installed');
    const bare = sign(softhsm, {});
    expect(bare.status).toBe(0);
    expect([...bare.bound].every((file) => file.endsWith('/node'))).toBe(true);
    expect(bare.bound.size).toBe(1);
    const deep = sign(join(folder, 'deepbind.so'), { SIGILLUM_DEEPBIND_MODULE: softhsm });
    expect(deep.status).toBe(0);
    expect(deep.bound.size).toBe(1);
    expect([...deep.bound].every((file) => file.includes('libcrypto.so'))).toBe(true);
  });

  test('without a module to load is no module', () => {
    expect(sign(join(folder, 'deepbind.so'), {}).status).not.toBe(0);
  });
});
