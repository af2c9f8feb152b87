import { isPdfArray, PdfDict, type PdfDocument, type PdfObject, PdfRef } from '@sigillum/pdf';
import { findName } from './font-values.ts';

/** Layers of a document that are looked at: maps have hundreds. */
const maxLayers = 10_000;
/** Layers that one membership names. */
const maxMembers = 256;

/**
 * The layers that readers don't show when a document is opened: optional content groups that its default configuration
 * switches off (ISO 32000-2 §8.11.4.3). What their use says of printing, zoom or language isn't asked.
 */
export class HiddenLayers {
  readonly #document: PdfDocument;
  readonly #isOffByDefault: boolean;
  /** Those that are otherwise than by default. */
  readonly #exceptions: ReadonlySet<number>;

  constructor(document: PdfDocument) {
    this.#document = document;
    const properties = document.find(document.catalog, 'OCProperties');
    const value = properties instanceof PdfDict ? document.find(properties, 'D') : undefined;
    const configuration = value instanceof PdfDict ? value : new PdfDict();
    this.#isOffByDefault = findName(document, configuration, 'BaseState') === 'OFF';
    const list = document.find(configuration, this.#isOffByDefault ? 'ON' : 'OFF');
    const groups = isPdfArray(list) ? list.slice(0, maxLayers) : [];
    this.#exceptions = new Set(groups.flatMap((group) => (group instanceof PdfRef ? [group.number] : [])));
  }

  /** Whether `/OC` of an object, or a property list of marked content, means that it isn't shown. */
  isHidden(value: PdfObject | undefined): boolean {
    const dict = this.#document.resolve(value ?? null);
    if (!(dict instanceof PdfDict)) return false;
    if (findName(this.#document, dict, 'Type') !== 'OCMD') return this.#isOff(value);
    return this.#isMembershipHidden(dict);
  }

  #isOff(group: PdfObject | undefined): boolean {
    return group instanceof PdfRef && this.#exceptions.has(group.number) !== this.#isOffByDefault;
  }

  /** Table 97. An expression (`/VE`) is asked only where there is no list, and then shown. */
  #isMembershipHidden(membership: PdfDict): boolean {
    const value = membership.find('OCGs');
    const resolved = this.#document.resolve(value ?? null);
    const groups = isPdfArray(resolved) ? resolved.slice(0, maxMembers) : value === undefined ? [] : [value];
    const states = groups.filter((group) => group instanceof PdfRef).map((group) => this.#isOff(group));
    if (states.length === 0) return false;
    switch (findName(this.#document, membership, 'P')) {
      case 'AllOn':
        return states.includes(true);
      case 'AnyOff':
        return !states.includes(true);
      case 'AllOff':
        return states.includes(false);
      default:
        return !states.includes(false);
    }
  }
}
