import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { getVerifyParameters, keySpecs } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { createFileSigner, exportSpki } from '../keys/ceremony-key.ts';
import type { GenerateKeyInFilePlan } from '../plan/plan.ts';
import type { Ceremony } from './ceremony.ts';

type Made = { readonly key: KeyObject; readonly pem: Buffer };

/** Makes a TLS key in a file of its own, readable by its owner alone. */
export function createGenerateKeyInFileCeremony(plan: GenerateKeyInFilePlan): Ceremony<undefined, Made> {
  return {
    preflight: async (_context, note) => {
      note('kind of key', plan.spec);
      return undefined;
    },
    act: async () => {
      const namedCurve = keySpecs[plan.spec].curve?.name ?? '';
      const { privateKey } = generateKeyPairSync('ec', { namedCurve });
      return { key: privateKey, pem: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
    },
    readBack: async ({ key, pem }, _context, note) => {
      const spki = Buffer.from(exportSpki(createPrivateKey(pem)));
      if (!spki.equals(exportSpki(key))) {
        throw new SigillumError('ceremony_check_failed', 'The key in the file is not the one just made.');
      }
      note('public key', spki.toString('base64'));
    },
    verify: async ({ key }, _context, note) => {
      const signer = createFileSigner(key);
      const message = Buffer.from('Sigillum key ceremony, proof of possession');
      const parameters = getVerifyParameters(signer.algorithm, createPublicKey(key));
      if (!verify(parameters.digest, message, parameters.key, await signer.signMessage(message))) {
        throw new SigillumError('ceremony_check_failed', 'The key made a signature that does not verify.');
      }
      note('signature over a text of its own verifies', signer.algorithm);
    },
    listFiles: ({ pem }) => [{ path: plan.outputs.private_key, bytes: pem, isSecret: true, replaces: false }],
  };
}
