import { join } from 'node:path';
import type { JsonObject } from './json-value.ts';
import { type ChainKnowledge, type ChainReport, ChainVerifier } from './verify-chain.ts';
import { listSegments } from './find-tail.ts';
import { createNodeFileSystem } from './node-file-system.ts';
import { readLines } from './read-lines.ts';

/** One file of a log. An empty one is what a crash right after a rotation leaves. */
export type AuditSegment = { readonly name: string; readonly lines: number; readonly bytes: number };

/** What is in a log's folder. It is intact when there are no problems. */
export type AuditLogReport = ChainReport & { readonly segments: readonly AuditSegment[] };

export type VerifyAuditLogOptions = ChainKnowledge & {
  readonly directory: string;
  /** Told every readable event in its order, also those of lines with a problem. */
  readonly onEvent?: (event: JsonObject, sequence: number) => void;
};

/**
 * Verifies the segments of a log's folder as one chain, in bounded memory; also while it is written. Finds changed,
 * missing, moved and cut lines and missing segments; that lines are missing at the end only with `expectedHead`.
 */
export async function verifyAuditLog(options: VerifyAuditLogOptions): Promise<AuditLogReport> {
  const verifier = new ChainVerifier(options);
  const fileSystem = createNodeFileSystem();
  const segments: AuditSegment[] = [];
  for (const name of await listSegments(options.directory, fileSystem)) {
    const file = await fileSystem.openFile(join(options.directory, name), 'read');
    try {
      verifier.beginSegment(name);
      let lines = 0;
      for await (const bytes of readLines(file)) {
        lines += 1;
        const line = verifier.add(bytes);
        if (line !== undefined) options.onEvent?.(line.event, line.sequence);
      }
      segments.push({ name, lines, bytes: await file.size() });
    } finally {
      await file.close();
    }
  }
  return { ...verifier.finish(), segments };
}
