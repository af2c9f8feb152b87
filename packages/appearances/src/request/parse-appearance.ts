import { type FieldProblem, SigillumError } from '@sigillum/errors';
import { appearanceJsonSchema } from './appearance-json-schema.ts';
import type { AppearanceRequest, AppearanceTemplate } from './appearance-request.ts';
import { checkJson } from './check-json.ts';
import { findTemplateProblem } from './fill-fields.ts';

/** The JSON of a request, once {@link checkJson} has agreed. */
type AppearanceJson = {
  page?: number;
  rectangle?: [number, number, number, number];
  anchor?: {
    text: string;
    occurrence?: number;
    position?: 'above' | 'below' | 'left' | 'right' | 'over';
    width: number;
    height: number;
    offset?: [number, number];
  };
  template?: AppearanceTemplate;
  title?: string;
  text?: string;
  align?: AppearanceRequest['align'];
  font_size?: number;
  date_format?: AppearanceRequest['dateFormat'];
  utc_offset?: string;
  color?: string;
  background?: string;
  border?: { width?: number; color?: string };
  accent?: string;
  image?: string;
  qr?: string;
};

const { properties } = appearanceJsonSchema;

/**
 * Reads `appearance` of a request (see `appearanceJsonSchema`), already parsed from JSON. Strict: a name that isn't known
 * is an error, and so is a part that the template doesn't show.
 *
 * @throws SigillumError `appearance_invalid` with every wrong field by its JSON Pointer
 */
export function parseAppearance(json: unknown): AppearanceRequest {
  const problems = checkJson(json, appearanceJsonSchema);
  if (problems.length > 0) throw invalid(problems);
  const given = json as AppearanceJson;
  const template = given.template ?? chooseTemplate(given);
  const further = [...checkPlace(given), ...checkParts(given, template)];
  if (further.length > 0) throw invalid(further);
  const { anchor, border } = given;
  const textShown = template !== 'logo' && template !== 'qr';
  return {
    ...(given.page !== undefined && { page: given.page }),
    ...(given.rectangle && { rectangle: given.rectangle }),
    ...(anchor && {
      anchor: {
        text: anchor.text,
        ...(anchor.occurrence !== undefined && { occurrence: anchor.occurrence }),
        position: anchor.position ?? properties.anchor.properties.position.default,
        width: anchor.width,
        height: anchor.height,
        offset: anchor.offset ?? [0, 0],
      },
    }),
    template,
    title: textShown ? (given.title ?? properties.title.default) : '',
    text: textShown ? (given.text ?? properties.text.default) : '',
    align: given.align ?? (template === 'logo-top' ? 'center' : properties.align.default),
    ...(given.font_size !== undefined && { fontSize: given.font_size }),
    dateFormat: given.date_format ?? properties.date_format.default,
    utcOffset: parseUtcOffset(given.utc_offset ?? properties.utc_offset.default),
    colour: given.color ?? properties.color.default,
    ...(given.background && { background: given.background }),
    ...(border && {
      border: {
        width: border.width ?? properties.border.properties.width.default,
        colour: border.color ?? properties.border.properties.color.default,
      },
    }),
    ...(given.accent && { accent: given.accent }),
    ...(given.image && { image: new Uint8Array(Buffer.from(given.image, 'base64')) }),
    ...(given.qr && { qr: given.qr }),
  };
}

function chooseTemplate({ image, qr, title, text }: AppearanceJson): AppearanceTemplate {
  const silent = title === '' && text === '';
  if (image && qr) return 'logo-left-qr-right';
  if (image) return silent ? 'logo' : 'logo-left';
  if (qr) return silent ? 'qr' : 'qr-right';
  return 'text';
}

function checkPlace({ page, rectangle, anchor }: AppearanceJson): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (page === 0)
    problems.push({ pointer: '/page', detail: 'must not be 0: pages count from 1, or from −1 backwards' });
  if (rectangle && anchor) problems.push({ pointer: '/anchor', detail: 'can not stand beside rectangle' });
  if (rectangle && !(rectangle[0] < rectangle[2] && rectangle[1] < rectangle[3])) {
    problems.push({ pointer: '/rectangle', detail: 'must be [left, bottom, right, top] with an area' });
  }
  return problems;
}

function checkParts(given: AppearanceJson, template: AppearanceTemplate): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const part = (name: 'image' | 'qr', shown: boolean) => {
    if (shown && given[name] === undefined)
      problems.push({ pointer: `/${name}`, detail: `is required by ${template}` });
    if (!shown && given[name] !== undefined)
      problems.push({ pointer: `/${name}`, detail: `is not shown by ${template}` });
  };
  part('image', template.includes('logo'));
  part('qr', template.includes('qr'));
  if (template === 'logo' || template === 'qr') {
    for (const name of ['title', 'text'] as const) {
      if (given[name]) problems.push({ pointer: `/${name}`, detail: `is not shown by ${template}` });
    }
  } else if (given.title === '' && given.text === '') {
    problems.push({ pointer: '/text', detail: 'must not be empty together with title' });
  }
  for (const name of ['title', 'text', 'qr'] as const) {
    const detail = findTemplateProblem(given[name] ?? '');
    if (detail) problems.push({ pointer: `/${name}`, detail });
  }
  if (given.qr !== undefined && !/^https?:\/\/[^\s]+$/i.test(given.qr)) {
    problems.push({ pointer: '/qr', detail: 'must be an http or https address' });
  }
  return problems;
}

function parseUtcOffset(text: string): number {
  const minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(4, 6));
  return text.startsWith('-') ? -minutes : minutes;
}

function invalid(fields: readonly FieldProblem[]): SigillumError {
  const [first] = fields;
  return new SigillumError(
    'appearance_invalid',
    `The appearance of the seal is not valid: ${first?.pointer || 'it'} ${first?.detail}.`,
    { fields },
  );
}
