import type { TokenInfo } from '@sigillum/pkcs11';
import type { InitTokenPlan } from '../plan/plan.ts';
import { SigillumError } from '@sigillum/errors';
import type { Ceremony } from './ceremony.ts';

/** 18 bytes are 144 bits, and 24 characters of base64url: within every module's PIN length (4–64 is common). */
const pinBytes = 18;

type Made = { readonly info: TokenInfo; readonly userPin: Buffer; readonly created: Date };

/**
 * Makes a token. The PINs are made here and written where nobody but their holders reads them, before the token
 * exists: a token whose PIN was never written could not be used by anybody.
 */
export function createInitTokenCeremony(plan: InitTokenPlan): Ceremony<undefined, Made> {
  const { label } = plan.token;
  return {
    preflight: async ({ tokens }, note) => {
      if (tokens.module.listTokens().some((token) => token.label === label)) {
        throw new SigillumError('pkcs11_token_exists', `There is already a token ${label}.`);
      }
      note('token label is free', label);
      return undefined;
    },
    act: async (_ready, { home, tokens, random, now }, note) => {
      const soPin = createPin(random);
      const userPin = createPin(random);
      home.publish({ path: plan.outputs.so_pin, bytes: soPin, isSecret: true, replaces: false });
      home.publish({ path: plan.outputs.user_pin, bytes: userPin, isSecret: true, replaces: false });
      note('PINs made and written, seen by nobody', [plan.outputs.so_pin, plan.outputs.user_pin]);
      // The module wipes the buffers that it gets; one copy proves the login afterwards.
      const info = tokens.module.initToken({ label, soPin, userPin: Buffer.from(userPin) });
      return { info, userPin, created: now() };
    },
    readBack: async ({ info }, { tokens }, note) => {
      const found = tokens.module.findToken({ label, serial: info.serial });
      note('token', { label: found.label, serial: found.serial, manufacturer: found.manufacturer, model: found.model });
    },
    verify: async ({ info, userPin }, { tokens }, note) => {
      const token = tokens.module.openToken(info, userPin);
      const keys = token.listKeys().length;
      token.close();
      if (keys !== 0) throw new SigillumError('ceremony_check_failed', `The new token ${label} has keys in it.`);
      note('user PIN opens the token, which is empty', info.serial);
    },
    listFiles: ({ info, created }) => {
      const { serial, manufacturer, model } = info;
      const record = { version: 1, label, serial, manufacturer, model, created: created.toISOString() };
      const bytes = Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`);
      return [{ path: plan.outputs.record, bytes, isSecret: false, replaces: false }];
    },
  };
}

function createPin(random: (length: number) => Uint8Array): Buffer {
  return Buffer.from(Buffer.from(random(pinBytes)).toString('base64url'));
}
