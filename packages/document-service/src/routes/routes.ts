import type { Route } from '../http/route.ts';
import { createSealRoute } from './create-seal.ts';
import { getCredentialRoute } from './get-credential.ts';
import { getSealRoute } from './get-seal.ts';
import { getStatusRoute } from './get-status.ts';
import { listCredentialsRoute } from './list-credentials.ts';
import { listSealsRoute } from './list-seals.ts';

/** The route table of the public API. */
export const routes: readonly Route[] = [
  createSealRoute,
  listSealsRoute,
  getSealRoute,
  listCredentialsRoute,
  getCredentialRoute,
  getStatusRoute,
];
