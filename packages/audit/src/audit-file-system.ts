/** The writer's port to the file system. Paths are absolute or relative to the process; errors are Node's. */
export type AuditFileSystem = {
  /** With its parents; nothing when it is there. Only for the owner. */
  makeDirectory(path: string): Promise<void>;
  /** Names of the entries. */
  list(path: string): Promise<readonly string[]>;
  /** `create` fails with EEXIST when it is there; the others want it to be there. */
  openFile(path: string, mode: 'create' | 'append' | 'read'): Promise<AuditFile>;
  /** Makes names in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /**
   * Opens a file, made when it isn't there, and locks it; `undefined` when another writer holds it, in this process or
   * any other. The lock ends with `close`, and the kernel ends it when the process dies.
   */
  lockFile(path: string): Promise<AuditFile | undefined>;
  /** Says for people which process this is. */
  describeProcess(): string;
};

/** An open file that grows at its end. */
export type AuditFile = {
  size(): Promise<number>;
  /** Fewer bytes only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Appends all of the bytes or throws. */
  write(bytes: Uint8Array): Promise<void>;
  /** fdatasync. */
  sync(): Promise<void>;
  /** Whether its name still leads to it: it was neither deleted nor moved. */
  isInPlace(): Promise<boolean>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
};
