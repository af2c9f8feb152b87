import { appendToSource, type EarlierSignatureState } from '@sigillum/pades';
import type { ByteSource } from '@sigillum/pdf';
import type { OpenDocument } from './local-document.ts';
import { collectBytes } from '../collect-bytes.ts';

export type LocalSealFacts = {
  /** `seal_…`: under this id the service's journal has it. */
  readonly sealId: string;
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  /** `/M` */
  readonly signingTime: Date;
  /** The time of the time-stamp over the signature. */
  readonly genTime: Date;
  readonly fieldName: string;
  readonly earlierSignatures: readonly EarlierSignatureState[];
  /** What follows the document. */
  readonly increment: Uint8Array;
};

/** A document that was sealed where it is. Read it once, as a stream or as bytes, or close it. */
export class LocallySealedPdf implements LocalSealFacts {
  readonly sealId: string;
  readonly level: LocalSealFacts['level'];
  readonly signingTime: Date;
  readonly genTime: Date;
  readonly fieldName: string;
  readonly earlierSignatures: readonly EarlierSignatureState[];
  readonly increment: Uint8Array;
  /** Bytes of the whole file. */
  readonly size: number;
  /** The whole file, to be read anywhere until it is closed. */
  readonly source: ByteSource;
  readonly #document: OpenDocument;

  constructor(facts: LocalSealFacts, document: OpenDocument) {
    this.sealId = facts.sealId;
    this.level = facts.level;
    this.signingTime = facts.signingTime;
    this.genTime = facts.genTime;
    this.fieldName = facts.fieldName;
    this.earlierSignatures = facts.earlierSignatures;
    this.increment = facts.increment;
    this.source = appendToSource(document.source, facts.increment);
    this.size = this.source.size;
    this.#document = document;
  }

  /**
   * The sealed document piece by piece: the input's bytes, then the increment.
   * @param reuse saves memory for who uses up each piece before asking for the next: they lie in the same place
   * @throws SigillumError `client_document_changed` when the file was changed meanwhile: what has come then is no sealed
   * document
   */
  async *stream({ reuse = false }: { readonly reuse?: boolean } = {}): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#document.pieces(reuse);
      yield this.increment;
    } finally {
      await this.close();
    }
  }

  /** The whole document in memory. */
  bytes(): Promise<Uint8Array> {
    return collectBytes(this.stream(), this.size);
  }

  /** Lets go of the document when only the increment is wanted. */
  async close(): Promise<void> {
    await this.#document.close();
  }
}
