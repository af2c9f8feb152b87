import { findSignatureAlgorithm } from '@sigillum/algorithms';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { SigningCredential } from '@sigillum/pades';
import { decodePem, parseCertificate } from '@sigillum/pki';
import type { CredentialResource } from '../resources.ts';

/** A credential as the service showed it a moment ago. */
export type KnownCredential = {
  readonly id: string;
  readonly signing: SigningCredential;
  /** The name in the certificate, which a visible seal shows. */
  readonly commonName: string;
  /** Bytes of CMS to leave room for. */
  readonly contentsSize: number;
  /** What has to be added to our clock to get the service's. */
  readonly clockOffsetMs: number;
};

/** So long a credential counts as known: what changes it, a new certificate or a larger token, is rare. */
const maxAgeMs = 60_000;

/** A caller has a handful. */
const maxRemembered = 100;

/** Clocks this near to each other count as the same: an answer takes its time, too. */
const sameClockMs = 5_000;

/** Remembers credentials for a minute, so that not every local seal has to ask. */
export class CredentialMemory {
  readonly #load: (name: string, signal?: AbortSignal) => Promise<CredentialResource>;
  readonly #now: () => Date;
  readonly #known = new Map<string, { readonly credential: KnownCredential; readonly at: number }>();

  constructor(options: {
    load: (name: string, signal?: AbortSignal) => Promise<CredentialResource>;
    now: () => Date;
  }) {
    this.#load = options.load;
    this.#now = options.now;
  }

  /**
   * @param fresh asks the service in any case
   * @throws SigillumApiError; SigillumError `client_answer_wrong` for a credential that can't be used
   */
  async get(name = 'default', { fresh, signal }: { fresh?: boolean; signal?: AbortSignal | undefined } = {}) {
    const known = this.#known.get(name);
    const age = known === undefined ? Infinity : this.#now().getTime() - known.at;
    if (known !== undefined && fresh !== true && age >= 0 && age < maxAgeMs) return known.credential;
    const before = this.#now().getTime();
    const resource = await this.#load(name, signal);
    const at = this.#now().getTime();
    const credential = readCredential(resource, (before + at) / 2);
    if (this.#known.size >= maxRemembered) this.#known.clear();
    this.#known.set(name, { credential, at });
    return credential;
  }
}

function readCredential(resource: CredentialResource, at: number): KnownCredential {
  try {
    const [certificate] = decodePem(resource.certificate, 'CERTIFICATE');
    const algorithm = findSignatureAlgorithm(resource.algorithm)?.name;
    const serverTime = Date.parse(resource.server_time);
    if (certificate === undefined || algorithm === undefined || Number.isNaN(serverTime)) throw wrong();
    const { attributes, text } = parseCertificate(certificate).subject;
    const offset = Math.round(serverTime - at);
    return {
      id: resource.id,
      signing: {
        certificate,
        // The root stays out of a CMS, as the service leaves it out.
        chain: resource.chain.flatMap((pem) => decodePem(pem, 'CERTIFICATE')).filter((der) => !isSelfIssued(der)),
        algorithm,
      },
      commonName: attributes.find(({ type }) => type === 'common_name')?.value ?? text,
      contentsSize: resource.contents_size,
      clockOffsetMs: Math.abs(offset) <= sameClockMs ? 0 : offset,
    };
  } catch (error) {
    throw isSigillumError(error, 'client_answer_wrong') ? error : wrong(error);
  }
}

function isSelfIssued(der: Uint8Array): boolean {
  const { subject, issuer } = parseCertificate(der);
  return Buffer.from(subject.der).equals(issuer.der);
}

function wrong(cause?: unknown): SigillumError {
  return new SigillumError('client_answer_wrong', 'The service answered a credential that this client can not use.', {
    cause,
  });
}
