/** `npm run fuzz:pdf -- --minutes N [--seed N]`: the reader of PDFs against inputs that reach ever new code of it. */
import { workInPinnedNode } from './bootstrap.mjs';

await workInPinnedNode(import.meta.filename, () => import('../packages/pdf/fuzz/main.ts'));
