/** `npm run soak:signer -- --minutes N`: whether the hash-signer grows over time; see test/bench/README.md. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, () => import('../test/bench/signer/soak.ts'));
