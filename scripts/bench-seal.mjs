/** `npm run bench:seal`: what a seal costs, and how many there are in a second; see test/bench/README.md. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, () => import('../test/bench/main.ts'));
