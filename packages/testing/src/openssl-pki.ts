import { execFileSync } from 'node:child_process';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Kinds of keys that OpenSSL makes for tests. */
export type OpensslKeyKind = 'p256' | 'p384' | 'rsa-2048' | 'rsa-3072';

/** A key and certificate made by the OpenSSL command line, as files and in memory. */
export type OpensslCertificate = {
  readonly name: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly privateKey: KeyObject;
};

/** Lines of an OpenSSL extension section for the certificates that the product meets. */
export const opensslExtensions = {
  root: ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash'],
  ca: [
    'basicConstraints=critical,CA:true,pathlen:0',
    'keyUsage=critical,keyCertSign,cRLSign',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ],
  seal: [
    'basicConstraints=critical,CA:false',
    'keyUsage=critical,nonRepudiation',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ],
  tsu: [
    'basicConstraints=critical,CA:false',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=critical,timeStamping',
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ],
} as const;

const keyOptions: Record<OpensslKeyKind, readonly string[]> = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'rsa-2048': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  'rsa-3072': ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:3072'],
};

/** A throw-away hierarchy in a temporary folder, made by OpenSSL so that our own encoder doesn't judge itself. */
export class OpensslPki {
  readonly directory: string = mkdtempSync(join(tmpdir(), 'sigillum-pki-'));

  /** Makes a key and a certificate, signed by `issuer` or by itself; 30 days, or `days`. */
  issue(
    name: string,
    options: {
      readonly key?: OpensslKeyKind;
      readonly issuer?: OpensslCertificate;
      readonly extensions: readonly string[];
      /** In OpenSSL's slash form. */
      readonly subject?: string;
      readonly days?: number;
    },
  ): OpensslCertificate {
    const [keyFile, request, certificateFile, extensionFile] = ['key', 'csr', 'pem', 'ext'].map((suffix) =>
      this.path(`${name}.${suffix}`),
    ) as [string, string, string, string];
    const subject = options.subject ?? `/O=Sigillum Development (no legal value)/CN=${name}`;
    writeFileSync(extensionFile, `${options.extensions.join('\n')}\n`);
    this.run(['genpkey', ...keyOptions[options.key ?? 'p256'], '-out', keyFile]);
    this.run(['req', '-new', '-utf8', '-key', keyFile, '-subj', subject, '-out', request]);
    const issuer = options.issuer;
    const signer = issuer
      ? ['-CA', issuer.certificateFile, '-CAkey', issuer.keyFile, '-CAcreateserial']
      : ['-signkey', keyFile];
    const days = String(options.days ?? 30);
    this.run([
      'x509',
      '-req',
      '-in',
      request,
      ...signer,
      '-days',
      days,
      '-sha256',
      '-extfile',
      extensionFile,
      '-out',
      certificateFile,
    ]);
    return {
      name,
      certificateFile,
      keyFile,
      certificate: new Uint8Array(new X509Certificate(readFileSync(certificateFile)).raw),
      privateKey: createPrivateKey(readFileSync(keyFile)),
    };
  }

  /** A path in the folder. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** Writes a file into the folder and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** Runs `openssl`; what it writes to stdout. Throws with its stderr when it fails. */
  run(command: readonly string[]): Uint8Array {
    return new Uint8Array(execFileSync('openssl', command, { cwd: this.directory, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Deletes the folder. */
  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
