import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DevelopmentHome } from '@sigillum/testing';

/** A seal as the journal shows it, as far as tests look. */
export type JournalSeal = {
  readonly id: string;
  readonly status: 'pending' | 'completed' | 'failed';
  readonly document: { readonly sha256: string };
  readonly sealed: { readonly size: number; readonly sha256: string } | null;
  readonly earlier_signatures: number | null;
  readonly failure: { readonly code: string } | null;
};

/** What a caller got: a whole sealed file, a problem, or a broken connection. */
export type SealReply =
  | { readonly kind: 'sealed'; readonly sealId: string; readonly bytes: Uint8Array; readonly headers: Headers }
  | {
      readonly kind: 'problem';
      readonly status: number;
      readonly code: string;
      readonly body: Record<string, unknown>;
      readonly headers: Headers;
    }
  | { readonly kind: 'broken'; readonly error: unknown };

export type SealCall = {
  readonly query?: Record<string, string>;
  readonly headers?: Record<string, string>;
};

/** `POST /v1/seals` with fetch, as a customer's program would do it. */
export async function postSeal(home: DevelopmentHome, pdf: Uint8Array, call: SealCall = {}): Promise<SealReply> {
  const url = new URL('/v1/seals', home.ready.url);
  for (const [name, value] of Object.entries(call.query ?? {})) url.searchParams.set(name, value);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${home.ready.api_key}`, 'content-type': 'application/pdf', ...call.headers },
      body: Buffer.from(pdf),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { headers } = response;
    if (response.status === 201)
      return { kind: 'sealed', sealId: headers.get('sigillum-seal-id') ?? '', bytes, headers };
    const body = JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>;
    return { kind: 'problem', status: response.status, code: String(body['code']), body, headers };
  } catch (error) {
    return { kind: 'broken', error };
  }
}

/** A seal that must succeed. */
export async function sealOrThrow(home: DevelopmentHome, pdf: Uint8Array, call: SealCall = {}): Promise<Uint8Array> {
  const reply = await postSeal(home, pdf, call);
  if (reply.kind !== 'sealed') throw new Error(`not sealed: ${JSON.stringify(reply)}`);
  return reply.bytes;
}

/** The whole journal, newest first, page by page. */
export async function readJournal(home: DevelopmentHome): Promise<readonly JournalSeal[]> {
  const seals: JournalSeal[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const url = new URL('/v1/seals?limit=100', home.ready.url);
    if (cursor) url.searchParams.set('cursor', cursor);
    const page = (await (await fetch(url, { headers: { authorization: `Bearer ${home.ready.api_key}` } })).json()) as {
      data: JournalSeal[];
      next_cursor: string | null;
    };
    seals.push(...page.data);
    cursor = page.next_cursor;
  }
  return seals;
}

/** The lines of an audit log of JSON lines, over all its segments. */
export function readAuditEvents(files: readonly string[]): readonly Record<string, unknown>[] {
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { event: Record<string, unknown> }).event),
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
