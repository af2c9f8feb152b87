import { defineCodes } from '../code-definition.ts';

/** What can't be shown, or not there, on the page of a visible seal. */
export const appearanceCodes = defineCodes({
  appearance_invalid: { status: 400, title: 'The appearance of the seal is not valid' },
  appearance_place_missing: { status: 422, title: 'Nothing says where the seal shall be visible' },
  appearance_page_unknown: { status: 422, title: 'The document has no such page' },
  appearance_rectangle_outside: { status: 422, title: 'The rectangle of the seal reaches outside the page' },
  appearance_rectangle_small: { status: 422, title: 'The rectangle of the seal is too small' },
  appearance_anchor_not_found: { status: 422, title: 'The anchor text is not on the page' },
  appearance_anchor_ambiguous: { status: 422, title: 'The anchor text is there more than once' },
  appearance_anchor_limit_exceeded: {
    status: 422,
    title: 'The document has too much content to search it for the anchor',
  },
  appearance_text_unsupported: { status: 422, title: 'The font of visible seals lacks some characters' },
  appearance_text_too_long: { status: 422, title: 'The text does not fit into the rectangle of the seal' },
  appearance_image_damaged: { status: 422, title: 'The image of the seal is damaged' },
  appearance_image_unsupported: { status: 422, title: 'The image of the seal is of a kind that can not be shown' },
  appearance_image_too_large: { status: 422, title: 'The image of the seal is too large' },
});
