/** A page of a list; `next_cursor` is null on the last one. */
export type Page<Item> = { readonly data: readonly Item[]; readonly next_cursor: string | null };

type FileFacts = { readonly size: number; readonly sha256: string };

/** One sealing, as `GET /v1/seals/{id}` answers it. Times are RFC 3339 in UTC. */
export type SealResource = {
  readonly id: string;
  readonly status: 'pending' | 'completed' | 'failed';
  readonly mode: 'test' | 'live';
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  readonly credential: { readonly id: string; readonly name: string };
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly signing_time: string | null;
  readonly time_stamp: { readonly time: string; readonly serial: string } | null;
  readonly document: FileFacts;
  readonly sealed: FileFacts | null;
  readonly field_name: string | null;
  readonly earlier_signatures: number | null;
  readonly failure: { readonly code: string; readonly detail: string } | null;
  readonly request_id: string;
};

/** A key in the HSM with its certificate. Certificates are PEM texts. */
export type CredentialResource = {
  readonly id: string;
  readonly name: string;
  readonly mode: 'test' | 'live';
  readonly status: 'active' | 'suspended' | 'revoked';
  readonly default: boolean;
  readonly algorithm: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serial_number: string;
  readonly not_before: string;
  readonly not_after: string;
  readonly development: boolean;
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly created_at: string;
};

/** Whether documents can be sealed now. */
export type StatusResource = {
  readonly status: 'operational' | 'degraded';
  readonly components: readonly { readonly name: string; readonly status: 'operational' | 'unavailable' }[];
  readonly checked_at: string;
};
