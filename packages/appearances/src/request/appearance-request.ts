/** A colour of sRGB as `#rrggbb`. */
export type Colour = string;

/** `[left, bottom, right, top]` in points from the lower left corner of the page as it is shown. */
export type ShownRectangle = readonly [number, number, number, number];

export type Alignment = 'left' | 'center' | 'right';

/** How image, text and QR code stand beside each other. */
export type AppearanceTemplate =
  | 'text'
  | 'logo-left'
  | 'logo-right'
  | 'logo-top'
  | 'logo'
  | 'qr-left'
  | 'qr-right'
  | 'qr'
  | 'logo-left-qr-right';

export type DateFormat = 'yyyy-mm-dd' | 'dd.mm.yyyy' | 'dd/mm/yyyy' | 'mm/dd/yyyy';

/** Text on a page beside which the seal is put. */
export type AnchorRequest = {
  readonly text: string;
  /** Which one, in reading order over all searched pages, from 1. Without it there must be exactly one. */
  readonly occurrence?: number;
  /** Where the seal stands, seen from the text: `above` and `below` begin at its left edge, `over` covers it from its lower left corner. */
  readonly position: 'above' | 'below' | 'left' | 'right' | 'over';
  readonly width: number;
  readonly height: number;
  /** Moves the seal, to the right and up. */
  readonly offset: readonly [number, number];
};

/** What a visible seal shows and where; made by `parseAppearance`. */
export type AppearanceRequest = {
  /** From 1, or from −1 for the last one backwards. With an anchor only this page is searched; else the default is the last page. */
  readonly page?: number;
  readonly rectangle?: ShownRectangle;
  readonly anchor?: AnchorRequest;
  readonly template: AppearanceTemplate;
  readonly title: string;
  readonly text: string;
  readonly align: Alignment;
  readonly fontSize?: number;
  readonly dateFormat: DateFormat;
  /** Minutes east of Greenwich in which {date} and {time} are shown. */
  readonly utcOffset: number;
  readonly colour: Colour;
  readonly background?: Colour;
  readonly border?: { readonly width: number; readonly colour: Colour };
  readonly accent?: Colour;
  /** A PNG or JPEG file. */
  readonly image?: Uint8Array;
  /** Address in the QR code; may have fields. */
  readonly qr?: string;
};
