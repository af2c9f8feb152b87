import type { ApiKey, Credential, SealKind, SealLevel, SealOutcome } from '@sigillum/store';
import type { DocumentBody } from '../intake/document-body.ts';
import type { Services } from '../services.ts';
import type { PendingSeal } from './record-intent.ts';
import type { Replay } from './replay.ts';
import type { SpooledDocument } from './spooled-document.ts';

/** The two forms of an answer to a document. */
export type AnswerType = 'application/pdf' | 'application/json';

/** A call that brings a document. The API key is authenticated; the body is not opened yet. */
export type DocumentRequest = {
  readonly openBody: (signal: AbortSignal) => Promise<DocumentBody>;
  readonly caller: ApiKey;
  readonly requestId: string;
  readonly answer: AnswerType;
  readonly idempotencyKey: string | undefined;
};

/** A request whose document is here as a whole, and that may be worked on. Whoever holds it disposes of the document. */
export type AdmittedWork = {
  readonly request: DocumentRequest;
  readonly kind: Exclude<SealKind, 'digest'>;
  /** Under which idempotency keys are kept. */
  readonly route: string;
  readonly level: SealLevel;
  readonly credential: Credential | undefined;
  readonly document: SpooledDocument;
  readonly retainSeconds: number;
  readonly fingerprint: Uint8Array;
  /** Set when the same request was answered before: then nothing is made again. */
  readonly replay: Replay | undefined;
};

/** What came of it, and nobody has heard of yet. */
export type MadeWork = {
  readonly increment: Uint8Array;
  readonly outcome: Omit<SealOutcome, 'sealed'>;
};

/** A way of working on documents: sealing, or extending what is sealed. */
export type Work<Admitted extends AdmittedWork> = {
  /** @param signal fires when the upload is too slow */
  admit(services: Services, request: DocumentRequest, signal: AbortSignal): Promise<Admitted>;
  make(services: Services, admitted: Admitted, seal: PendingSeal, signal: AbortSignal): Promise<MadeWork>;
};
