import { describe, expect, test } from '@jest/globals';
import { SigillumError } from '@sigillum/errors';
import { KnownCertificates } from '@sigillum/pki';
import { SoftwarePki } from '@sigillum/testing';
import { asOurFault } from './as-our-fault.ts';
import { assertMaySeal } from './assert-may-seal.ts';

describe('What goes wrong after preparing', () => {
  test('is told as times that do not fit together when the time-stamp is far from the signing time', () => {
    const cause = new SigillumError('pades_time_outside', 'The time-stamp is ten minutes from the signing time.');
    expect(asOurFault(cause)).toMatchObject({ code: 'seal_time_implausible', retryAfterSeconds: 5, cause });
  });

  test('is our fault where it would be the caller’s, and stays what it is where it is nobody’s', () => {
    expect(asOurFault(new SigillumError('pdf_type_wrong', 'x'))).toMatchObject({ code: 'internal_error' });
    const busy = new SigillumError('tsa_unavailable', 'x');
    expect(asOurFault(busy)).toBe(busy);
  });
});

test('A credential outside the validity of its certificate seals nothing', async () => {
  const now = new Date();
  const pki = await SoftwarePki.make('Validity', now, 30);
  const { certificate, chain } = pki.leaf;
  const credential = {
    id: '',
    organisationId: '',
    mode: 'test',
    name: 'seal',
    keyId: '00',
    algorithm: 'ecdsa-p256-sha256',
    certificate,
    chain,
    status: 'active',
    isDefault: true,
    createdAt: now,
  } as const;
  const sources = { revocationLists: { find: () => undefined }, knownCertificates: new KnownCertificates() };
  const years = 20 * 365 * 86_400_000;
  for (const at of [new Date(now.getTime() + years), new Date(now.getTime() - years)]) {
    expect(() => assertMaySeal(credential, sources, at)).toThrow(
      expect.objectContaining({ code: 'credential_expired' }),
    );
  }
  // in its validity it is asked whether it is revoked
  expect(() => assertMaySeal(credential, sources, now)).toThrow(
    expect.objectContaining({ code: 'credential_status_unknown' }),
  );
});
