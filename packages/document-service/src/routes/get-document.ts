import { SigillumError } from '@sigillum/errors';
import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { tenantOf } from '../sealing/admit.ts';
import { sendPieces } from '../sealing/send-sealed.ts';
import { getWork, type WorkName } from './find-work.ts';

/** `GET /v1/seals/{id}/document` and `GET /v1/extensions/{id}/document`: the file that was kept. */
export const getDocumentRoutes: readonly Route[] = [
  defineDocumentRoute('seal', 'seal_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB'),
  defineDocumentRoute('extension', 'ext_01KAFZ3N8Q5V7T2C9W4X6Y1ZAB'),
];

function defineDocumentRoute(name: WorkName, example: string): Route {
  const what = name === 'seal' ? 'sealed' : 'extended';
  return defineRoute({
    method: 'get',
    path: `/v1/${name}s/{id}/document`,
    operationId: name === 'seal' ? 'getSealDocument' : 'getExtensionDocument',
    summary: `Get the ${what} document`,
    description: `The ${what} document, while it is kept (\`retain\`): afterwards 410, and 404 when it never was.`,
    tag: name === 'seal' ? 'Seals' : 'Extensions',
    scope: 'seals:read',
    query: z.strictObject({}),
    params: { id: { description: `Id of the ${name}.`, example } },
    answer: {
      status: 200,
      description: `The ${what} PDF.`,
      contents: [{ mediaType: 'application/pdf' }],
    },
    problems: [`${name}_not_found`, 'seal_document_not_kept', 'seal_document_expired', 'blob_missing', 'blob_damaged'],
    async handle({ services, request, response, params, caller }) {
      const id = params['id'] ?? '';
      const { retained } = await getWork(services, tenantOf(caller), name, id);
      if (retained === undefined) {
        throw new SigillumError('seal_document_not_kept', 'The document was not kept: ask for it with retain.');
      }
      if (retained.sha256 === undefined || retained.expiresAt <= services.now()) {
        throw new SigillumError(
          'seal_document_expired',
          `The document was kept until ${retained.expiresAt.toISOString()}.`,
        );
      }
      const blob = await services.blobs.open(retained.sha256);
      try {
        response.writeHead(200, {
          'Content-Type': 'application/pdf',
          'Content-Length': blob.size,
          'Content-Disposition': `attachment; filename="${id}.pdf"`,
          'Cache-Control': 'no-store',
        });
        if (request.method === 'HEAD') response.end();
        else await sendPieces(response, blob.read(), services.limits);
      } finally {
        await blob.close();
      }
    },
  });
}
