import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignerHome } from './signer-home.ts';
import { SigningRecord } from './signing-record.ts';

/** What must hold when a process, a disk or a token behaves as nobody should: nothing leaks, nothing goes on unseen. */
let home: SignerHome;

beforeAll(() => {
  home = new SignerHome();
}, 120_000);

afterAll(async () => {
  await home?.remove();
}, 60_000);

const one = { token: { signers: 1 } };

describe('a signer process', () => {
  test('opens no debugger for whoever sends it SIGUSR1', async () => {
    const signer = await home.start('debugger', one);
    const [victim] = signer.signers();
    if (victim === undefined) throw new Error('no signer process');
    process.kill(victim, 'SIGUSR1');
    // The debugger's line comes within milliseconds.
    await sleep(500);
    expect(await new SigningRecord().sign(home.connect(signer), home.key('p256'))).toEqual(['signed']);
    expect(signer.log).not.toContain('Debugger listening');
    expect(await signer.stop()).toBe(0);
  });
});
