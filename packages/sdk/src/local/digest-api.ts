import type { CredentialResource, DocumentTimeStampResource, SealedDigestResource } from '../resources.ts';

/** The body of `POST /v1/seals/digest`. */
export type DigestRequest = {
  readonly credential: string;
  readonly level: 'b-t' | 'b-lt' | 'b-lta';
  /** Over the ByteRange, base64. */
  readonly digest: string;
  readonly digest_algorithm: string;
  /** `/M`, whole seconds. */
  readonly signing_time: string;
  /** Bytes of room in `/Contents`. */
  readonly contents_size: number;
};

/** The body of `POST /v1/seals/{id}/document-time-stamp`. */
export type TimeStampRequest = Pick<DigestRequest, 'digest' | 'digest_algorithm' | 'contents_size'>;

/** The three calls of a local seal: all that ever leaves the caller. */
export type DigestApi = {
  getCredential(idOrName: string, signal?: AbortSignal): Promise<CredentialResource>;
  sealDigest(request: DigestRequest, signal?: AbortSignal): Promise<SealedDigestResource>;
  timeStampDocument(
    sealId: string,
    request: TimeStampRequest,
    signal?: AbortSignal,
  ): Promise<DocumentTimeStampResource>;
};
