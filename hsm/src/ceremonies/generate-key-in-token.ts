import { createPublicKey, createHash, verify } from 'node:crypto';
import { getDigestOf, getSignatureAlgorithm, getVerifyParameters, keySpecs } from '@sigillum/algorithms';
import { SigillumError } from '@sigillum/errors';
import { assertKeyAttributes, type Token } from '@sigillum/pkcs11';
import { encodeKeyManifest } from '../keys/key-manifest.ts';
import type { GenerateKeyInTokenPlan } from '../plan/plan.ts';
import type { Ceremony } from './ceremony.ts';

type Ready = { readonly token: Token; readonly adopted: string | undefined };
type Made = {
  readonly token: Token;
  readonly keyId: Uint8Array;
  readonly spki: Uint8Array;
  readonly created: Date;
};

/** Makes a key pair in a token and its manifest. */
export function createGenerateKeyInTokenCeremony(plan: GenerateKeyInTokenPlan): Ceremony<Ready, Made> {
  const { name, spec, algorithm } = plan;
  return {
    preflight: async ({ tokens }, note) => {
      if (!getSignatureAlgorithm(algorithm).keys.includes(spec)) {
        throw new SigillumError('ceremony_plan_invalid', `A key of the kind ${spec} can't sign with ${algorithm}.`);
      }
      const token = tokens.open(plan.token);
      note('token, opened with one PIN attempt', { label: token.info.label, serial: token.info.serial });
      const same = token.listKeys().filter((key) => key.label === name);
      const [first, ...others] = same;
      if (!plan.adopt_unpublished) {
        if (first) {
          throw new SigillumError(
            'ceremony_key_exists',
            `The token ${token.info.label} has a key ${name} (${first.keyId}) already. If a ceremony was cut short ` +
              'before it wrote the manifest, run it again with "adopt_unpublished: true".',
          );
        }
        note('key label is free', name);
        return { token, adopted: undefined };
      }
      if (!first || others.length > 0) {
        throw new SigillumError('ceremony_key_exists', `There are ${same.length} keys ${name}, so none is adopted.`);
      }
      if (first.spec !== spec) {
        throw new SigillumError('ceremony_key_exists', `The key ${name} is ${first.spec} and not ${spec}.`);
      }
      note('unpublished key is adopted', first.keyId);
      return { token, adopted: first.keyId };
    },
    act: async ({ token, adopted }, { now, tokens }) => {
      if (adopted !== undefined) {
        const key = token.findKey(Buffer.from(adopted, 'hex'));
        return { token, keyId: Buffer.from(adopted, 'hex'), spki: key.spki, created: now() };
      }
      const { keyId, spki } = token.generateKeyPair({
        spec,
        algorithm,
        label: name,
        ...(tokens.profile && { departures: tokens.profile.departures }),
      });
      return { token, keyId, spki, created: now() };
    },
    readBack: async ({ token, keyId, spki }, { tokens }, note) => {
      const key = token.findKey(keyId);
      if (!Buffer.from(spki).equals(key.spki) || key.label !== name) {
        throw new SigillumError('ceremony_check_failed', `The key ${name} on the token is not the one just made.`);
      }
      const attributes = token.readAttributes(key);
      // The class `non-exportable`, also for an adopted key (hsm design §4).
      const expected = { spec: keySpecs[spec], algorithm, keyId, label: name };
      assertKeyAttributes(attributes, expected, tokens.profile?.departures);
      note('attributes as the module states them; it does not sign them (no attestation)', { ...attributes });
      note('public key', Buffer.from(spki).toString('base64'));
    },
    verify: async ({ token, keyId, spki }, _context, note) => {
      // A text that is no signed attributes, certificate or token: the signature is good for nothing else.
      const message = Buffer.from(`Sigillum key ceremony, proof of possession: ${Buffer.from(keyId).toString('hex')}`);
      const digest = createHash(getDigestOf(algorithm).name).update(message).digest();
      const signature = await token.sign(token.findKey(keyId), algorithm, new Uint8Array(digest));
      const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
      const parameters = getVerifyParameters(algorithm, publicKey);
      if (!verify(parameters.digest, message, parameters.key, signature)) {
        throw new SigillumError('ceremony_check_failed', `The key ${name} made a signature that does not verify.`);
      }
      note('signature over a text of its own verifies', { message: message.toString(), algorithm });
    },
    listFiles: ({ token, keyId, spki, created }) => {
      const bytes = encodeKeyManifest({
        version: 1,
        key_id: Buffer.from(keyId).toString('hex'),
        name,
        token_label: token.info.label,
        token_serial: token.info.serial,
        key_spec: spec,
        algorithm,
        purpose: plan.purpose,
        spki: Buffer.from(spki).toString('base64'),
        created: created.toISOString(),
      });
      return [{ path: plan.outputs.manifest, bytes, isSecret: false, replaces: false }];
    },
  };
}
