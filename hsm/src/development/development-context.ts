import { randomBytes } from 'node:crypto';
import { SigillumError } from '@sigillum/errors';
import { readSecretFile } from '@sigillum/service-kit';
import type { CeremonyContext } from '../ceremonies/ceremony.ts';
import type { Home } from '../home/home.ts';
import { type ModuleChoice, type PinSource, TokenAccess } from '../keys/token-access.ts';
import type { DevelopmentPlan } from './development-plans.ts';

/** Makes a context with the system's clock and random source. */
export function createContext(
  home: Home,
  module: ModuleChoice,
  readPin: PinSource,
  baseUrl: string | undefined,
): CeremonyContext {
  return {
    home,
    tokens: new TokenAccess(module, readPin),
    baseUrl,
    now: () => new Date(),
    random: (length) => new Uint8Array(randomBytes(length)),
  };
}

/** In development the PINs lie in the home's secrets, under the names that the init-token plans give them. */
export function createDevelopmentPinSource(home: Home, plans: readonly DevelopmentPlan[]): PinSource {
  return (label) => {
    for (const { parsed } of plans) {
      const { plan } = parsed;
      if (plan['ceremony-type'] === 'init-token' && plan.token.label === label) {
        return readSecretFile(home.resolve(plan.outputs.user_pin));
      }
    }
    throw new SigillumError('ceremony_input_invalid', `The development home has no PIN for the token ${label}.`);
  };
}
