import { addLogFields } from '@sigillum/service-kit';
import type { ApiKey } from '@sigillum/store';
import { readQuery } from '../http/parse-query.ts';
import type { RouteContext } from '../http/route.ts';
import { sendJson } from '../http/send-json.ts';
import { documentMediaTypes, openDocumentBody } from '../intake/open-document-body.ts';
import { tenantOf } from '../sealing/admit.ts';
import { runWork } from '../sealing/run-work.ts';
import { identify } from '../sealing/send-sealed.ts';
import type { AdmittedWork, Work } from '../sealing/work.ts';
import { toExtensionResource } from './extension-resource.ts';
import { getWork, type WorkName } from './find-work.ts';
import { toSealResource } from './seal-resource.ts';

/** Runs a call that takes a document in any of its forms and answers it, or JSON about it. */
export async function handleDocument<Admitted extends AdmittedWork>(
  name: WorkName,
  work: Work<Admitted>,
  {
    services,
    request,
    response,
    requestId,
    idempotencyKey,
    bodyType,
    answerType,
    caller,
  }: RouteContext<unknown> & {
    readonly caller: ApiKey;
  },
): Promise<void> {
  const mediaType = documentMediaTypes.find((type) => type === bodyType) ?? 'application/pdf';
  const query = readQuery(request.originalUrl);
  await runWork(
    services,
    work,
    {
      openBody: (signal) => openDocumentBody(request, mediaType, query, services.limits, signal),
      caller,
      requestId,
      answer: answerType === 'application/json' ? 'application/json' : 'application/pdf',
      idempotencyKey,
    },
    response,
    {
      onSeal: ({ publicId, replayed }) => addLogFields(response, { [name]: publicId, replayed }),
      async sendResource(facts) {
        const made = await getWork(services, tenantOf(caller), name, facts.publicId);
        sendJson(response, name === 'seal' ? toSealResource(made) : toExtensionResource(made), {
          status: 201,
          headers: identify(name, facts),
        });
      },
    },
  );
}
