/** `npm run bench:pades`: what the PDF engine costs beside its peers; see test/bench/README.md. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, () => import('../test/bench/pades/main.ts'));
