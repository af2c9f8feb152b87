import { SigillumError } from '@sigillum/errors';
import type { FieldPlace, PlacedAppearance, SealAppearance } from '@sigillum/pades';
import { type ByteSource, openPdf, type PdfDocument } from '@sigillum/pdf';
import { findAnchor } from './anchor/find-anchor.ts';
import { addSealForm } from './add-seal-form.ts';
import { chooseColours, parseColour } from './colour/colour-policy.ts';
import { readPdfaClaim } from './colour/read-pdfa-claim.ts';
import type { AppearanceFonts, LoadedFonts } from './font/appearance-fonts.ts';
import type { Face } from './font/face.ts';
import type { FontStack } from './font/font-stack.ts';
import { unsupportedText } from './font/unsupported-text.ts';
import { readImage } from './image/read-image.ts';
import { layOutSeal, type SealParts } from './layout/lay-out-seal.ts';
import { makeQrCode } from './layout/make-qr-code.ts';
import type { SealFont } from './layout/seal-font.ts';
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
  { regular, bold, faces, deflate }: LoadedFonts,
): SealParts {
  const policy = chooseColours(readPdfaClaim(document));
  const values = listFieldValues(request, context);
  const glyphs: GlyphsByFace = new Map();
  const title = setText(bold, request.title, '/title', values, glyphs);
  const text = setText(regular, request.text, '/text', values, glyphs);
  const ground = parseColour(request.background ?? '#ffffff');
  return {
    request,
    policy,
    text: { title, text, stacks: { regular, bold }, fontSize: request.fontSize },
    fonts: new Map(faces.flatMap((face, index) => makeSealFont(face, `F${index}`, glyphs))),
    image: request.image && readImage(request.image, policy, ground, deflate, fonts.images),
    qr: request.qr === undefined ? undefined : makeQrCode(fillAddress(request.qr, values, '/qr')),
  };
}

/** Combining marks, and the slash that makes fractions. */
const joinsWithOthers = /[\p{M}\u2044]/u;

/** What each glyph stands for that a seal needs of a font. */
type GlyphsByFace = Map<Face, Map<number, string>>;

/** Fills a template in, and notes the glyphs that it needs. */
function setText(
  fonts: FontStack,
  template: string,
  pointer: '/title' | '/text',
  values: ReadonlyMap<string, string>,
  glyphs: GlyphsByFace,
): readonly string[] {
  if (template === '') return [];
  const filled = fillFields(template, values, pointer);
  const lines = filled.lines.map((line) => line.normalize('NFC').replaceAll('\t', ' '));
  const all = lines.join('');
  if (all.length > appearanceLimits.filled) {
    throw new SigillumError(
      'appearance_text_too_long',
      `The text of the seal has more than ${appearanceLimits.filled} characters.`,
    );
  }
  const unsupported = lines.flatMap((line) => fonts.findUnsupported(line));
  if (unsupported.length > 0) throw unsupportedText([...new Set(unsupported)], fonts, pointer);
  if (all === '') return [];
  // what looks otherwise beside others may stand alone after a break
  const pieces = lines.flatMap((line) => (joinsWithOthers.test(line) ? [line, ...line] : [line]));
  const needed = filled.hasDate ? [...pieces, timeCharacters] : pieces;
  for (const { face, run } of needed.flatMap((line) => fonts.shape(line).parts)) {
    const texts = glyphs.get(face) ?? new Map<number, string>();
    glyphs.set(face, texts);
    for (const glyph of run.glyphs) {
      const known = texts.get(glyph.id);
      // one glyph for two characters, e.g. space and no-break space: always the same one of them
      if (known === undefined || glyph.text < known) texts.set(glyph.id, glyph.text);
    }
  }
  return lines;
}

function makeSealFont(face: Face, resource: string, glyphs: GlyphsByFace): [Face, SealFont][] {
  const needed = glyphs.get(face);
  return needed ? [[face, { resource, subset: face.subset(needed) }]] : [];
}
