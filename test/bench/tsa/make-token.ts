/** Run in a process of its own, because it loads the PKCS#11 module: make-token.ts MODULE PIN_FILE → manifests as JSON. */
import { readFileSync } from 'node:fs';
import { loadModule } from '@sigillum/pkcs11';

const [path = '', pinFile = ''] = process.argv.slice(2);
const pin = Buffer.from(readFileSync(pinFile, 'utf8').trim());
const plan = [
  { name: 'p256', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'timestamp' },
  { name: 'rsa-3072', spec: 'rsa-3072', algorithm: 'rsassa-pkcs1-v1_5-sha256', purpose: 'timestamp' },
  { name: 'canary', spec: 'p256', algorithm: 'ecdsa-p256-sha256', purpose: 'canary' },
] as const;
const module = loadModule(path);
// Each takes its own copy: a PIN is wiped after its use.
const info = module.initToken({ label: 'bench', soPin: Buffer.from(pin), userPin: Buffer.from(pin) });
const token = module.openToken(info, Buffer.from(pin));
const manifests = plan.map(({ name, spec, algorithm, purpose }) => {
  const made = token.generateKeyPair({ spec, algorithm, label: name });
  return {
    version: 1,
    key_id: Buffer.from(made.keyId).toString('hex'),
    name,
    token_label: info.label,
    token_serial: info.serial,
    key_spec: spec,
    algorithm,
    purpose,
    spki: Buffer.from(made.spki).toString('base64'),
    created: new Date().toISOString(),
  };
});
token.close();
module.finalize();
process.stdout.write(JSON.stringify(manifests));
