import { z } from 'zod';
import { retainSchema } from './retain.ts';

/** The options of an extension, as they stand in the query of `POST /v1/extensions` or in the body. */
export const extensionOptionsSchema = z.strictObject({
  level: z.enum(['b-lt', 'b-lta'], { error: 'Must be b-lt or b-lta.' }).meta({
    description:
      'What the document is extended to: `b-lt` adds the validation data that it lacks; `b-lta` adds a document time-stamp too, and renews one that is there.',
    example: 'b-lta',
  }),
  retain: retainSchema,
});
