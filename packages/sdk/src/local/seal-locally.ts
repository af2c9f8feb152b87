import { getDigestOf } from '@sigillum/algorithms';
import { type AppearanceFonts, createAppearance, parseAppearance } from '@sigillum/appearances';
import { isSigillumError, SigillumError } from '@sigillum/errors';
import { type PreparedSignature, type Random, sealDocument, type SealOptions } from '@sigillum/pades';
import { equalBytes } from '@sigillum/pki';
import { SigillumApiError } from '../api-error.ts';
import type { SealRequestOptions } from '../seal-request-options.ts';
import type { CredentialMemory, KnownCredential } from './credential-memory.ts';
import type { DigestApi } from './digest-api.ts';
import { DigestExchange, wrong } from './digest-exchange.ts';
import { type LocalDocument, OpenDocument } from './local-document.ts';
import { LocallySealedPdf } from './locally-sealed-pdf.ts';

export type SealLocallyOptions = SealRequestOptions & {
  /**
   * Certificates to which the chains of time-stamps have to lead, DER. Without them a time-stamp's signature is checked, but
   * not whose it is: the service has checked that.
   */
  readonly roots?: readonly Uint8Array[];
};

/** What a local seal works with besides the document. */
export type LocalSealPorts = Omit<DigestApi, 'getCredential'> & {
  readonly credentials: CredentialMemory;
  loadFonts(): Promise<AppearanceFonts>;
  now(): Date;
  readonly random: Random;
};

/** Refused before anything was given out, because what we knew of the credential or the clock is out of date. */
const outdated = ['seal_contents_too_small', 'seal_signing_time_outside'];

/** With a credential asked for anew the second attempt fits; a third covers another change right then. */
const maxAttempts = 3;

/**
 * Seals a document by its digests: the very steps of a seal in the service, with ports that ask the service. Given the same
 * clock, random bytes, signature and time-stamps, the file is the same, byte for byte.
 */
export async function sealLocally(
  document: LocalDocument,
  options: SealLocallyOptions,
  ports: LocalSealPorts,
): Promise<LocallySealedPdf> {
  const { credentials } = ports;
  const { credential: name, signal } = options;
  let credential = await credentials.get(name, { signal });
  const opened = await OpenDocument.open(document, getDigestOf(credential.signing.algorithm).name);
  try {
    if (opened.source.size === 0) throw new SigillumError('seal_document_empty', 'The document is empty.');
    for (let attempt = 1; ; attempt++) {
      try {
        return await sealOnce(opened, credential, options, ports);
      } catch (error) {
        const isOutdated = error instanceof SigillumApiError && outdated.includes(error.code);
        if (!isOutdated || attempt === maxAttempts) throw error;
        credential = await credentials.get(name, { fresh: true, signal });
      }
    }
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function sealOnce(
  opened: OpenDocument,
  credential: KnownCredential,
  options: SealLocallyOptions,
  ports: LocalSealPorts,
): Promise<LocallySealedPdf> {
  const { level = 'b-t', roots, signal } = options;
  const { signing } = credential;
  const now = (): Date => new Date(ports.now().getTime() + credential.clockOffsetMs);
  const signingTime = new Date(Math.floor(now().getTime() / 1000) * 1000);
  const exchange = new DigestExchange({ api: ports, credential: credential.id, level, roots, now });
  const prefixHash = await opened.hash(getDigestOf(signing.algorithm).name, signal);
  let prepared: PreparedSignature | undefined;
  const sealed = await sealDocument({
    input: { source: opened.source, prefixHash },
    credential: signing,
    options: await toPadesOptions(opened, credential, options, signingTime, ports),
    level,
    contentsSize: credential.contentsSize,
    revocation: exchange.revocation,
    ports: {
      sign: (toSign, asked) => exchange.sign(toSign, asked),
      timeStamps: exchange.timeStamps,
      now,
      random: ports.random,
    },
    hooks: {
      prepared: (value) => {
        prepared = value;
      },
    },
    signal,
  }).catch((error: unknown) => {
    // its signature or its times: what a service that works never answers
    if (isSigillumError(error, 'pades_signature_wrong', 'pades_timestamp_wrong')) throw wrong(error.message, error);
    throw error;
  });
  if (!equalBytes(sealed.cms, exchange.cms)) throw wrong('Its CMS is not the one that was asked for.');
  await opened.assertUnchanged();
  return new LocallySealedPdf(
    {
      sealId: exchange.answer.id,
      level,
      signingTime: sealed.signingTime,
      genTime: sealed.genTime,
      fieldName: sealed.fieldName,
      earlierSignatures: prepared?.earlierSignatures ?? [],
      increment: sealed.increment,
    },
    opened,
  );
}

async function toPadesOptions(
  { source }: OpenDocument,
  { commonName }: KnownCredential,
  { reason, location, contactInfo, name, field, certify, appearance }: SealLocallyOptions,
  signingTime: Date,
  ports: LocalSealPorts,
): Promise<SealOptions> {
  const said = {
    ...(reason === undefined ? {} : { reason }),
    ...(location === undefined ? {} : { location }),
  };
  const context = {
    now: signingTime,
    signer: name ?? commonName,
    ...said,
    ...(contactInfo === undefined ? {} : { contact: contactInfo }),
  };
  return {
    signingTime,
    ...said,
    ...(contactInfo === undefined ? {} : { contactInfo }),
    ...(name === undefined ? {} : { name }),
    ...(field === undefined ? {} : { fieldName: field }),
    ...(certify === undefined ? {} : { certify }),
    ...(appearance === undefined
      ? {}
      : { appearance: await createAppearance(source, parseAppearance(appearance), context, await ports.loadFonts()) }),
  };
}
