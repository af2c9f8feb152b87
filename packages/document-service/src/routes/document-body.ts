import { z } from 'zod';
import type { RouteBody } from '../http/route.ts';

/** The three ways in for a document with its options, as OpenAPI shows them. */
export function describeDocumentBody(options: z.ZodObject, example: Readonly<Record<string, string>>): RouteBody {
  return {
    description:
      'The PDF as it is (up to 2 GiB by default), with the options in the query; or a form of the parts `options` (JSON) and then `file`; or, up to 4 MiB by default, JSON with the PDF in base64. Options stand in one place.',
    contents: [
      { mediaType: 'application/pdf' },
      {
        mediaType: 'multipart/form-data',
        schema: z.object({
          options: options.optional(),
          file: z.string().meta({ description: 'The PDF.', override: { type: 'string', format: 'binary' } }),
        }),
      },
      {
        mediaType: 'application/json',
        schema: z.object({
          document: z.string().meta({
            description: 'The PDF in base64.',
            override: { type: 'string', contentEncoding: 'base64' },
          }),
          options: options.optional(),
        }),
        example: { document: 'JVBERi0xLjcK…', options: example },
      },
    ],
  };
}
