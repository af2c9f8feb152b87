import { isSigillumError } from '@sigillum/errors';
import { isName, isPdfArray, PdfDict, type PdfDocument, PdfStream } from '@sigillum/pdf';

/** That a document says of itself to be PDF/A. */
export type PdfaClaim = {
  /** Components of the profile of its output intent: 1, 3 or 4; undefined without one. */
  readonly intentColours: number | undefined;
};

/** XMP packets of real files stay below some 100 KiB; nothing more is searched. */
const longestPacket = 4 * 1024 * 1024;

/**
 * Whether the document claims PDF/A in its XMP (ISO 19005-1 §6.7.11), and with which output intent. What can't be read is
 * taken for a claim without an intent, since then the seal uses only what is allowed everywhere.
 */
export function readPdfaClaim(document: PdfDocument): PdfaClaim | undefined {
  try {
    return claimsPdfa(document) ? { intentColours: readIntentColours(document) } : undefined;
  } catch (error) {
    if (isSigillumError(error)) return { intentColours: undefined };
    throw error;
  }
}

function claimsPdfa(document: PdfDocument): boolean {
  const metadata = document.find(document.catalog, 'Metadata');
  if (!(metadata instanceof PdfStream)) return false;
  const packet = document.readStream(metadata);
  const text = decodePacket(packet.subarray(0, longestPacket));
  // by its namespace: the prefix may be any
  return text.includes('http://www.aiim.org/pdfa/ns/id/');
}

/** XMP may be UTF-8, or UTF-16 of either order by its mark (ISO 16684-1 §7.1). */
function decodePacket(packet: Uint8Array): string {
  const [first, second] = packet;
  const utf16 =
    first === 0xfe && second === 0xff ? 'utf-16be' : first === 0xff && second === 0xfe ? 'utf-16le' : undefined;
  return new TextDecoder(utf16 ?? 'utf-8').decode(packet);
}

function readIntentColours(document: PdfDocument): number | undefined {
  const intents = document.find(document.catalog, 'OutputIntents');
  if (!isPdfArray(intents)) return undefined;
  for (const intent of intents) {
    const dict = document.resolve(intent);
    if (!(dict instanceof PdfDict) || !isName(document.find(dict, 'S'), 'GTS_PDFA1')) continue;
    const profile = document.find(dict, 'DestOutputProfile');
    const colours = profile instanceof PdfStream ? document.find(profile.dict, 'N') : undefined;
    return typeof colours === 'number' ? colours : undefined;
  }
  return undefined;
}
