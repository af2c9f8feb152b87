/**
 * Which workspace package may import which: the table of ARCHITECTURE.md as data.
 * Strictly downwards; a name that is missing here is a package nobody has placed yet, which is an error.
 */
export const allowedImports = {
  errors: [],
  algorithms: ['errors'],
  audit: ['errors'],
  pki: ['errors', 'algorithms'],
  pdf: ['errors'],
  pades: ['errors', 'algorithms', 'pki', 'pdf'],
  appearances: ['errors', 'pdf', 'pades'],
  'pki-sources': ['errors', 'algorithms', 'pki', 'pades'],
  pkcs11: ['errors', 'algorithms'],
  'signer-rpc': ['errors', 'algorithms'],
  'service-kit': ['errors', 'audit'],
  store: ['errors', 'audit'],
  sdk: ['errors', 'algorithms', 'pades', 'pki', 'pdf', 'appearances'],
  'hash-signer': ['errors', 'algorithms', 'audit', 'pkcs11', 'signer-rpc', 'service-kit'],
  tsa: ['errors', 'algorithms', 'audit', 'pki', 'signer-rpc', 'service-kit'],
  'document-service': [
    'errors',
    'algorithms',
    'audit',
    'pki',
    'pki-sources',
    'pdf',
    'pades',
    'appearances',
    'signer-rpc',
    'store',
    'service-kit',
  ],
  supervisor: ['errors', 'service-kit', 'store'],
  cli: ['errors', 'audit', 'pki', 'pki-sources', 'pades', 'pdf', 'sdk', 'service-kit'],
  ceremony: ['errors', 'algorithms', 'audit', 'pki', 'pkcs11', 'service-kit'],
  // Development-only: may import anything, and no package imports it outside its tests.
  testing: '*',
};

/** Packages without effects: no files, sockets or processes. `audit` names its one writer. */
export const purePackages = {
  errors: [],
  algorithms: [],
  pki: [],
  pdf: [],
  pades: [],
  appearances: [],
  audit: ['src/node-file-system.ts'],
};

export const impureModules = [
  'fs',
  'fs/promises',
  'http',
  'https',
  'http2',
  'net',
  'tls',
  'dgram',
  'dns',
  'child_process',
  'worker_threads',
  'cluster',
];

/** Only `pkcs11` loads native PKCS#11 code; only the signer processes and the ceremony use `pkcs11`. */
export const nativeModules = ['pkcs11js', 'graphene-pk11'];
export const pkcs11Users = ['packages/hash-signer/src/signer/', 'hsm/src/', 'packages/pkcs11/src/'];
