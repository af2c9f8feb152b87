import type { PDFContext } from 'pdf-lib';

/** Compresses for FlateDecode. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/**
 * By pdf-lib's own deflate, in JavaScript: that of node:zlib gives other bytes on other processors and versions, and the
 * same seal must come out byte for byte wherever it is made.
 */
export async function loadDeflate(): Promise<Deflate> {
  const pdfLib = await import('pdf-lib');
  const context: PDFContext = pdfLib.PDFContext.create();
  return (bytes) => context.flateStream(bytes).getContents();
}
