import { createArraySource, findFirstPage, isPdfArray, openPdf, PdfRef } from '@sigillum/pdf';
import { appendSection } from './append-section.ts';
import { addAnnotation, changeContent } from './change-afterwards.ts';
import { type ForgedFile, forged, type ForgeryTools, type SealedSample } from './forgery.ts';
import { signPrepared } from './sign-prepared.ts';
import { signUpdate } from './sign-update.ts';
import { makeStream, updateObjects } from './update-objects.ts';

const wholePage = [0, 0, 595, 842] as const;

/** Documents that are sealed in a way that invites an attack; every judge accepts them as they are. */
export type PreparedTargets = {
  /** Certified, forms and signatures allowed (P=2). */
  readonly certified: Uint8Array;
  /** Certified without any further change (P=1). */
  readonly closed: Uint8Array;
  /** A picture covers the page, as an annotation. */
  readonly covered: Uint8Array;
  /** A second definition of the page's content lies in the signed bytes, unused. */
  readonly twin: Uint8Array;
  /** Where the second definition begins. */
  readonly twinOffset: number;
};

/** The targets of {@link attackTargets}, made of any document with a page. */
export function makeTargets({ input }: SealedSample, { pki }: ForgeryTools): PreparedTargets {
  const { number, generation } = findContentRef(input);
  const twinObject = `${number} ${generation} obj\n${Buffer.from(makeStream('0 0 1 rg 40 40 500 700 re f').bytes).toString('latin1')}\nendobj\n`;
  // The cross-reference section of the update names only an object that nobody uses.
  const spare = openPdf(createArraySource(input)).nextObjectNumber;
  const twinInput = appendSection(input, {
    body: `${twinObject}${spare} 0 obj\nnull\nendobj\n`,
    entries: (start) => [{ number: spare, offset: start + twinObject.length }],
  });
  return {
    certified: signUpdate(input, pki, { fieldName: 'Certification', certify: 2 }),
    closed: signUpdate(input, pki, { fieldName: 'Certification', certify: 1 }),
    covered: signPrepared(updateObjects(input, addAnnotation), pki),
    twin: signPrepared(twinInput, pki),
    twinOffset: Buffer.from(twinInput).indexOf(twinObject, input.length, 'latin1'),
  };
}

/** Attacks that need a document prepared for them: on certification, and the shadow attacks. */
export function attackTargets(
  sealed: SealedSample,
  tools: ForgeryTools,
  targets: PreparedTargets,
): readonly ForgedFile[] {
  const { pki } = tools;
  const content = findContentRef(sealed.input);
  const appearance = findAppearance(targets.covered);
  return [
    forged(
      'certified-annotation',
      'a certified page (P=2) by an annotation over it',
      updateObjects(targets.certified, addAnnotation),
    ),
    forged(
      'certified-visible-signature',
      'a certified page (P=2) by a second signature over it',
      signUpdate(targets.certified, pki, { fieldName: 'Sneaky', rect: wholePage }),
    ),
    forged(
      'certified-content',
      "a certified page's content (P=2), in the update of a second signature",
      signUpdate(targets.certified, pki, {
        fieldName: 'Sneaky',
        change: (update) => changeContent(update, openPdf(createArraySource(targets.certified))),
      }),
    ),
    forged(
      'closed-signed-again',
      'a document certified without changes (P=1) by a second signature',
      signUpdate(targets.closed, pki, { fieldName: 'Second' }),
    ),
    forged(
      'shadow-hide',
      'a covering picture is taken away by an xref alone',
      appendSection(targets.covered, { entries: () => [{ number: appearance.number, free: true }] }),
    ),
    forged(
      'shadow-replace',
      'the appearance of an annotation by an update',
      updateObjects(targets.covered, (update) =>
        update.set(
          appearance,
          makeStream(
            '1 0 0 rg 0 0 595 842 re f',
            '/Type /XObject /Subtype /Form /BBox [0 0 595 842] /Resources << >> ',
          ),
        ),
      ),
    ),
    forged(
      'shadow-twin',
      'an xref alone that leads to a hidden second definition',
      appendSection(targets.twin, {
        entries: () => [{ number: content.number, generation: content.generation, offset: targets.twinOffset }],
      }),
    ),
  ];
}

function findContentRef(bytes: Uint8Array): PdfRef {
  const document = openPdf(createArraySource(bytes));
  const contents = findFirstPage(document).dict.find('Contents');
  const first = isPdfArray(contents) ? contents[0] : contents;
  if (!(first instanceof PdfRef)) throw new Error('the first page has no content of its own');
  return first;
}

/** The appearance of the first page's first annotation that has one: the covering one was there before the field. */
function findAppearance(bytes: Uint8Array): PdfRef {
  const document = openPdf(createArraySource(bytes));
  const annotations = document.find(findFirstPage(document).dict, 'Annots');
  for (const annotation of isPdfArray(annotations) ? annotations.toReversed() : []) {
    const appearances = document.findDict(document.getDict(annotation, 'An annotation').find('AP'), '/AP');
    const normal = appearances?.find('N');
    if (normal instanceof PdfRef) return normal;
  }
  throw new Error('no annotation has an appearance');
}
