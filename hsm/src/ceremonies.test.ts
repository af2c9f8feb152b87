import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodePem, parseCertificate, parseCrl } from '@sigillum/pki';
import { readDevelopmentPlans } from './development/development-plans.ts';
import { describePlan } from './plan/list-outputs.ts';
import { parsePlan } from './plan/parse-plan.ts';
import { verifyTranscript } from './transcript/verify-transcript.ts';

const main = join(import.meta.dirname, 'main.ts');
const templates = join(import.meta.dirname, '..', 'templates');
const node = [process.execPath, '--conditions=source'] as const;
const baseUrl = 'http://127.0.0.1:8480';
const leaves = ['p256', 'p384', 'rsa-pss-3072', 'rsa-2048'];

const root = mkdtempSync(join(tmpdir(), 'ceremony-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const run = (...args: string[]) => spawnSync(node[0], [node[1], main, ...args], { encoding: 'utf8' });
const develop = (home: string) => run('development-pki', '--home', home, '--base-url', baseUrl);
const steps = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { step: string; state: string; code?: string });
const openssl = (...args: string[]) => spawnSync('openssl', args, { encoding: 'utf8' });

/** Runs a plan with the PIN on descriptor 3, as an officer does. */
function runPlan(home: string, plan: string, pin: string, ...args: string[]) {
  const planPath = join(home, 'plan.yaml');
  const pinPath = join(home, 'pin');
  writeFileSync(planPath, plan);
  writeFileSync(pinPath, pin, { mode: 0o600 });
  const descriptor = openSync(pinPath, 'r');
  try {
    return spawnSync(
      node[0],
      [node[1], main, 'run', planPath, '--home', home, '--base-url', baseUrl, '--pin-fd', '3', ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', descriptor] },
    );
  } finally {
    closeSync(descriptor);
    rmSync(pinPath);
  }
}

const readTemplate = (step: string) => {
  const plan = readDevelopmentPlans().find((candidate) => candidate.step === step);
  if (!plan) throw new Error(`no step ${step}`);
  return plan.parsed.text;
};
const pinOf = (home: string, token: string) => readFileSync(join(home, `secrets/${token}-user.pin`), 'utf8');
const certificateAt = (home: string, path: string) =>
  parseCertificate(decodePem(readFileSync(join(home, path), 'utf8'))[0] ?? new Uint8Array());
const transcripts = (home: string) => readdirSync(join(home, 'transcripts')).sort();
const events = (home: string, name: string) =>
  readFileSync(join(home, 'transcripts', name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { event: Record<string, unknown> }).event);
const lastEvents = (home: string) => events(home, transcripts(home).at(-1) ?? '');
const files = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
const fingerprint = (folder: string) =>
  files(folder)
    .filter((path) => !path.includes('/tokens/softhsm/'))
    .map((path) => `${path.slice(folder.length)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);

function verifyWithOpenssl(home: string, leaf: string, ca: string, purpose: string, ...more: string[]) {
  const crls = join(home, 'crls.pem');
  writeFileSync(
    crls,
    ['root', 'issuing-ca', 'tsa-ca'].map((name) => readFileSync(join(home, `pki/${name}.crl.pem`))).join(''),
  );
  const chain = ['-CAfile', join(home, 'pki/root.pem'), '-untrusted', join(home, `pki/${ca}.pem`), '-CRLfile', crls];
  const { stdout, stderr } = openssl(
    'verify',
    '-x509_strict',
    '-crl_check_all',
    '-purpose',
    purpose,
    ...chain,
    ...more,
    join(home, `pki/${leaf}.pem`),
  );
  return stdout + stderr;
}

/** Calls the tool's functions in a process of their own (the native addon stays out of this one), with another time. */
function runAt(home: string, days: number, code: string) {
  const script = `
    import { Home, createContext, createDevelopmentPinSource, findSofthsmModule, makeDevelopmentPki, readDevelopmentPlans,
      renewCrls, renewLeaves, softhsmConfiguration, writeSofthsmConfiguration } from '@sigillum/ceremony';
    const home = new Home(${JSON.stringify(home)});
    writeSofthsmConfiguration(home);
    process.env.SOFTHSM2_CONF = home.resolve(softhsmConfiguration);
    const plans = readDevelopmentPlans();
    const now = () => new Date(Date.now() + ${days} * 86_400_000);
    const context = { ...createContext(home, { path: findSofthsmModule() }, createDevelopmentPinSource(home, plans), undefined), now };
    const report = (progress) => console.log(JSON.stringify(progress));
    ${code}
    context.tokens.close();`;
  const args = [node[1], '--input-type=module', '--eval', script];
  const result = spawnSync(node[0], args, { encoding: 'utf8', cwd: import.meta.dirname });
  expect(result.stderr).toBe('');
  return steps(result.stdout);
}

let home = '';
let firstStart: ReturnType<typeof develop>;
/** A copy of the home, whose tokens work there too: what a test does to it harms no other. */
const copyHome = () => {
  const copy = mkdtempSync(join(root, 'copy-'));
  cpSync(home, copy, { recursive: true });
  return copy;
};

beforeAll(() => {
  home = mkdtempSync(join(root, 'home-'));
  firstStart = develop(home);
});

describe('the development PKI', () => {
  test('is made by its plans, each with a transcript that is whole', () => {
    expect(firstStart.stderr).toBe('');
    expect(firstStart.status).toBe(0);
    const done = steps(firstStart.stdout).filter(({ state }) => state === 'done');
    expect(done.map(({ step }) => step)).toEqual(readDevelopmentPlans().map(({ step }) => step));
    expect(transcripts(home)).toHaveLength(done.length);
    for (const name of transcripts(home)) {
      const { report, outcome } = verifyTranscript(join(home, 'transcripts', name));
      expect({ intact: report.intact, outcome }).toEqual({ intact: true, outcome: 'completed' });
      expect(events(home, name).every((event) => event['development'] === true)).toBe(true);
    }
  });

  test('passes openssl for each purpose, with all CRLs', () => {
    for (const leaf of leaves) expect(verifyWithOpenssl(home, leaf, 'issuing-ca', 'smimesign')).toMatch(/: OK$/m);
    expect(verifyWithOpenssl(home, 'tsu', 'tsa-ca', 'timestampsign')).toMatch(/: OK$/m);
    expect(verifyWithOpenssl(home, 'p256', 'issuing-ca', 'timestampsign')).not.toMatch(/: OK$/m);
    const tls = (name: string, purpose: string, ...more: string[]) =>
      openssl(
        'verify',
        '-x509_strict',
        '-purpose',
        purpose,
        ...more,
        '-CAfile',
        join(home, 'tls/root.pem'),
        join(home, `tls/${name}.pem`),
      ).stdout;
    expect(tls('hash-signer', 'sslserver', '-verify_hostname', 'localhost')).toMatch(/: OK$/m);
    expect(tls('hash-signer', 'sslserver', '-verify_ip', '127.0.0.1')).toMatch(/: OK$/m);
    expect(tls('document-service', 'sslclient')).toMatch(/: OK$/m);
    expect(tls('tsa', 'sslclient')).toMatch(/: OK$/m);
    expect(tls('tsa', 'sslserver')).not.toMatch(/: OK$/m);
    expect(tls('hash-signer', 'sslclient')).not.toMatch(/: OK$/m);
  });

  test('has exactly the extensions of its profiles', () => {
    const extensions = (path: string) =>
      openssl('x509', '-in', join(home, path), '-noout', '-text')
        .stdout.split('X509v3 extensions:\n')[1]
        ?.split(/^ {4}Signature/m)[0]
        ?.replace(/([0-9A-F]{2}:){19}[0-9A-F]{2}/g, 'ID')
        .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT/g, 'TIME')
        .replace(/\s+/g, ' ')
        .trim();
    const identifiers = 'X509v3 Subject Key Identifier: ID X509v3 Authority Key Identifier: ID';
    const published = (ca: string) =>
      `X509v3 CRL Distribution Points: Full Name: URI:${baseUrl}/pki/${ca}.crl ` +
      `Authority Information Access: CA Issuers - URI:${baseUrl}/pki/${ca}.cer`;
    const ca = 'X509v3 Key Usage: critical Certificate Sign, CRL Sign';
    expect(extensions('pki/root.pem')).toBe(
      `X509v3 Basic Constraints: critical CA:TRUE, pathlen:1 ${ca} ${identifiers}`,
    );
    for (const name of ['issuing-ca', 'tsa-ca']) {
      const expected = `X509v3 Basic Constraints: critical CA:TRUE, pathlen:0 ${ca} ${identifiers} ${published('root')}`;
      expect(extensions(`pki/${name}.pem`)).toBe(expected);
    }
    for (const leaf of leaves) {
      const expected = `X509v3 Key Usage: critical Non Repudiation ${identifiers} ${published('issuing-ca')}`;
      expect(extensions(`pki/${leaf}.pem`)).toBe(expected);
    }
    expect(extensions('pki/tsu.pem')).toBe(
      'X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: critical Time Stamping ' +
        `${identifiers} X509v3 Private Key Usage Period: Not Before: TIME, Not After: TIME ${published('tsa-ca')}`,
    );
    expect(extensions('tls/hash-signer.pem')).toBe(
      `X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: TLS Web Server Authentication ${identifiers} ` +
        'X509v3 Subject Alternative Name: URI:spiffe://sigillum.internal/hash-signer, DNS:localhost, IP Address:127.0.0.1',
    );
    expect(extensions('tls/tsa.pem')).toBe(
      `X509v3 Key Usage: critical Digital Signature X509v3 Extended Key Usage: TLS Web Client Authentication ${identifiers} ` +
        'X509v3 Subject Alternative Name: URI:spiffe://sigillum.internal/tsa',
    );
  });

  test('has CRLs that openssl verifies, younger than every certificate begins, and public copies', () => {
    for (const ca of ['root', 'issuing-ca', 'tsa-ca']) {
      const path = join(home, `pki/${ca}.crl`);
      const { stdout, stderr } = openssl(
        'crl',
        '-inform',
        'DER',
        '-in',
        path,
        '-noout',
        '-text',
        '-CAfile',
        join(home, `pki/${ca}.pem`),
      );
      expect(stderr).toContain('verify OK');
      expect(stdout).toMatch(/CRL Number:\s+1/);
      expect(stdout).toContain('X509v3 Authority Key Identifier');
      const crl = parseCrl(readFileSync(path));
      expect(crl.nextUpdate.getTime() - crl.thisUpdate.getTime()).toBe(30 * 86_400_000);
      for (const name of [...leaves, 'tsu', 'issuing-ca', 'tsa-ca', 'root']) {
        expect(certificateAt(home, `pki/${name}.pem`).notBefore.getTime()).toBeLessThan(crl.thisUpdate.getTime());
      }
      expect(readFileSync(join(home, `pki/public/${ca}.crl`))).toEqual(readFileSync(path));
      expect(readFileSync(join(home, `pki/public/${ca}.cer`))).toEqual(
        Buffer.from(certificateAt(home, `pki/${ca}.pem`).der),
      );
    }
    expect(readFileSync(join(home, 'pki/public/root.pem'))).toEqual(readFileSync(join(home, 'pki/root.pem')));
    expect(readdirSync(join(home, 'pki/public')).sort()).toEqual([
      'issuing-ca.cer',
      'issuing-ca.crl',
      'root.cer',
      'root.crl',
      'root.pem',
      'tsa-ca.cer',
      'tsa-ca.crl',
    ]);
  });

  test('keeps private keys in tokens, TLS keys in files of their owner, and PINs in secrets alone', () => {
    const pins = ['ca-so', 'ca-user', 'service-so', 'service-user'].map((name) =>
      readFileSync(join(home, `secrets/${name}.pin`), 'utf8'),
    );
    expect(new Set(pins).size).toBe(4);
    expect(statSync(join(home, 'secrets')).mode & 0o777).toBe(0o700);
    expect(statSync(join(home, 'tokens/softhsm')).mode & 0o777).toBe(0o700);
    const withKeys: string[] = [];
    for (const path of files(home)) {
      const name = path.slice(home.length + 1);
      const bytes = readFileSync(path);
      if (bytes.includes('PRIVATE KEY')) withKeys.push(name);
      if (/^(secrets|tokens\/softhsm)\/|\.key$/.test(name))
        expect([name, statSync(path).mode & 0o077]).toEqual([name, 0]);
      for (const pin of pins) {
        expect([name, bytes.includes(pin)]).toEqual([name, name.startsWith('secrets/') && bytes.toString() === pin]);
      }
    }
    expect(withKeys).toEqual(['tls/document-service.key', 'tls/hash-signer.key', 'tls/root.key', 'tls/tsa.key']);
    for (const pin of pins) expect(firstStart.stdout + firstStart.stderr).not.toContain(pin);
  });

  test('writes what the token says of each key into the transcript', () => {
    const name = transcripts(home).find((candidate) => candidate.includes('generate-key-p256')) ?? '';
    const attributes = events(home, name).find(({ check }) => String(check).startsWith('attributes'))?.['value'];
    expect(attributes).toMatchObject({
      CKA_EXTRACTABLE: false,
      CKA_NEVER_EXTRACTABLE: true,
      CKA_ALWAYS_SENSITIVE: true,
      CKA_LOCAL: true,
      CKA_MODIFIABLE: false,
      CKA_ALLOWED_MECHANISMS: [0x1041],
    });
  });

  test('is left alone by a second start, and belongs to its base URL', () => {
    const before = fingerprint(home);
    const again = develop(home);
    expect(again.status).toBe(0);
    expect(new Set(steps(again.stdout).map(({ state }) => state))).toEqual(new Set(['skipped']));
    const other = run('development-pki', '--home', home, '--base-url', 'http://127.0.0.1:9999');
    expect(other.status).toBe(1);
    expect(steps(other.stdout).at(-1)).toMatchObject({ state: 'failed', code: 'ceremony_home_conflict' });
    expect(fingerprint(home)).toEqual(before);
  });
});

describe('a PKI that was cut short', () => {
  test('is completed after kill -9 in the middle of any step', async () => {
    const cut = mkdtempSync(join(root, 'cut-'));
    const plans = readDevelopmentPlans();
    // Each round dies two steps later, at once or a few milliseconds into it.
    for (const [round, { step }] of plans.filter((_plan, index) => index % 2 === 1).entries()) {
      const child: ChildProcess = spawn(node[0], [
        node[1],
        main,
        'development-pki',
        '--home',
        cut,
        '--base-url',
        baseUrl,
      ]);
      let seen = '';
      child.stdout?.on('data', (chunk: Buffer) => {
        seen += chunk.toString();
        if (seen.includes(`"step":"${step}","state":"running"`))
          setTimeout(() => child.kill('SIGKILL'), (round * 7) % 23);
      });
      await once(child, 'close');
    }
    const last = develop(cut);
    expect(last.stderr).toBe('');
    expect(last.status).toBe(0);
    for (const leaf of leaves) expect(verifyWithOpenssl(cut, leaf, 'issuing-ca', 'any')).toMatch(/: OK$/m);
    expect(files(cut).filter((path) => path.endsWith('.draft'))).toEqual([]);
    // Every key has one manifest, on the token that is recorded.
    const keys = runAt(
      cut,
      0,
      `
      for (const label of ['sigillum-ca', 'sigillum-service'])
        for (const key of context.tokens.open({ label }).listKeys()) report({ step: key.label, state: key.keyId });`,
    );
    const manifests = readdirSync(join(cut, 'keys')).map((name) =>
      JSON.parse(readFileSync(join(cut, 'keys', name), 'utf8')),
    );
    expect(keys.map(({ state }) => state).sort()).toEqual(manifests.map(({ key_id }) => key_id).sort());
  }, 180_000);

  test('takes over a key whose manifest was not written, and makes no second one', () => {
    const copy = copyHome();
    const path = join(copy, 'keys/p384.json');
    const before = JSON.parse(readFileSync(path, 'utf8'));
    rmSync(path);
    expect(develop(copy).status).toBe(0);
    const after = JSON.parse(readFileSync(path, 'utf8'));
    expect({ ...after, created: '' }).toEqual({ ...before, created: '' });
    expect(lastEvents(copy).map(({ check }) => check)).toContain('unpublished key is adopted');
  });

  test('is not begun anew when a token with keys has lost its record', () => {
    const copy = copyHome();
    rmSync(join(copy, 'tokens/sigillum-service.json'));
    const objects = files(join(copy, 'tokens/softhsm'));
    const result = develop(copy);
    expect(steps(result.stdout).at(-1)).toMatchObject({ state: 'failed', code: 'ceremony_home_conflict' });
    expect(files(join(copy, 'tokens/softhsm'))).toEqual(objects);
  });

  test('gets a token back that SoftHSM emptied when it was killed during a login', () => {
    const copy = copyHome();
    const objects = files(join(copy, 'tokens/softhsm')).filter((path) => path.endsWith('token.object'));
    expect(objects).toHaveLength(2);
    for (const path of objects) writeFileSync(path, readFileSync(path).subarray(0, path === objects[0] ? 0 : 100));
    const lost = runPlan(copy, `${readTemplate('issue-crl root')}renewal: true\n`, pinOf(copy, 'ca'));
    expect(lost.status).toBe(1);
    const repaired = steps(run('repair-tokens', '--home', copy).stdout);
    expect(repaired.map(({ step }) => step)).toEqual(['repair token sigillum-ca', 'repair token sigillum-service']);
    expect(runPlan(copy, `${readTemplate('issue-crl root')}renewal: true\n`, pinOf(copy, 'ca')).stderr).toBe('');
  });

  test('is refused when a result is damaged, and the result stays as it is', () => {
    const copy = copyHome();
    writeFileSync(join(copy, 'pki/p256.pem'), readFileSync(join(copy, 'pki/p384.pem')));
    const result = develop(copy);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain('pki/p256.pem is for another key');
  });
});

describe('renewal', () => {
  test('does nothing while nothing is due', () => {
    const before = fingerprint(home);
    for (const command of ['renew-leaves', 'renew-crls']) {
      const result = run(command, '--home', home);
      expect(result.status).toBe(0);
      expect(steps(result.stdout).every(({ state }) => state === 'skipped')).toBe(true);
    }
    expect(fingerprint(home)).toEqual(before);
  });

  test('gives CRLs past half of their life a successor, and TLS certificates too', () => {
    const copy = copyHome();
    const keysBefore = readFileSync(join(copy, 'tls/tsa.key'));
    const serialBefore = certificateAt(copy, 'tls/tsa.pem').serialNumber;
    const done = runAt(copy, 16, 'await renewLeaves(plans, context, report); await renewCrls(plans, context, report);')
      .filter(({ state }) => state === 'done')
      .map(({ step }) => step);
    expect(done).toEqual([
      'issue-certificate tls-hash-signer',
      'issue-certificate tls-document-service',
      'issue-certificate tls-tsa',
      'issue-crl root',
      'issue-crl issuing-ca',
      'issue-crl tsa-ca',
    ]);
    for (const ca of ['root', 'issuing-ca', 'tsa-ca']) {
      expect(parseCrl(readFileSync(join(copy, `pki/${ca}.crl`))).number).toBe(2n);
      expect(readFileSync(join(copy, `pki/public/${ca}.crl`))).toEqual(readFileSync(join(copy, `pki/${ca}.crl`)));
    }
    expect(certificateAt(copy, 'tls/tsa.pem').serialNumber).not.toBe(serialBefore);
    expect(readFileSync(join(copy, 'tls/tsa.key'))).toEqual(keysBefore);
  });

  test('gives leaves near their end a new certificate for the same key, and a CRL that is younger', () => {
    const copy = copyHome();
    const before = leaves.map((name) => certificateAt(copy, `pki/${name}.pem`));
    const now = Math.floor(Date.now() / 1000) + 340 * 86_400;
    runAt(copy, 339, 'await renewCrls(plans, context, report);');
    const done = runAt(copy, 340, 'await renewLeaves(plans, context, report); await renewCrls(plans, context, report);')
      .filter(({ state }) => state === 'done')
      .map(({ step }) => step);
    expect(done).toEqual([
      ...leaves.map((name) => `issue-certificate ${name}`),
      'issue-certificate tls-hash-signer',
      'issue-certificate tls-document-service',
      'issue-certificate tls-tsa',
      'issue-crl issuing-ca',
    ]);
    for (const [index, name] of leaves.entries()) {
      const after = certificateAt(copy, `pki/${name}.pem`);
      expect(Buffer.from(after.spki)).toEqual(Buffer.from(before[index]?.spki ?? []));
      expect(after.notAfter.getTime()).toBeGreaterThan(before[index]?.notAfter.getTime() ?? 0);
      expect(after.crlUrls).toEqual(before[index]?.crlUrls);
      expect(verifyWithOpenssl(copy, name, 'issuing-ca', 'any', '-attime', String(now + 60))).toMatch(/: OK$/m);
    }
  });

  test('that would change more than serial number and times is refused before the CA key signs', () => {
    const copy = copyHome();
    const before = readFileSync(join(copy, 'pki/p256.pem'));
    const plan = `${readTemplate('issue-certificate p256').replace('Development Seal', 'Other Seal')}renewal: true\n`;
    const result = runPlan(copy, plan, pinOf(copy, 'ca'));
    expect(result.stderr).toMatch(/^ceremony_renewal_differs: .*the subject/);
    expect(readFileSync(join(copy, 'pki/p256.pem'))).toEqual(before);
    expect(lastEvents(copy).some(({ phase, type }) => type === 'ceremony.phase' && phase === 'act')).toBe(false);
  });
});

describe('a ceremony', () => {
  test('with a wrong PIN ends after one attempt and leaves a transcript that says so', () => {
    const copy = copyHome();
    const plan = readTemplate('generate-key p256')
      .replaceAll('p256', 'p256-next')
      .replace('spec: p256-next', 'spec: p256')
      .replace('ecdsa-p256-next', 'ecdsa-p256');
    const result = runPlan(copy, plan, 'not-the-pin');
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/^pkcs11_pin_rejected/);
    expect(lastEvents(copy).at(-1)).toMatchObject({
      type: 'ceremony.failed',
      phase: 'preflight',
      code: 'pkcs11_pin_rejected',
    });
    expect(verifyTranscript(join(copy, 'transcripts', transcripts(copy).at(-1) ?? ''))).toMatchObject({
      outcome: 'failed',
      report: { intact: true },
    });
    expect(existsSync(join(copy, 'keys/p256-next.json'))).toBe(false);
    // The same plan with the right PIN then works: nothing was left behind.
    expect(runPlan(copy, plan, pinOf(copy, 'service')).stderr).toBe('');
    expect(existsSync(join(copy, 'keys/p256-next.json'))).toBe(true);
  });

  test('never replaces an output, nor makes a second key of a name', () => {
    const copy = copyHome();
    const plan = readTemplate('generate-key p256');
    const pin = pinOf(copy, 'service');
    expect(runPlan(copy, plan, pin).stderr).toMatch(/^ceremony_output_exists: keys\/p256.json/);
    expect(runPlan(copy, plan.replace('keys/p256.json', 'keys/other.json'), pin).stderr).toMatch(
      /^ceremony_key_exists/,
    );
    expect(runPlan(copy, readTemplate('issue-crl root'), pinOf(copy, 'ca')).stderr).toMatch(/^ceremony_output_exists/);
    expect(fingerprint(join(copy, 'keys'))).toEqual(fingerprint(join(home, 'keys')));
    expect(fingerprint(join(copy, 'pki'))).toEqual(fingerprint(join(home, 'pki')));
  });

  test('revokes a certificate, which stays revoked on the next list', () => {
    const copy = copyHome();
    const serial = certificateAt(copy, 'pki/p256.pem').serialNumber;
    const time = new Date(Date.now() - 1000).toISOString();
    const entry = `revoked: [{ serial_number: ${serial}, time: ${time}, reason: keyCompromise }]\nrenewal: true`;
    const plan = readTemplate('issue-crl issuing-ca');
    expect(runPlan(copy, plan.replace('revoked: []', entry), pinOf(copy, 'ca')).stderr).toBe('');
    expect(verifyWithOpenssl(copy, 'p256', 'issuing-ca', 'any')).toContain('certificate revoked');
    expect(verifyWithOpenssl(copy, 'p384', 'issuing-ca', 'any')).toMatch(/: OK$/m);
    expect(runPlan(copy, plan.replace('revoked: []', 'revoked: []\nrenewal: true'), pinOf(copy, 'ca')).stderr).toBe('');
    const crl = parseCrl(readFileSync(join(copy, 'pki/issuing-ca.crl')));
    expect([crl.number, crl.revoked.get(serial)?.reason]).toEqual([3n, 'keyCompromise']);
  });

  test('certifies only what its profile and the purpose of the key allow', () => {
    const copy = copyHome();
    const pin = pinOf(copy, 'ca');
    const plan = readTemplate('issue-certificate p256').replace('pki/p256.pem', 'pki/new.pem');
    const refused: [string, RegExp][] = [
      [plan.replace('keys/p256.json', 'keys/canary.json'), /^ceremony_input_invalid: A key for canary/],
      [plan.replace('keys/p256.json', 'keys/tsu.json'), /^ceremony_input_invalid: A key for timestamp/],
      [plan.replace('  country: FR\n', ''), /^pki_profile_violated: .*country/],
      [plan.replace('— no legal value', 'Ltd'), /^pki_profile_violated: .*no legal value/],
      [plan.replace(/^crl_url.*\n/m, ''), /^pki_profile_violated: .*CRL distribution point/],
      [plan.replace('days: 365', 'days: 2000'), /^pki_profile_violated: .*validity/],
      [
        plan.replace('key: { manifest: keys/issuing-ca.json }', 'key: { manifest: keys/tsa-ca.json }'),
        /^ceremony_input_invalid/,
      ],
      [
        plan.replace('key: { manifest: keys/issuing-ca.json }', 'key: { manifest: keys/p384.json }'),
        /may not sign certificates/,
      ],
    ];
    for (const [changed, why] of refused) {
      expect(changed).not.toBe(plan);
      expect(runPlan(copy, changed, pin).stderr).toMatch(why);
      expect(lastEvents(copy).at(-1)).toMatchObject({ type: 'ceremony.failed', phase: 'preflight' });
    }
    expect(existsSync(join(copy, 'pki/new.pem'))).toBe(false);
  });

  test('is the one that was confirmed, or none', () => {
    const copy = copyHome();
    const plan = `${readTemplate('issue-crl root')}renewal: true\n`;
    const sha256 = createHash('sha256').update(plan).digest('hex');
    const wrong = runPlan(
      copy,
      plan,
      pinOf(copy, 'ca'),
      '--confirm',
      sha256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    );
    expect(wrong.stderr).toMatch(/^ceremony_not_confirmed/);
    expect(lastEvents(copy).at(-1)).toMatchObject({ type: 'ceremony.failed', phase: 'confirm' });
    expect(runPlan(copy, plan, pinOf(copy, 'ca'), '--confirm', sha256).stderr).toBe('');
    expect(lastEvents(copy)[0]).toMatchObject({ type: 'ceremony.started', plan_sha256: sha256, plan });
  });

  test('says how to use it when the command line is wrong', () => {
    for (const args of [
      [],
      ['dance'],
      ['run'],
      ['development-pki', '--home', home],
      ['renew-crls', '--pin-fd', '3', '--home', home],
      ['run', 'x', '--home', home, '--base-url', 'ftp://x'],
    ]) {
      const result = run(...args);
      expect([args, result.status]).toEqual([args, 64]);
      expect(result.stderr).toContain('Usage:');
    }
    expect(run('run', '/nowhere.yaml', '--home', home).stderr).toMatch(/^ceremony_plan_invalid/);
  });
});

describe('a vendor profile', () => {
  const profiles = join(import.meta.dirname, '..', 'profiles');
  const plan = readTemplate('generate-key p256')
    .replaceAll('p256', 'p256-more')
    .replace('spec: p256-more', 'spec: p256')
    .replace('ecdsa-p256-more', 'ecdsa-p256');

  test('of the module at hand changes nothing, and stands in the transcript', () => {
    const copy = copyHome();
    const profile = join(profiles, 'softhsm.yaml');
    expect(runPlan(copy, plan, pinOf(copy, 'service'), '--profile', profile).stderr).toBe('');
    const noted = lastEvents(copy).find(({ check }) => String(check).startsWith('vendor profile'));
    expect(noted).toMatchObject({ value: { name: 'softhsm', tried: true, unknown: [], reads_back: {} } });
  });

  test('excuses no attribute that the module does know: no key is left, and nothing is published', () => {
    const copy = copyHome();
    const pin = pinOf(copy, 'service');
    const result = runPlan(copy, plan, pin, '--profile', join(profiles, 'nss.yaml'));
    expect(result.stderr).toMatch(/^pkcs11_key_attributes_wrong: .*CKA_COPYABLE/);
    expect(existsSync(join(copy, 'keys/p256-more.json'))).toBe(false);
    // The name is free again.
    expect(runPlan(copy, plan, pin).stderr).toBe('');
  });

  test.each([
    ['another version', 'version: 2\nname: x\ntried: true\n'],
    ['an attribute by another name', 'version: 1\nname: x\ntried: true\nkey_attributes: { unknown: [LOCAL] }\n'],
    ['no YAML', '{'],
  ])('with %s is refused before anything is done', (_what, text) => {
    const path = join(root, 'wrong-profile.yaml');
    writeFileSync(path, text);
    const result = runPlan(copyHome(), plan, 'pin', '--profile', path);
    expect([result.status, result.stderr]).toEqual([1, expect.stringMatching(/^config_invalid: .*wrong-profile/)]);
  });

  const softokn = ['x86_64', 'aarch64']
    .map((machine) => `/usr/lib/${machine}-linux-gnu/libsoftokn3.so`)
    .find((path) => existsSync(path));

  test('lets a ceremony make keys on NSS softokn, which it refuses without one', () => {
    if (softokn === undefined) throw new Error('NSS softokn is not installed (libnss3)');
    const folder = mkdtempSync(join(root, 'nss-'));
    const database = join(folder, 'db');
    mkdirSync(database);
    // The space at the end belongs to it.
    const parameters = `configdir='sql:${database}' certPrefix='' keyPrefix='' secmod='' flags= dbTokenDescription='sigillum-service' `;
    // NSS has no SO PIN: on a new database the SO logs in with none, once, and sets the user's.
    const script = `
      import { createRequire } from 'node:module';
      const { PKCS11 } = createRequire(${JSON.stringify(join(import.meta.dirname, '../../packages/pkcs11/src/x.ts'))})('pkcs11js');
      const native = new PKCS11();
      native.load(${JSON.stringify(softokn)});
      native.C_Initialize({ flags: 2, libraryParameters: ${JSON.stringify(parameters)} });
      const slot = native.C_GetSlotList(true).find((id) => native.C_GetTokenInfo(id).label.startsWith('sigillum-service'));
      const session = native.C_OpenSession(slot, 6);
      native.C_Login(session, 0, '');
      native.C_InitPIN(session, 'pin-of-nss');
      native.C_CloseSession(session);
      native.C_Finalize();`;
    expect(spawnSync(node[0], ['--input-type=module', '-e', script], { encoding: 'utf8' }).stderr).toBe('');
    const module = ['--module', softokn, '--library-parameters', parameters];
    const without = runPlan(folder, plan, 'pin-of-nss', ...module);
    expect([without.status, without.stderr]).toEqual([1, expect.stringMatching(/^pkcs11_/)]);
    const profile = ['--profile', join(profiles, 'nss.yaml')];
    for (const [name, spec, algorithm] of [
      ['p256-more', 'p256', 'ecdsa-p256-sha256'],
      ['rsa-more', 'rsa-3072', 'rsassa-pss-sha256'],
    ]) {
      const own = plan
        .replaceAll('p256-more', name ?? '')
        .replace(/^spec: .*$/m, `spec: ${spec}`)
        .replace(/^algorithm: .*$/m, `algorithm: ${algorithm}`);
      expect(runPlan(folder, own, 'pin-of-nss', ...module, ...profile).stderr).toBe('');
      const manifest = JSON.parse(readFileSync(join(folder, `keys/${name}.json`), 'utf8')) as Record<string, unknown>;
      expect(manifest).toMatchObject({ name, algorithm, key_spec: spec, token_label: 'sigillum-service' });
      const values = lastEvents(folder);
      expect(values.find(({ check }) => String(check).startsWith('vendor profile'))).toMatchObject({
        value: { name: 'nss', unknown: expect.arrayContaining(['CKA_COPYABLE']), reads_back: { CKA_LOCAL: false } },
      });
      const attributes = values.find(({ check }) => String(check).startsWith('attributes as the module'))?.['value'];
      expect(attributes).toMatchObject({ CKA_EXTRACTABLE: false, CKA_SENSITIVE: true, CKA_LOCAL: false });
    }
    // The keys are kept, and found again, by their names.
    expect(
      runPlan(folder, plan.replace('keys/p256-more', 'keys/x'), 'pin-of-nss', ...module, ...profile).stderr,
    ).toMatch(/^ceremony_key_exists/);
  });
});

describe('a transcript', () => {
  test('that was changed, cut or renamed is found', () => {
    const copy = copyHome();
    const path = join(copy, 'transcripts', transcripts(copy).find((name) => name.includes('generate-key-tsu')) ?? '');
    const original = readFileSync(path, 'utf8');
    expect(run('verify-transcript', path).status).toBe(0);
    writeFileSync(path, original.replace('"CKA_EXTRACTABLE":false', '"CKA_EXTRACTABLE":true'));
    const changed = run('verify-transcript', path);
    expect([changed.status, changed.stderr]).toEqual([
      1,
      expect.stringContaining('The hash is not that of this event.'),
    ]);
    const lines = original.trimEnd().split('\n');
    writeFileSync(path, `${lines.toSpliced(4, 1).join('\n')}\n`);
    expect(run('verify-transcript', path).status).toBe(1);
    writeFileSync(path, `${lines.slice(0, -1).join('\n')}\n`);
    expect(steps(run('verify-transcript', path).stdout)[0]).toMatchObject({ state: 'failed', outcome: 'missing' });
    writeFileSync(`${path.slice(0, -6)}-2.jsonl`, original);
    expect(run('verify-transcript', `${path.slice(0, -6)}-2.jsonl`).status).toBe(1);
  });

  test('of a later time stops a ceremony: the clock runs behind', () => {
    const copy = copyHome();
    appendFileSync(join(copy, 'transcripts/29990101T000000000Z-issue-crl-root.jsonl'), '');
    const result = runPlan(copy, `${readTemplate('issue-crl root')}renewal: true\n`, pinOf(copy, 'ca'));
    expect(result.stderr).toMatch(/^ceremony_check_failed: The clock says/);
  });
});

describe('a plan', () => {
  test('is refused with all its problems when anything in it is not understood', () => {
    const plan = readTemplate('issue-certificate p256');
    const refuse = (text: string, why: RegExp) => {
      expect(text).not.toBe(plan);
      expect(() => parsePlan(text, 'plan.yaml')).toThrow(why);
    };
    refuse(`${plan}colour: blue\n`, /colour/);
    refuse(plan.replace('development: true', 'development: false'), /quorum/);
    refuse(plan.replace('pki/p256.pem', '../p256.pem'), /below the home/);
    refuse(plan.replace('pki/p256.pem', '/etc/p256.pem'), /below the home/);
    refuse(plan.replace('pki/p256.pem', 'pki/.hidden'), /below the home/);
    refuse(plan.replace('profile: seal', 'profile: root-ca'), /profile/);
    refuse(plan.replace('variable: base_url', 'variable: home'), /crl_url|ca_issuers_url/);
    refuse(plan.replace('issue-certificate\n', 'issue-anything\n'), /ceremony-type/);
    refuse(`${plan}description: twice\n`, /unique/);
    refuse(plan.replace('days: 365', 'days: .inf'), /validity/);
    refuse(`${plan}names: &a { uris: [*a] }\n`, /aliases|plan\.yaml/);
    expect(() => parsePlan(`${plan.replace('days: 365', 'days: 0')}colour: blue\n`, 'x')).toThrow(
      /days[^]*colour|colour[^]*days/,
    );
  });

  test.each(readdirSync(templates).filter((name) => name.endsWith('.yaml')))('template %s can be run', (name) => {
    const { plan } = parsePlan(readFileSync(join(templates, name), 'utf8'), name);
    expect(`${plan['ceremony-type']}.yaml`).toBe(name);
    expect(describePlan(plan)).toContain(plan['ceremony-type']);
  });
});
