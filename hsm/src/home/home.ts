import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SigillumError } from '@sigillum/errors';

/** A file that a ceremony made, before it lies under its name. */
export type Output = {
  /** Relative to the home. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Readable by the owner alone. */
  readonly isSecret: boolean;
  /** Whether the file that is there may be replaced. */
  readonly replaces: boolean;
};

/** Certificates, keys and lists: anything larger is the wrong file. */
const maxInputBytes = 64 * 1024 * 1024;

/** The folder that a ceremony reads from and writes to. */
export class Home {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  resolve(path: string): string {
    return join(this.directory, path);
  }

  has(path: string): boolean {
    return existsSync(this.resolve(path));
  }

  /** A file of the home. Throws `ceremony_input_invalid`. */
  read(path: string): Buffer {
    try {
      if (statSync(this.resolve(path)).size <= maxInputBytes) return readFileSync(this.resolve(path));
    } catch (cause) {
      throw new SigillumError('ceremony_input_invalid', `The file ${path} can't be read.`, { cause });
    }
    throw new SigillumError('ceremony_input_invalid', `The file ${path} is larger than anything a ceremony reads.`);
  }

  /** Makes a folder of the home; only its owner looks into it. */
  makeDirectory(path: string): void {
    mkdirSync(this.resolve(path), { recursive: true, mode: 0o700 });
  }

  /** Checks before anything is changed that an output may appear. Throws `ceremony_output_…`. */
  assertPublishable(path: string, replaces: boolean): void {
    if (this.has(path) && !replaces) {
      throw new SigillumError('ceremony_output_exists', `${path} exists and is not replaced: move it away first.`);
    }
    if (!this.has(path) && replaces) {
      throw new SigillumError('ceremony_input_invalid', `${path} does not exist, so there is nothing to renew.`);
    }
    this.makeDirectory(dirname(path));
    try {
      accessSync(dirname(this.resolve(path)), constants.W_OK);
    } catch (cause) {
      throw new SigillumError('ceremony_output_unwritable', `The folder of ${path} can't be written.`, { cause });
    }
  }

  /**
   * Puts a file under its name, whole and durable or not at all: written aside, synced, then linked (which fails when
   * the name is taken) or, for a replacement, renamed.
   */
  publish({ path, bytes, isSecret, replaces }: Output): void {
    const target = this.resolve(path);
    this.makeDirectory(dirname(path));
    const draft = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.draft`);
    try {
      writeNewFile(draft, bytes, isSecret ? 0o600 : 0o644);
      if (replaces) {
        renameSync(draft, target);
      } else {
        linkSync(draft, target);
        unlinkSync(draft);
      }
      syncDirectory(dirname(target));
    } catch (cause) {
      if (existsSync(draft)) unlinkSync(draft);
      const taken = (cause as { code?: unknown }).code === 'EEXIST';
      throw new SigillumError(
        taken ? 'ceremony_output_exists' : 'ceremony_output_unwritable',
        taken ? `${path} appeared during the ceremony.` : `${path} can't be written.`,
        { cause },
      );
    }
  }
}

function writeNewFile(path: string, bytes: Uint8Array, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
    // Whatever the umask says: a public file is public, a secret never was anything else.
    fchmodSync(file, mode);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
