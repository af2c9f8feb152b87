import { randomBytes, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFileDurably } from '@sigillum/service-kit';
import type { HomePaths } from './home-paths.ts';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 32 characters of 62 are 190 bits. */
const keyCharacters = 32;

/** Makes the secrets of the home that no other package makes: the pepper of API keys and the sandbox key. */
export function makeSecrets(paths: HomePaths): void {
  if (!existsSync(paths.pepper)) writeFileDurably(paths.pepper, `${randomBytes(32).toString('base64url')}\n`);
  if (!existsSync(paths.sandboxKey)) writeFileDurably(paths.sandboxKey, `${createSandboxKey()}\n`);
}

/** `sk_test_` and 32 random characters. */
export function createSandboxKey(): string {
  return `sk_test_${Array.from({ length: keyCharacters }, () => base62.charAt(randomInt(base62.length))).join('')}`;
}
