import { expect, test } from '@jest/globals';
import { fillAddress } from './fill-fields.ts';

const fill = (template: string): string => fillAddress(template, new Map([['name', 'a b@c']]), '/qr');

test('an address of a QR code leads where it seems to: no user stands before the host', () => {
  expect(fill('https://seals.example/{name}')).toBe('https://seals.example/a%20b%40c');
  expect(fill('https://seals.example/@x')).toBe('https://seals.example/@x');
  for (const template of [
    'https://bank.example@other.example/',
    'https://bank.example:x@other.example/',
    'https://:x@other.example/',
    'https://{name}@other.example/',
  ]) {
    expect(() => fill(template)).toThrow(expect.objectContaining({ code: 'appearance_invalid' }));
  }
});
