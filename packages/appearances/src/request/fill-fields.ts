import { SigillumError } from '@sigillum/errors';
import type { AppearanceContext } from './appearance-context.ts';
import { appearanceLimits as limits } from './appearance-limits.ts';
import type { AppearanceRequest, DateFormat } from './appearance-request.ts';

/** A field, or a brace written twice. What is left of braces after these is a mistake. */
const token = /\{\{|\}\}|\{([a-z][a-z0-9_]{0,31})\}/g;

/** What is wrong with the braces of a template, or undefined. */
export function findTemplateProblem(template: string): string | undefined {
  return /[{}]/.test(template.replaceAll(token, ''))
    ? 'has a brace that is no {field}; write {{ or }} for a brace'
    : undefined;
}

/** A text whose fields are filled in, and which characters its date may have at any other time. */
export type FilledText = { readonly lines: readonly string[]; readonly hasDate: boolean };

/** Fills in the fields of a template. Lines with fields of which none has a value are left out. */
export function fillFields(template: string, values: ReadonlyMap<string, string>, pointer: string): FilledText {
  let hasDate = false;
  const lines: string[] = [];
  for (const line of template.split(/\r\n|[\n\r\u2028\u2029]/)) {
    let fields = 0;
    let filled = 0;
    const text = line.replaceAll(token, (whole, name: string | undefined) => {
      if (name === undefined) return whole.charAt(0);
      fields++;
      const value = getValue(values, name, pointer);
      if (value !== '') filled++;
      if (name === 'date' || name === 'time') hasDate = true;
      return value;
    });
    if (fields === 0 || filled > 0) lines.push(...text.split(/\r\n|[\n\r\u2028\u2029]/).map((one) => one.trimEnd()));
  }
  return { lines, hasDate };
}

/** An address with its fields filled in, percent-encoded, as the URL standard writes it. */
export function fillAddress(template: string, values: ReadonlyMap<string, string>, pointer: string): string {
  const filled = template.replaceAll(token, (whole, name: string | undefined) =>
    name === undefined ? whole.charAt(0) : encodeURIComponent(getValue(values, name, pointer)),
  );
  const url = URL.canParse(filled) ? new URL(filled) : undefined;
  const address = url?.href ?? '';
  // who scans https://known.example@other.example/ reads the wrong name
  const isPlain = /^https?:/.test(address) && url?.username === '' && url.password === '';
  if (isPlain && address.length <= limits.qr) return address;
  throw new SigillumError(
    'appearance_invalid',
    `The address of the QR code is not an http(s) address without a user name, of at most ${limits.qr} characters.`,
    {
      fields: [
        { pointer, detail: `must be an http or https address of at most ${limits.qr} characters, without a user` },
      ],
    },
  );
}

/** The values of all fields by their names. */
export function listFieldValues(request: AppearanceRequest, context: AppearanceContext): ReadonlyMap<string, string> {
  const own = Object.entries(context.fields ?? {});
  if (own.length > limits.fields) throw tooLong(`more than ${limits.fields} fields`);
  const { date, time } = formatTime(context.now, request.dateFormat, request.utcOffset);
  const values = new Map<string, string>([
    ...own,
    ['name', context.signer],
    ['reason', context.reason ?? ''],
    ['location', context.location ?? ''],
    ['contact', context.contact ?? ''],
    ['date', date],
    ['time', time],
  ]);
  for (const [name, value] of values) {
    if (value.length > limits.field) throw tooLong(`a {${name}} of more than ${limits.field} characters`);
  }
  return values;
}

/** Every character that a date or time can have, so that another time needs no other font. */
export const timeCharacters = '0123456789-./:+ UTC';

function formatTime(now: Date, format: DateFormat, offset: number): { date: string; time: string } {
  // by ISO 8601 of the moved time: dates by locale differ from one version of ICU to the next
  const [day = '', clock = ''] = new Date(now.getTime() + offset * 60_000).toISOString().split('T');
  const [yyyy = '', mm = '', dd = ''] = day.split('-');
  const date = format.replace('yyyy', yyyy).replace('mm', mm).replace('dd', dd);
  return { date, time: `${clock.slice(0, 8)} ${nameZone(offset)}` };
}

function nameZone(offset: number): string {
  if (offset === 0) return 'UTC';
  const minutes = Math.abs(offset);
  const digits = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `UTC${offset < 0 ? '-' : '+'}${digits.join(':')}`;
}

function getValue(values: ReadonlyMap<string, string>, name: string, pointer: string): string {
  const value = values.get(name);
  if (value !== undefined) return value;
  throw new SigillumError(
    'appearance_invalid',
    `The appearance of the seal has the field {${name}}, which nothing fills.`,
    {
      fields: [{ pointer, detail: `has the field {${name}}, which nothing fills` }],
    },
  );
}

function tooLong(what: string): SigillumError {
  return new SigillumError('appearance_text_too_long', `The appearance of the seal has ${what}.`);
}
