import type { ErrorCode } from '@sigillum/errors';
import type { JudgedDocument, ValidationOptions } from '@sigillum/pades';

/**
 * Where a worker finds a document: a file that the asking process has open (its entry below /proc, since it has no name any
 * more), or the bytes of one that is small enough for memory.
 */
export type DocumentPlace =
  | { readonly kind: 'file'; readonly path: string; readonly size: number }
  | { readonly kind: 'memory'; readonly bytes: Uint8Array };

/** What a worker is asked. */
export type JudgingJob = { readonly place: DocumentPlace; readonly options: ValidationOptions };

/** What it answers. Errors lose their class on the way: they travel as their code, or as text for the log. */
export type JudgingAnswer =
  | { readonly kind: 'judged'; readonly judged: JudgedDocument }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'failed'; readonly stack: string };
