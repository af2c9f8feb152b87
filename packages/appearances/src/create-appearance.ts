import { SigillumError } from '@sigillum/errors';
import type { FieldPlace, PlacedAppearance, SealAppearance } from '@sigillum/pades';
import { type ByteSource, openPdf, type PdfDocument } from '@sigillum/pdf';
import { findAnchor } from './anchor/find-anchor.ts';
import { addSealForm } from './add-seal-form.ts';
import { chooseColours, parseColour } from './colour/colour-policy.ts';
import { readPdfaClaim } from './colour/read-pdfa-claim.ts';
import type { AppearanceFonts, LoadedFonts } from './font/appearance-fonts.ts';
import type { FontFace } from './font/font-face.ts';
import type { FontSubset } from './font/font-subset.ts';
import { readImage } from './image/read-image.ts';
import { layOutSeal, type SealParts } from './layout/lay-out-seal.ts';
import { makeQrCode } from './layout/make-qr-code.ts';
import type { SetSeal } from './layout/set-seal.ts';
import { findFieldPlace, findPlace, type Place } from './place/find-place.ts';
import { findRequestedPage } from './place/find-requested-page.ts';
import { makeUprightMatrix, toUserRectangle } from './place/shown-page.ts';
import type { AppearanceContext } from './request/appearance-context.ts';
import { appearanceLimits } from './request/appearance-limits.ts';
import type { AppearanceRequest } from './request/appearance-request.ts';
import { fillAddress, fillFields, listFieldValues, timeCharacters } from './request/fill-fields.ts';

/**
 * Everything about a visible seal that takes time or may be refused: the place is found, the text filled in and set, the
 * image decoded. What comes back is synchronous and gives the same objects for the same document; hand it to
 * `prepareSignature` or `sealDocument` as `options.appearance`, with the same source.
 *
 * @param source the document, read by its xref as for sealing
 * @throws SigillumError `appearance_*`, and `pdf_*` for what can't be read
 *
 * @example
 * const request = parseAppearance({ rectangle: [360, 40, 560, 110], template: 'text' });
 * const appearance = await createAppearance(source, request, { now: signingTime, signer: 'Example AG' }, fonts);
 */
export async function createAppearance(
  source: ByteSource,
  request: AppearanceRequest,
  context: AppearanceContext,
  fonts: AppearanceFonts,
): Promise<SealAppearance> {
  const document = openPdf(source);
  const loaded = await fonts.load();
  const knowledge = request.anchor && (await fonts.loadKnowledge());
  const anchor = request.anchor && knowledge && (await findAnchor(document, request.anchor, request.page, knowledge));
  const place = findPlace(document, request, anchor);
  const parts = makeParts(document, request, context, fonts, loaded);
  // what doesn't fit is said before anything is signed
  const known = place && setSeal(parts, place);
  return (asked, field) => {
    const set = known && field === undefined ? known : setSeal(parts, getPlace(asked, request, place, field));
    return {
      page: set.place.shown.page,
      rectangle: field?.rectangle ?? toUserRectangle(set.place.shown, set.place.rectangle),
      addForm: (update) => addSealForm(update, parts, set, loaded.deflate),
    } satisfies PlacedAppearance;
  };
}

function setSeal(parts: SealParts, place: Place): SetSeal {
  const [left, bottom, right, top] = place.rectangle;
  const width = right - left;
  const height = top - bottom;
  const matrix = makeUprightMatrix(place.shown, width, height);
  return { place, width, height, matrix, content: layOutSeal(parts, width, height) };
}

function getPlace(
  document: PdfDocument,
  { page }: AppearanceRequest,
  place: Place | undefined,
  field: FieldPlace | undefined,
): Place {
  if (field && place) {
    throw new SigillumError(
      'appearance_invalid',
      'The signature field has a place of its own: leave rectangle and anchor out, or name another field.',
      { fields: [{ pointer: '/rectangle', detail: 'can not be given for a field that is visible already' }] },
    );
  }
  if (field) {
    if (page !== undefined && findRequestedPage(document, page).ref.number !== field.page.number) {
      throw new SigillumError(
        'appearance_invalid',
        'The signature field stands on another page: leave page out, or name another field.',
        { fields: [{ pointer: '/page', detail: 'is not the page of the field' }] },
      );
    }
    return findFieldPlace(document, field);
  }
  if (place) return place;
  throw new SigillumError(
    'appearance_place_missing',
    'Nothing says where the seal shall be visible: give a rectangle or an anchor, or name a visible signature field.',
    { fields: [{ pointer: '/rectangle', detail: 'is required, or anchor' }] },
  );
}

function makeParts(
  document: PdfDocument,
  request: AppearanceRequest,
  context: AppearanceContext,
  fonts: AppearanceFonts,
  { regular, bold, deflate }: LoadedFonts,
): SealParts {
  const policy = chooseColours(readPdfaClaim(document));
  const values = listFieldValues(request, context);
  const title = setText(bold, request.title, '/title', values);
  const text = setText(regular, request.text, '/text', values);
  const ground = parseColour(request.background ?? '#ffffff');
  return {
    request,
    policy,
    text: { title: title.lines, text: text.lines, faces: { regular, bold }, fontSize: request.fontSize },
    subsets: { bold: title.subset, regular: text.subset },
    image: request.image && readImage(request.image, policy, ground, deflate, fonts.images),
    qr: request.qr === undefined ? undefined : makeQrCode(fillAddress(request.qr, values, '/qr')),
  };
}

/** Fills a template in, and makes the part of its font that it needs. */
function setText(
  face: FontFace,
  template: string,
  pointer: string,
  values: ReadonlyMap<string, string>,
): { lines: readonly string[]; subset: FontSubset | undefined } {
  if (template === '') return { lines: [], subset: undefined };
  const filled = fillFields(template, values, pointer);
  const lines = filled.lines.map((line) => line.normalize('NFC').replaceAll('\t', ' '));
  const all = lines.join('');
  if (all.length > appearanceLimits.filled) {
    throw new SigillumError(
      'appearance_text_too_long',
      `The text of the seal has more than ${appearanceLimits.filled} characters.`,
    );
  }
  const unsupported = face.findUnsupported(all);
  if (unsupported.length > 0) throw unsupportedText(unsupported, pointer);
  if (all === '') return { lines: [], subset: undefined };
  const glyphs = new Map<number, string>();
  const needed = filled.hasDate ? [...lines, timeCharacters] : lines;
  for (const glyph of needed.flatMap((line) => face.shape(line).glyphs)) {
    const known = glyphs.get(glyph.id);
    // one glyph for two characters, e.g. space and no-break space: always the same one of them
    if (known === undefined || glyph.text < known) glyphs.set(glyph.id, glyph.text);
  }
  return { lines, subset: face.subset(glyphs) };
}

function unsupportedText(characters: readonly string[], pointer: string): SigillumError {
  const shown = characters.slice(0, 10).map((character) => {
    const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    return /^[\p{L}\p{N}\p{P}\p{S}]$/u.test(character) ? `${character} (${code})` : code;
  });
  const list = `${shown.join(', ')}${characters.length > shown.length ? ', …' : ''}`;
  return new SigillumError(
    'appearance_text_unsupported',
    `The font of visible seals shows Latin, Greek and Cyrillic text, and not: ${list}.`,
    { fields: [{ pointer, detail: `has characters that can not be shown: ${list}` }] },
  );
}
