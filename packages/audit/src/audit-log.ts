import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import { writeCanonicalJson } from './canonical-json.ts';
import { nextHash } from './chain.ts';
import { writeChainLine } from './chain-line.ts';
import type { JsonObject } from './json-value.ts';
import type { ChainHead } from './verify-chain.ts';
import type { AuditFile, AuditFileSystem } from './audit-file-system.ts';
import { findTail, maxLineBytes, nameSegment } from './find-tail.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import { PlaceWatch } from './place-watch.ts';
import { acquireWriterLock, hasCode, type WriterLock } from './writer-lock.ts';

export type AuditLogOptions = {
  readonly directory: string;
  /** The chain's id: who writes it, such as `hash-signer-1`. */
  readonly chain: string;
  readonly fileSystem?: AuditFileSystem;
  /** A segment that has grown to this is followed by another; small enough to copy and to read. */
  readonly segmentBytes?: number;
  /** Begins another segment with the first event of each UTC day. */
  readonly rotateDaily?: boolean;
  /** For tests. */
  readonly now?: () => Date;
  /** Told once when a write has failed: nothing can be appended until the log is opened again. */
  readonly onFailure?: (failure: SigillumError) => void;
};

type Pending = {
  /** Sequence of its first line. */
  readonly first: number;
  readonly head: ChainHead;
  readonly bytes: Uint8Array;
  readonly resolve: (head: ChainHead) => void;
  readonly reject: (error: unknown) => void;
};

/** Seconds of a busy signer; a disk slower than that is an overload that callers should feel. */
const maxPendingEvents = 10_000;

/** What may wait in memory for a slow disk, and with that the largest write. */
const maxPendingBytes = 16 * 1024 * 1024;

const defaultSegmentBytes = 64 * 1024 * 1024;

/** The durable writer of one chain (README: Design). */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #fileSystem: AuditFileSystem;
  readonly #lock: WriterLock;
  #file: AuditFile | undefined;
  #fileSize = 0;
  /** The UTC day of the last write. */
  #day: string | undefined;
  /** The last line given a sequence. */
  #last: ChainHead;
  /** The last line on disk. */
  #durable: ChainHead;
  #queue: Pending[] = [];
  #queuedBytes = 0;
  #queuedEvents = 0;
  #flushing: Promise<void> | undefined;
  #failure: SigillumError | undefined;
  readonly #watch: PlaceWatch;

  private constructor(options: AuditLogOptions, fileSystem: AuditFileSystem, lock: WriterLock, head: ChainHead) {
    this.#options = options;
    this.#fileSystem = fileSystem;
    this.#lock = lock;
    this.#last = head;
    this.#durable = head;
    this.#watch = new PlaceWatch(
      () => (this.#file ? [this.#file, lock.file] : [lock.file]),
      () => this.#fail(this.#queue, new Error('the folder or its files were deleted or moved'), ': its place is gone'),
    );
  }

  /**
   * Opens a log or begins it, and holds it alone.
   * @throws SigillumError `audit_locked`, `audit_log_damaged`, or `audit_write_failed` for errors of the file system.
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const fileSystem = options.fileSystem ?? createNodeFileSystem();
    let lock: WriterLock | undefined;
    try {
      await fileSystem.makeDirectory(options.directory);
      lock = await acquireWriterLock(options.directory, fileSystem);
      const tail = await findTail(options.directory, options.chain, fileSystem);
      const log = new AuditLog(options, fileSystem, lock, tail.head);
      log.#file = tail.file;
      log.#fileSize = (await tail.file?.size()) ?? 0;
      log.#day = tail.lastDay;
      if (tail.removedBytes > 0) await log.append(describeRepair(tail.removedBytes));
      return log;
    } catch (cause) {
      await lock?.release().catch(() => undefined);
      if (cause instanceof SigillumError) throw cause;
      throw toWriteFailure(cause);
    }
  }

  /** The last durable event; sequence 0 before the first. */
  get head(): ChainHead {
    return this.#durable;
  }

  /** Why nothing can be written any more; `undefined` while all is well. */
  get failure(): SigillumError | undefined {
    return this.#failure;
  }

  /**
   * Appends an event; resolves when its line is durable.
   * @throws SigillumError `audit_event_invalid`, `audit_overloaded`, `audit_closed`, or `audit_write_failed`, after
   * which every append fails until the log is opened again.
   */
  async append(event: JsonObject): Promise<ChainHead> {
    return await this.appendAll([event]);
  }

  /**
   * Appends events in a row, all or none; resolves with the last one's head when all their lines are durable.
   * @throws SigillumError as {@link append}; RangeError for no event
   */
  async appendAll(events: readonly JsonObject[]): Promise<ChainHead> {
    if (this.#failure !== undefined) throw this.#failure;
    if (events.length === 0) throw new RangeError('no event to append');
    // One text for all lines: a busy signer spends more on many small buffers than on the hashes.
    let text = '';
    let head = this.#last;
    for (const event of events) {
      const eventText = writeCanonicalJson(event);
      const eventBytes = Buffer.from(eventText, 'utf8');
      const [previous, sequence] = [head.hash, head.sequence + 1];
      const hash = nextHash(previous, eventBytes);
      const line = writeChainLine({ sequence, previous, hash }, eventText);
      const length = line.length - eventText.length + eventBytes.length;
      if (length > maxLineBytes) {
        const message = `The event takes ${length} bytes, the most is ${maxLineBytes}.`;
        throw new SigillumError('audit_event_invalid', message);
      }
      head = { sequence, hash };
      text += `${line}\n`;
    }
    const bytes = Buffer.from(text, 'utf8');
    if (this.#queuedEvents + events.length > maxPendingEvents || this.#queuedBytes + bytes.length > maxPendingBytes) {
      throw new SigillumError('audit_overloaded', 'The audit log is behind; try again.', { retryAfterSeconds: 1 });
    }
    const first = this.#last.sequence + 1;
    this.#last = head;
    return new Promise<ChainHead>((resolve, reject) => {
      this.#queue.push({ first, head, bytes, resolve, reject });
      this.#queuedBytes += bytes.length;
      this.#queuedEvents += events.length;
      this.#flushing ??= this.#flush();
    });
  }

  /** Writes what waits, lets go of the folder, and refuses from then on. */
  async close(): Promise<void> {
    const closed = new SigillumError('audit_closed', 'The audit log is closed.');
    const waiting = this.#flushing;
    const first = this.#failure?.code !== 'audit_closed';
    this.#failure ??= closed;
    await waiting;
    if (!first) return;
    this.#watch.stop();
    this.#failure = closed;
    await this.#file?.close().catch(() => undefined);
    await this.#lock.release().catch(() => undefined);
  }

  /** Group commit: one write and one sync for all that waits; what comes meanwhile goes with the next. */
  async #flush(): Promise<void> {
    // Lets the appends of this turn of the event loop join.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      this.#queuedBytes = 0;
      this.#queuedEvents = 0;
      try {
        await this.#commit(batch);
      } catch (cause) {
        this.#fail([...batch, ...this.#queue], cause);
        break;
      }
      this.#durable = batch.at(-1)?.head ?? this.#durable;
      for (const { head, resolve } of batch) resolve(head);
    }
    this.#flushing = undefined;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const file = await this.#selectFile(batch[0]?.first ?? 1);
    const bytes =
      batch.length === 1 && batch[0] ? batch[0].bytes : Buffer.concat(batch.map((pending) => pending.bytes));
    await file.write(bytes);
    await file.sync();
    this.#fileSize += bytes.length;
  }

  async #selectFile(sequence: number): Promise<AuditFile> {
    const today = (this.#options.now?.() ?? new Date()).toISOString().slice(0, 10);
    const isFull = this.#fileSize >= (this.#options.segmentBytes ?? defaultSegmentBytes);
    // An empty segment is never followed by another: both would have the same name.
    const isOfAnotherDay =
      this.#options.rotateDaily === true && this.#fileSize > 0 && this.#day !== undefined && this.#day !== today;
    this.#day = today;
    if (this.#file !== undefined && !isFull && !isOfAnotherDay) return this.#file;
    const next = await this.#fileSystem.openFile(join(this.#options.directory, nameSegment(sequence)), 'create');
    await this.#fileSystem.syncDirectory(this.#options.directory);
    await this.#file?.close();
    this.#file = next;
    this.#fileSize = 0;
    return next;
  }

  #fail(pending: readonly Pending[], cause: unknown, why?: string): void {
    if (this.#failure !== undefined && why !== undefined) return;
    const failure = toWriteFailure(cause, why);
    this.#watch.stop();
    this.#failure = failure;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#queuedEvents = 0;
    for (const { reject } of pending) reject(failure);
    this.#options.onFailure?.(failure);
  }
}

function describeRepair(removedBytes: number): JsonObject {
  return { type: 'audit.log_repaired', time: new Date().toISOString(), removed_bytes: removedBytes };
}

function toWriteFailure(cause: unknown, known?: string): SigillumError {
  const why = known ?? (hasCode(cause, 'ENOSPC') || hasCode(cause, 'EDQUOT') ? ': the disk is full' : '');
  return new SigillumError('audit_write_failed', `The audit log can't be written${why}.`, { cause });
}
