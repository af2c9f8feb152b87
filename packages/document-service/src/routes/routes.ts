import type { Route } from '../http/route.ts';
import { createDigestSealRoute, createDocumentTimeStampRoute } from './create-digest-seal.ts';
import { createExtensionRoute } from './create-extension.ts';
import { createSealRoute } from './create-seal.ts';
import { getCredentialRoute } from './get-credential.ts';
import { getDocumentRoutes } from './get-document.ts';
import { getExtensionRoute } from './get-extension.ts';
import { getSealRoute } from './get-seal.ts';
import { getStatusRoute } from './get-status.ts';
import { listCredentialsRoute } from './list-credentials.ts';
import { listExtensionsRoute } from './list-extensions.ts';
import { listSealsRoute } from './list-seals.ts';

/** The route table of the public API. */
export const routes: readonly Route[] = [
  createSealRoute,
  listSealsRoute,
  createDigestSealRoute,
  createDocumentTimeStampRoute,
  getSealRoute,
  createExtensionRoute,
  listExtensionsRoute,
  getExtensionRoute,
  ...getDocumentRoutes,
  listCredentialsRoute,
  getCredentialRoute,
  getStatusRoute,
];
