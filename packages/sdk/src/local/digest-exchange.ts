import { isSigillumError, SigillumError } from '@sigillum/errors';
import {
  type AttributesToSign,
  estimateTokenRoom,
  type RevocationData,
  type RevocationSource,
  type TimeStampSource,
} from '@sigillum/pades';
import {
  cmsOids,
  type MessageImprint,
  parseSignedData,
  type SignedData,
  type TimeStampToken,
  verifyTimeStampToken,
} from '@sigillum/pki';
import type { DocumentTimeStampResource, SealedDigestResource } from '../resources.ts';
import type { DigestApi } from './digest-api.ts';

type ExchangeOptions = {
  readonly api: Pick<DigestApi, 'sealDigest' | 'timeStampDocument'>;
  /** Id of the credential. */
  readonly credential: string;
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  /** To which chains of time-stamps have to lead; without them only their signatures are checked. */
  readonly roots: readonly Uint8Array[] | undefined;
  readonly now: () => Date;
};

/**
 * One document's two calls, as the ports of `sealDocument`: signature, time-stamp and validation data all come out of the
 * answer to the digest, the document time-stamp out of the second call. Whatever the service answers is checked by the
 * same steps as if signer and time-stamp authority were asked directly.
 */
export class DigestExchange {
  readonly #options: ExchangeOptions;
  #sealed: { readonly answer: SealedDigestResource; readonly cms: Uint8Array; readonly parsed: SignedData } | undefined;
  #stamped: DocumentTimeStampResource | undefined;
  /** How many time-stamps, and how often validation data, were asked for. */
  #stamps = 0;
  #collections = 0;

  readonly timeStamps: TimeStampSource;
  readonly revocation: RevocationSource;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.timeStamps = {
      request: (imprint, signal) => {
        this.#stamps += 1;
        if (this.#stamps === 1) return Promise.resolve(this.#readSignatureTimeStamp(imprint));
        if (this.#stamps === 2) return this.#stampDocument(imprint, signal);
        throw wrong('A time-stamp does not fit into the room that the service named for it.');
      },
    };
    this.revocation = { collect: () => Promise.resolve(this.#takeRevocation()) };
  }

  /** What the service made of the digest. */
  get answer(): SealedDigestResource {
    return this.#getSealed().answer;
  }

  /** The CMS of the answer, DER. */
  get cms(): Uint8Array {
    return this.#getSealed().cms;
  }

  /** Sends the ByteRange digest. @returns the signature value out of the CMS */
  async sign({ prepared, signingTime }: AttributesToSign, signal?: AbortSignal): Promise<Uint8Array> {
    if (this.#sealed !== undefined) throw wrong('The CMS does not fit into the room that the service named for it.');
    const { api, credential, level } = this.#options;
    const answer = await api.sealDigest(
      {
        credential,
        level,
        digest: Buffer.from(prepared.digest).toString('base64'),
        digest_algorithm: prepared.digestAlgorithm,
        signing_time: signingTime.toISOString(),
        contents_size: prepared.contentsSize,
      },
      signal,
    );
    if (answer.level !== level) throw wrong(`The service sealed at level ${answer.level}.`);
    const cms = decode(answer.cms);
    const parsed = read('The CMS', () => parseSignedData(cms));
    this.#sealed = { answer, cms, parsed };
    return parsed.signer.signature;
  }

  #readSignatureTimeStamp(imprint: MessageImprint): TimeStampToken {
    const [token, ...others] = this.#getSealed().parsed.signer.unsignedAttributes.get(cmsOids.signatureTimeStamp) ?? [];
    if (token === undefined || others.length > 0) throw wrong('The CMS has no time-stamp.');
    return this.#verify(token.bytes, imprint);
  }

  async #stampDocument(imprint: MessageImprint, signal: AbortSignal | undefined): Promise<TimeStampToken> {
    const { answer, parsed } = this.#getSealed();
    const first = parsed.signer.unsignedAttributes.get(cmsOids.signatureTimeStamp)?.[0];
    this.#stamped = await this.#options.api.timeStampDocument(
      answer.id,
      {
        digest: Buffer.from(imprint.digest).toString('base64'),
        digest_algorithm: imprint.algorithm,
        // the room that sealDocument leaves
        contents_size: estimateTokenRoom(first?.bytes.length ?? 0),
      },
      signal,
    );
    return this.#verify(decode(this.#stamped.token), imprint);
  }

  #verify(token: Uint8Array, imprint: MessageImprint): TimeStampToken {
    const { roots, now } = this.#options;
    return read('A time-stamp', () =>
      verifyTimeStampToken(token, {
        imprint,
        // its own certificates as anchors: the signature is checked, whose it is isn't
        roots: roots ?? parseSignedData(token).certificates,
        now: now(),
      }),
    );
  }

  #takeRevocation(): RevocationData {
    this.#collections += 1;
    const answer = this.#collections === 1 ? this.#getSealed().answer : this.#stamped;
    if (answer === undefined) throw wrong('Validation data is missing.');
    return {
      certificates: answer.certificates.map(decode),
      crls: answer.crls.map(decode),
      ocsps: answer.ocsps.map(decode),
    };
  }

  #getSealed() {
    if (this.#sealed === undefined) throw wrong('The digest was not sealed.');
    return this.#sealed;
  }
}

function decode(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function read<T>(what: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (isSigillumError(error)) throw wrong(`${what} is not right: ${error.message}`, error);
    throw error;
  }
}

/** The error for an answer that doesn't fit what was asked. */
export function wrong(why: string, cause?: unknown): SigillumError {
  return new SigillumError('client_answer_wrong', `The service's answer does not fit the document. ${why}`, { cause });
}
