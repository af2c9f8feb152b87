import { catalogWith, odd, type OddFile, pageWith } from './odd-file.ts';

const zeros = '00'.repeat(64);

/** Forms, and signatures of every kind in them. */
export function oddForms(): readonly OddFile[] {
  const form = (name: string, value: string, objects: Record<number, string> = {}) =>
    odd(`form-${name}`, { objects: { 1: catalogWith(`/AcroForm ${value}`), ...objects } });
  const field = '<< /FT /Tx /T (a) /V (v) >>';
  return [
    form('null', 'null'),
    form('empty', '<< >>'),
    form('indirect', '6 0 R', { 6: '<< /Fields [] >>' }),
    form('indirect-null', '6 0 R', { 6: 'null' }),
    form('missing-object', '99 0 R'),
    form('array', '[]'),
    form('fields-null', '<< /Fields null >>'),
    form('fields-indirect', '<< /Fields 6 0 R >>', { 6: '[]' }),
    form('fields-indirect-null', '<< /Fields 6 0 R >>', { 6: 'null' }),
    form('fields-missing-object', '<< /Fields 99 0 R >>'),
    form('fields-of-null', '<< /Fields [null] >>'),
    form('fields-of-missing', '<< /Fields [99 0 R] >>'),
    form('fields-name', '<< /Fields /None >>'),
    form('fields-dict', '<< /Fields << >> >>'),
    form('fields-direct', `<< /Fields [${field}] >>`),
    form('field-stream', '<< /Fields [4 0 R] >>'),
    form('field-stream-named', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) /FT /Sig /Length 0 >>\nstream\n\nendstream' }),
    form('field-no-name', '<< /Fields [6 0 R] >>', { 6: '<< /FT /Tx >>' }),
    form('field-no-type', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) >>' }),
    form('field-name-number', '<< /Fields [6 0 R] >>', { 6: '<< /FT /Tx /T 5 >>' }),
    form('field-twice', '<< /Fields [6 0 R 6 0 R] >>', { 6: field }),
    form('field-same-names', '<< /Fields [6 0 R 7 0 R] >>', { 6: field, 7: field }),
    form('field-kids-null', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) /Kids null >>' }),
    form('field-kids-empty', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) /Kids [] >>' }),
    form('field-kids-of-null', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) /Kids [null 99 0 R] >>' }),
    form('field-kids-number', '<< /Fields [6 0 R] >>', { 6: '<< /T (a) /Kids 5 >>' }),
    form('field-parent-missing', '<< /Fields [6 0 R] >>', { 6: '<< /FT /Tx /T (a) /Parent 99 0 R >>' }),
    form('flags-null', '<< /Fields [] /SigFlags null >>'),
    form('flags-real', '<< /Fields [] /SigFlags 3.0 >>'),
    form('flags-indirect', '<< /Fields [] /SigFlags 6 0 R >>', { 6: '1' }),
    form('flags-large', '<< /Fields [] /SigFlags 4294967295 >>'),
    form('flags-minus', '<< /Fields [] /SigFlags -1 >>'),
    form('flags-bool', '<< /Fields [] /SigFlags true >>'),
    form('needs-appearances', `<< /Fields [6 0 R] /NeedAppearances true >>`, { 6: field }),
    form('da-missing-font', '<< /Fields [6 0 R] /DA (/Helv 0 Tf) /DR << /Font << /Helv 99 0 R >> >> >>', { 6: field }),
    form('dr-null', '<< /Fields [] /DR null /DA null /XFA null /CO null >>'),
    form('xfa-empty', '<< /Fields [] /XFA [] >>'),
    odd('form-widget-of-no-field', {
      objects: {
        3: pageWith('/Annots [6 0 R]'),
        6: '<< /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /FT /Sig /T (Orphan) >>',
      },
    }),
    ...oddSignatures(),
  ];
}

function oddSignatures(): readonly OddFile[] {
  const signed = (name: string, value: string, more = '') =>
    odd(`signature-${name}`, {
      objects: {
        1: catalogWith('/AcroForm << /Fields [6 0 R] /SigFlags 3 >>'),
        3: pageWith('/Annots [6 0 R]'),
        6: `<< /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /P 3 0 R /F 132 /FT /Sig /T (Old) ${value === '' ? '' : '/V 7 0 R'} ${more} >>`,
        ...(value !== '' && { 7: value }),
      },
      change: placeRange,
    });
  const range = `/ByteRange [0 ********** ********** **********] /Contents <${zeros}>`;
  return [
    signed('empty-field', ''),
    signed('value-null', 'null'),
    signed('value-empty', '<< >>'),
    signed('value-string', '(signed)'),
    signed('value-type-only', '<< /Type /Sig >>'),
    signed('no-range', `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Contents <${zeros}> >>`),
    signed(
      'no-contents',
      '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 0 0 0] >>',
    ),
    signed(
      'range-zeros',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 0 0 0] /Contents <${zeros}> >>`,
    ),
    signed(
      'range-empty',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [] /Contents <${zeros}> >>`,
    ),
    signed(
      'contents-empty',
      '<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange [0 10 20 10] /Contents <> >>',
    ),
    ...[
      'adbe.pkcs7.detached',
      'adbe.pkcs7.sha1',
      'adbe.x509.rsa_sha1',
      'adbe.x509.rsa.sha1',
      'ETSI.CAdES.detached',
      'ETSI.RFC3161',
      'Foo.Bar',
      '',
    ].map((kind) => signed(`kind-${kind}`, `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /${kind} ${range} >>`)),
    signed('no-kind', `<< /Type /Sig /Filter /Adobe.PPKLite ${range} >>`),
    signed('no-type', `<< /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached ${range} >>`),
    signed('filter-other', `<< /Type /Sig /Filter /VeriSign.PPKVS /SubFilter /adbe.pkcs7.detached ${range} >>`),
    signed('doc-time-stamp', `<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 ${range} >>`),
    signed(
      'contents-string',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.x509.rsa_sha1 /ByteRange [0 10 20 10] /Cert (x) /Contents (abc) >>`,
    ),
    signed(
      'date-odd',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /M (yesterday) ${range} >>`,
    ),
    signed(
      'prop-build',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Prop_Build << /App << /Name /X >> >> ${range} >>`,
    ),
    signed(
      'reference-null',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Reference null ${range} >>`,
    ),
    signed(
      'reference-empty',
      `<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Reference [] ${range} >>`,
    ),
    signed('lock-null', '', '/Lock null /SV null'),
  ];
}

/** Puts the range of the whole file in the place kept for it. */
function placeRange(text: string): string {
  const place = text.indexOf('/ByteRange [0 **');
  if (place < 0) return text;
  const start = text.indexOf('/Contents <', place) + '/Contents '.length;
  const end = text.indexOf('>', start) + 1;
  const range = `/ByteRange [0 ${[start, end, text.length - end].map((part) => String(part).padEnd(10)).join(' ')}]`;
  return text.slice(0, place) + range + text.slice(place + range.length);
}
