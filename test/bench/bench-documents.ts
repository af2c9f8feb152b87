import { makeSamplePdf } from '@sigillum/testing';

/** A document of a size that stands in its name. */
export type BenchDocument = { readonly name: '20 KB' | '200 KB' | '5 MB'; readonly bytes: Uint8Array };

/** Classic PDFs of two pages, filled up by a stream of incompressible size: what grows is what has to be hashed and moved. */
export function makeBenchDocuments(): readonly BenchDocument[] {
  return (
    [
      ['20 KB', 20_000],
      ['200 KB', 200_000],
      ['5 MB', 5_000_000],
    ] as const
  ).map(([name, size]) => ({
    name,
    bytes: makeSamplePdf('classic', { pages: 2, text: 'Bench', padding: size - 1_500 }),
  }));
}
