import { catalogWith, contentAs, contentLength, odd, type OddFile, pageWith } from './odd-file.ts';

/** How objects, streams and values are spelled. */
export function oddSpelling(): readonly OddFile[] {
  const content = (name: string, body: string, objects: Record<number, string> = {}) =>
    odd(name, { objects: { 4: body, ...objects } });
  const length = contentLength;
  const value = (name: string, text: string) =>
    odd(`value-${name}`, { objects: { 1: catalogWith(`/Sgl_Own ${text}`) } });
  return [
    odd('obj-no-space', { head: (number) => `${number} 0 obj` }),
    odd('obj-spaces', { head: (number) => `${number}   0\n obj   ` }),
    odd('obj-comment', { head: (number) => `${number} 0 obj % object\n` }),
    odd('obj-cr', { head: (number) => `${number} 0 obj\r`, tail: '\rendobj\r' }),
    odd('obj-zeros', { head: (number) => `00${number} 000 obj\n` }),
    odd('obj-same-line', { head: (number) => `${number} 0 obj `, tail: ' endobj ' }),
    odd('endobj-missing', { tail: '\n' }),
    odd('endobj-no-space', { tail: 'endobj\n' }),
    odd('endobj-twice', { tail: '\nendobj\nendobj\n' }),
    odd('endobj-then-junk', { tail: '\nendobj garbage\n' }),
    odd('endobj-cut', { tail: '\nendob\n' }),
    content('length-indirect', contentAs('<< /Length 6 0 R >>'), { 6: String(length) }),
    content('length-one-short', contentAs(`<< /Length ${length - 1} >>`)),
    content('length-with-line-end', contentAs(`<< /Length ${length + 1} >>`)),
    content('length-two-line-ends', contentAs(`<< /Length ${length} >>`, '\nstream\n', '\n\n\nendstream')),
    content('length-crlf', contentAs(`<< /Length ${length} >>`, '\r\nstream\r\n', '\r\nendstream')),
    content('length-missing', contentAs('<< >>')),
    content('length-null', contentAs('<< /Length null >>')),
    content('length-zero', contentAs('<< /Length 0 >>')),
    content('length-real', contentAs(`<< /Length ${length}.0 >>`)),
    content('length-dangling', contentAs('<< /Length 99 0 R >>')),
    content('stream-cr', contentAs(`<< /Length ${length} >>`, '\nstream\r')),
    content('stream-space', contentAs(`<< /Length ${length} >>`, '\nstream \n')),
    content('stream-spaces-crlf', contentAs(`<< /Length ${length} >>`, '\nstream   \r\n')),
    content('stream-same-line', contentAs(`<< /Length ${length} >>`, 'stream\n', 'endstream')),
    content('stream-comment', contentAs(`<< /Length ${length} >>`, '\nstream % data\n')),
    content('endstream-no-line', contentAs(`<< /Length ${length} >>`, '\nstream\n', 'endstream')),
    content('endstream-endobj-joined', contentAs(`<< /Length ${length} >>`, '\nstream\n', '\nendstreamendobj')),
    content('endstream-missing', contentAs(`<< /Length ${length} >>`, '\nstream\n', '')),
    content('filter-null', contentAs(`<< /Length ${length} /Filter null /DecodeParms null >>`)),
    content('filter-empty', contentAs(`<< /Length ${length} /Filter [] /DecodeParms [] >>`)),
    content('filter-crypt-identity', contentAs(`<< /Length ${length} /Filter [/Crypt] >>`)),
    value('name-latin1', '/F\u00fcr'),
    value('name-bad-utf8', '/F#C3#28'),
    value('name-hash-no-hex', '/A#G1'),
    value('name-hash-end', '/A#'),
    value('name-hash-zero', '/A#00B'),
    value('name-empty', '/'),
    value('name-long', `/${'a'.repeat(400)}`),
    value('string-octal', '(\\400\\777\\1)'),
    value('string-lines', '(a\\\r\nb\rc\r\nd)'),
    value('string-nested', '(a(b(c)d)e\\(f)'),
    value('string-unknown-escape', '(\\q\\z)'),
    value('hex-odd', '<48656>'),
    value('hex-spaces', '<48 65\n6c>'),
    value('hex-junk', '<48zz65>'),
    value('hex-empty', '<>'),
    value('number-plus', '+5'),
    value('number-dot', '[.5 -.5 5. +.5 0.]'),
    value('number-double-minus', '--5'),
    value('number-minus-inside', '12-34'),
    value('number-two-dots', '1.2.3'),
    value('number-exponent', '1e5'),
    value('number-large', '123456789012345678901234567890'),
    value('number-minus', '-'),
    value('number-dot-alone', '.'),
    value('bool', '[true false null]'),
    value('array-nested', '[[[[[]]]] << /A << /B [ << >> ] >> >>]'),
    value('dict-tight', '<</A/B/C(d)/E<f0>/G[1 2]/H<</I 1>>>>'),
    value('dict-null', '<< /A null >>'),
    value('dict-reference-missing', '<< /A 99 0 R >>'),
    value('reference-generation', '1 5 R'),
    value('reference-zero', '0 0 R'),
    value('keyword-unknown', '[foo]'),
    value('key-twice-same', '<< /A 1 /A 1 >>'),
  ];
}

/** Objects that can't be read, which nothing needs or only an entry of the catalog that means nothing to anybody. */
export function oddLeftovers(): readonly OddFile[] {
  const bodies: Readonly<Record<string, string>> = {
    empty: '',
    junk: 'foo bar',
    bracket: ']',
    'dict-open': '<< /A 1',
    'dict-odd': '<< /A >>',
    'array-open': '[1 2',
    'string-open': '(abc',
    'hex-junk': '<zz>',
    'two-values': '1 2',
    'key-twice': '<< /A 1 /A 2 >>',
    'token-long': `<< /Pi 3.${'14159'.repeat(20_000)} >>`,
    'name-long': `/${'n'.repeat(20_000)}`,
    nested: '['.repeat(2000) + ']'.repeat(2000),
    'stream-without-length': '<< >>\nstream\nabc\nendstream',
    'stream-length-wrong': '<< /Length 90000 >>\nstream\nabc\nendstream',
    'stream-length-name': '<< /Length /A >>\nstream\nabc\nendstream',
    'stream-filter-unknown': '<< /Length 3 /Filter /Foo >>\nstream\nabc\nendstream',
    'stream-deflate-broken': '<< /Length 3 /Filter /FlateDecode >>\nstream\nabc\nendstream',
  };
  const other = { head: (number: number) => `${number === 6 ? 9 : number} 0 obj\n` };
  const none = { entry: (number: number) => (number === 6 ? '0000000020 00000 n \n' : undefined) };
  const needed = catalogWith('/Sgl_Own 6 0 R');
  return [
    ...Object.entries(bodies).flatMap(([name, body]) => [
      odd(`leftover-${name}`, { objects: { 6: body } }),
      odd(`needed-${name}`, { objects: { 1: needed, 6: body } }),
    ]),
    odd('leftover-other-number', { objects: { 6: '(x)' }, ...other }),
    odd('needed-other-number', { objects: { 1: needed, 6: '(x)' }, ...other }),
    odd('leftover-no-object', { objects: { 6: '(x)' }, ...none }),
    odd('needed-no-object', { objects: { 1: needed, 6: '(x)' }, ...none }),
  ];
}

/** Catalogs, page trees and pages. */
export function oddPages(): readonly OddFile[] {
  const page = (name: string, more: string, objects: Record<number, string> = {}, content?: string) =>
    odd(`page-${name}`, { objects: { 3: pageWith(more, content), ...objects } });
  const pages = (name: string, body: string, objects: Record<number, string> = {}) =>
    odd(`pages-${name}`, { objects: { 2: body, ...objects } });
  const bare = '/Type /Page /Parent 2 0 R /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R';
  const catalog = (name: string, more: string, objects: Record<number, string> = {}) =>
    odd(`catalog-${name}`, { objects: { 1: catalogWith(more), ...objects } });
  return [
    odd('type-missing-catalog', { objects: { 1: '<< /Pages 2 0 R >>' } }),
    odd('type-missing-pages', { objects: { 2: '<< /Kids [3 0 R] /Count 1 >>' } }),
    odd('type-missing-page', { objects: { 3: pageWith('').replace('/Type /Page ', '') } }),
    odd('type-wrong-catalog', { objects: { 1: '<< /Type /catalog /Pages 2 0 R >>' } }),
    odd('type-wrong-page', { objects: { 3: pageWith('').replace('/Type /Page ', '/Type /Template ') } }),
    pages('count-missing', '<< /Type /Pages /Kids [3 0 R] >>'),
    pages('count-large', '<< /Type /Pages /Kids [3 0 R] /Count 2 >>'),
    pages('count-zero', '<< /Type /Pages /Kids [3 0 R] /Count 0 >>'),
    pages('count-minus', '<< /Type /Pages /Kids [3 0 R] /Count -1 >>'),
    pages('count-real', '<< /Type /Pages /Kids [3 0 R] /Count 1.0 >>'),
    pages('count-indirect', '<< /Type /Pages /Kids [3 0 R] /Count 6 0 R >>', { 6: '1' }),
    pages('kids-indirect', '<< /Type /Pages /Kids 6 0 R /Count 1 >>', { 6: '[3 0 R]' }),
    pages('kids-null', '<< /Type /Pages /Kids [null 3 0 R] /Count 1 >>'),
    pages('kids-missing-object', '<< /Type /Pages /Kids [3 0 R 99 0 R] /Count 1 >>'),
    pages('kids-direct', `<< /Type /Pages /Kids [${pageWith('')}] /Count 1 >>`),
    pages('empty-branch', '<< /Type /Pages /Kids [6 0 R 3 0 R] /Count 1 >>', {
      6: '<< /Type /Pages /Parent 2 0 R /Kids [] /Count 0 >>',
    }),
    pages('branch', '<< /Type /Pages /Kids [6 0 R] /Count 1 >>', {
      3: pageWith('').replace('/Parent 2', '/Parent 6'),
      6: '<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 >>',
    }),
    pages('none', '<< /Type /Pages /Kids [] /Count 0 >>'),
    pages('single', '<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent null >>'),
    odd('pages-is-page', {
      objects: { 1: '<< /Type /Catalog /Pages 3 0 R >>', 2: undefined, 3: pageWith('').replace('/Parent 2 0 R', '') },
    }),
    odd('page-parent-missing', { objects: { 3: pageWith('').replace('/Parent 2 0 R', '') } }),
    odd('page-parent-wrong', { objects: { 3: pageWith('').replace('/Parent 2 0 R', '/Parent 1 0 R') } }),
    odd('box-missing', { objects: { 3: `<< ${bare} >>` } }),
    odd('box-inherited', {
      objects: { 2: '<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 400 800] >>', 3: `<< ${bare} >>` },
    }),
    odd('box-reversed', { objects: { 3: `<< ${bare} /MediaBox [595 842 0 0] >>` } }),
    odd('box-reals', { objects: { 3: `<< ${bare} /MediaBox [0.0 .0 595.28 841.89] >>` } }),
    odd('box-indirect', { objects: { 3: `<< ${bare} /MediaBox 6 0 R >>`, 6: '[0 0 7 0 R 842]', 7: '595' } }),
    odd('box-short', { objects: { 3: `<< ${bare} /MediaBox [0 0 595] >>` } }),
    odd('box-zero', { objects: { 3: `<< ${bare} /MediaBox [0 0 0 0] >>` } }),
    page('rotate-odd', '/Rotate 45'),
    page('rotate-minus', '/Rotate -90'),
    page('rotate-real', '/Rotate 90.0'),
    page('user-unit-zero', '/UserUnit 0'),
    page('contents-array', '', {}, '/Contents [4 0 R]'),
    page('contents-indirect-array', '', { 6: '[4 0 R]' }, '/Contents 6 0 R'),
    page('contents-empty', '', {}, '/Contents []'),
    page('contents-null', '', {}, '/Contents null'),
    page('contents-absent', '', {}, ''),
    page('contents-missing-object', '', {}, '/Contents 99 0 R'),
    page('contents-array-with-null', '', {}, '/Contents [null 4 0 R]'),
    page('contents-array-with-missing', '', {}, '/Contents [99 0 R 4 0 R]'),
    page('resources-absent', '', { 3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>' }),
    page('resources-null', '', {
      3: '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources null >>',
    }),
    page('annots-null', '/Annots null'),
    page('annots-empty', '/Annots []'),
    page('annots-indirect', '/Annots 6 0 R', { 6: '[7 0 R]', 7: '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>' }),
    page('annots-indirect-null', '/Annots 6 0 R', { 6: 'null' }),
    page('annots-missing-object', '/Annots 99 0 R'),
    page('annots-with-null', '/Annots [null 6 0 R]', { 6: '<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>' }),
    page('annots-with-missing', '/Annots [99 0 R]'),
    page('annots-direct', '/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>]'),
    page('annots-dict', '/Annots << /Type /Annot /Subtype /Link /Rect [0 0 9 9] >>'),
    page('annots-number', '/Annots 5'),
    page('annots-no-subtype', '/Annots [6 0 R]', { 6: '<< /Rect [0 0 9 9] >>' }),
    page('thumb-missing', '/Thumb 99 0 R /PieceInfo << /X << /LastModified (today) >> >>'),
    catalog('version-name', '/Version /1.5'),
    catalog('version-real', '/Version 1.5'),
    catalog('version-bad', '/Version /foo'),
    catalog('outlines-null', '/Outlines null /Names null /Dests null'),
    catalog('outlines-empty', '/Outlines << >> /Names << >>'),
    catalog('outlines-missing', '/Outlines 99 0 R'),
    catalog('metadata-missing', '/Metadata 99 0 R /StructTreeRoot 98 0 R'),
    catalog('perms-null', '/Perms null /Legal null /DSS null'),
    catalog('perms-empty', '/Perms << >> /DSS << >>'),
    catalog('extensions-odd', '/Extensions << /ADBE [] >>'),
    catalog('lang-name', '/Lang /en /PageMode (x) /ViewerPreferences []'),
    catalog('open-action-missing', '/OpenAction 99 0 R /AA << /WC 98 0 R >>'),
    catalog('needs-rendering-false', '/NeedsRendering false'),
  ];
}
