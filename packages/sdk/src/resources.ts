/** A page of a list; `next_cursor` is null on the last one. */
export type Page<Item> = { readonly data: readonly Item[]; readonly next_cursor: string | null };

type FileFacts = { readonly size: number; readonly sha256: string };
type Stamp = { readonly time: string; readonly serial: string };
type Failure = { readonly code: string; readonly detail: string };

/** Where a thing is, and where its document can be fetched: null when that is not, or no longer, kept. */
type Links = { readonly self: string; readonly document: string | null };

/** One sealing, as `GET /v1/seals/{id}` answers it. Times are RFC 3339 in UTC. */
export type SealResource = {
  readonly id: string;
  readonly status: 'pending' | 'completed' | 'failed';
  readonly mode: 'test' | 'live';
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  /** False when only a digest was sent. */
  readonly content_seen: boolean;
  readonly credential: { readonly id: string; readonly name: string };
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly signing_time: string | null;
  readonly time_stamp: Stamp | null;
  readonly document_time_stamp: Stamp | null;
  /** Null when only a digest was sent. */
  readonly document: FileFacts | null;
  /** Over the ByteRange, when only that was sent; the value in lower-case hex. */
  readonly digest: { readonly algorithm: string; readonly value: string } | null;
  readonly sealed: FileFacts | null;
  readonly field_name: string | null;
  readonly earlier_signatures: number | null;
  readonly earlier_signature_states:
    | readonly { readonly field_name: string | null; readonly state: 'intact' | 'broken' | 'not-checked' }[]
    | null;
  readonly failure: Failure | null;
  readonly links: Links;
  /** Until when the document is kept. */
  readonly expires: string | null;
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
  /** Of documents. */
  readonly digest_algorithm: 'sha256' | 'sha384' | 'sha512';
  /** Bytes of CMS to leave room for in `/Contents`. */
  readonly contents_size: number;
  /** Where `/M` of a local seal may lie at `server_time`. */
  readonly signing_time_window: { readonly not_before: string; readonly not_after: string };
  readonly server_time: string;
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

/** What `POST /v1/seals/digest` answers; DER in base64. */
export type SealedDigestResource = {
  readonly id: string;
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  readonly signing_time: string;
  readonly time_stamp: Stamp;
  readonly cms: string;
  readonly certificates: readonly string[];
  readonly crls: readonly string[];
  readonly ocsps: readonly string[];
  readonly document_time_stamp: { readonly digest_algorithm: string; readonly contents_size: number } | null;
};

/** What `POST /v1/seals/{id}/document-time-stamp` answers; DER in base64. */
export type DocumentTimeStampResource = {
  readonly id: string;
  readonly token: string;
  readonly time_stamp: Stamp;
  /** Only after a fail-over to another time-stamp authority. */
  readonly certificates: readonly string[];
  readonly crls: readonly string[];
  readonly ocsps: readonly string[];
};

/** Whether documents can be sealed now. */
export type StatusResource = {
  readonly status: 'operational' | 'degraded';
  readonly components: readonly { readonly name: string; readonly status: 'operational' | 'unavailable' }[];
  readonly checked_at: string;
};
