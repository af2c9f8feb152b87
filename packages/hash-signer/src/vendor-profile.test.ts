import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { loadConfig } from '@sigillum/service-kit';
import { chooseSizes, getWindow } from './token-setup.ts';
import { listReturnCodes, type VendorProfile, vendorProfileSchema } from './vendor-profile.ts';

const folder = resolve(import.meta.dirname, '../../../hsm/profiles');
const names = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const load = (name: string): VendorProfile => loadConfig(join(folder, name), vendorProfileSchema);

describe('the vendor profiles', () => {
  test('are those of the modules that we know', () => {
    expect(names.toSorted()).toEqual([
      'cloudhsm.yaml',
      'luna.yaml',
      'nshield.yaml',
      'nss.yaml',
      'softhsm.yaml',
      'yubihsm.yaml',
    ]);
  });

  test.each(names)('%s is valid, named after its file, and says whether anybody has tried it', (name) => {
    const profile = load(name);
    expect(`${profile.name}.yaml`).toBe(name);
    expect(profile.tried).toBe(['softhsm', 'nss'].includes(profile.name));
    // Whoever opens the file must see it at once.
    expect(readFileSync(join(folder, name), 'utf8').includes('not tried on hardware')).toBe(!profile.tried);
    expect(profile.notes.length).toBeGreaterThan(100);
  });

  test('change the class of a return code, and give the sizes of tokens that say none', () => {
    const profile = load('cloudhsm.yaml');
    expect(listReturnCodes(profile)).toEqual([[0x6, 'busy']]);
    const token = { label: 'hsm1', serial: '1', pin_file: '/pin', reserved_lanes: {}, watchdog_ms: {} };
    expect(chooseSizes(token, profile)).toEqual({ signers: 2, lanes: 16 });
    expect(chooseSizes({ ...token, lanes: 3 }, profile)).toEqual({ signers: 2, lanes: 3 });
  });

  test('of many lanes widen the window, so that each has its next digest behind it, unless the configuration says', () => {
    expect(getWindow({ lanes: 2, limits: {} })).toBe(16);
    expect(getWindow({ lanes: 16, limits: {} })).toBe(32);
    expect(getWindow({ lanes: 16, limits: { in_flight_per_purpose: 5 } })).toBe(5);
  });

  test.each([
    { return_codes: { '6': 'busy' } },
    { return_codes: { '0x6': 'sometimes' } },
    { key_attributes: { unknown: ['LOCAL'] } },
    { key_attributes: { reads_back: { CKA_LOCAL: 'no' } } },
    { lanes: 0 },
    { tried: 'yes' },
    { surprise: true },
  ])('with %j is refused', (change) => {
    expect(vendorProfileSchema.safeParse(load('softhsm.yaml')).success).toBe(true);
    expect(vendorProfileSchema.safeParse({ ...load('softhsm.yaml'), ...change }).success).toBe(false);
  });
});
