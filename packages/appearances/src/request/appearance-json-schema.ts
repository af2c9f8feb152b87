import { appearanceLimits as limits } from './appearance-limits.ts';

const colour = { type: 'string', pattern: '^#[0-9a-fA-F]{6}$', description: 'A colour of sRGB, `#rrggbb`.' } as const;
const coordinate = { type: 'number', minimum: -20_000, maximum: 20_000 } as const;
const length = { type: 'number', minimum: limits.side, maximum: 20_000 } as const;

/**
 * JSON Schema (2020-12, as in OpenAPI 3.1) of `appearance` in requests. `parseAppearance` checks by this very value, so
 * the two can't differ.
 */
export const appearanceJsonSchema = {
  type: 'object',
  description:
    'A visible seal: where (`rectangle`, with `page`, or `anchor`; an existing visible signature field has a place of its own) and what. Lengths are points of 1/72 inch on the page as it is shown.',
  additionalProperties: false,
  properties: {
    page: {
      type: 'integer',
      minimum: -1_000_000,
      maximum: 1_000_000,
      description:
        'From 1; −1 is the last page (default). With `anchor`, the only page that is searched (default: all).',
    },
    rectangle: {
      type: 'array',
      items: coordinate,
      minItems: 4,
      maxItems: 4,
      description: '[left, bottom, right, top] from the lower left corner of the page as it is shown.',
    },
    anchor: {
      type: 'object',
      description: 'Puts the seal beside a text of one line.',
      additionalProperties: false,
      required: ['text', 'width', 'height'],
      properties: {
        text: { type: 'string', minLength: 1, maxLength: limits.anchor },
        occurrence: {
          type: 'integer',
          minimum: 1,
          maximum: 100_000,
          description: 'Which one, in reading order. Without it the text must be there exactly once.',
        },
        position: {
          type: 'string',
          enum: ['above', 'below', 'left', 'right', 'over'],
          default: 'above',
          description: 'Where the seal stands, seen from the text.',
        },
        width: length,
        height: length,
        offset: {
          type: 'array',
          items: coordinate,
          minItems: 2,
          maxItems: 2,
          description: 'Moves the seal to the right and up.',
        },
      },
    },
    template: {
      type: 'string',
      enum: ['text', 'logo-left', 'logo-right', 'logo-top', 'logo', 'qr-left', 'qr-right', 'qr', 'logo-left-qr-right'],
      description: 'How the parts stand beside each other. Without it: by what is given.',
    },
    title: {
      type: 'string',
      maxLength: limits.title,
      default: '{name}',
      description: 'In bold above the text; fields as in `text`. Empty for none.',
    },
    text: {
      type: 'string',
      maxLength: limits.text,
      default: 'Digitally sealed\n{date} {time}\n{reason}\n{location}',
      description:
        'Lines of text with the fields {name}, {reason}, {location}, {contact}, {date}, {time}, {id}; `{{` and `}}` are braces. A line is left out when every field in it is empty.',
    },
    align: { type: 'string', enum: ['left', 'center', 'right'], default: 'left' },
    font_size: {
      type: 'number',
      minimum: limits.fontSize.min,
      maximum: limits.fontSize.max,
      description: 'Size of the text in points. Without it: the largest from 4 to 14 that fits.',
    },
    date_format: {
      type: 'string',
      enum: ['yyyy-mm-dd', 'dd.mm.yyyy', 'dd/mm/yyyy', 'mm/dd/yyyy'],
      default: 'yyyy-mm-dd',
    },
    utc_offset: {
      type: 'string',
      pattern: '^[+-](0[0-9]|1[0-4]):[0-5][0-9]$',
      default: '+00:00',
      description: 'Offset from UTC in which date and time are shown, e.g. `+01:00`.',
    },
    color: { ...colour, default: '#1f2933', description: 'Of text and QR code.' },
    background: { ...colour, description: 'Fills the rectangle. Without it the page shows through.' },
    border: {
      type: 'object',
      additionalProperties: false,
      properties: {
        width: { type: 'number', minimum: 0.1, maximum: limits.borderWidth, default: 0.75 },
        color: { ...colour, default: '#9aa5b1' },
      },
    },
    accent: { ...colour, description: 'A bar along the left edge.' },
    image: {
      type: 'string',
      contentEncoding: 'base64',
      minLength: 1,
      maxLength: Math.ceil(limits.imageBytes / 3) * 4,
      pattern: '^[A-Za-z0-9+/]+={0,2}$',
      description: 'A PNG or JPEG file of at most 1 MiB and 4,000,000 pixels.',
    },
    qr: {
      type: 'string',
      minLength: 1,
      maxLength: limits.qr,
      description: 'http(s) address for a QR code; fields as in `text` are put in percent-encoded.',
    },
  },
} as const;
