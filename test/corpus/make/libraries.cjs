/**
 * The files of npm libraries: pdf-lib, PDFKit, jsPDF, @libpdf/core.
 *
 *   npm install pdf-lib@1.17.1 @pdf-lib/fontkit@1.1.1 pdfkit@0.20.2 jspdf@4.2.1 @libpdf/core@0.4.2     (in a folder outside the repository)
 *   NODE_PATH=that/node_modules node libraries.cjs FILES_DIRECTORY
 */
const { mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const files = process.argv[2];
const dejavu = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf';

function put(producer, name, bytes) {
  mkdirSync(join(files, producer), { recursive: true });
  writeFileSync(join(files, producer, `${name}.pdf`), bytes);
}

async function pdfLib() {
  const { PDFDocument, PDFName, PDFString, StandardFonts, degrees, rgb } = require('pdf-lib');
  const fontkit = require('@pdf-lib/fontkit');
  const plain = await PDFDocument.create();
  plain.registerFontkit(fontkit);
  const font = await plain.embedFont(readFileSync(dejavu), { subset: true });
  plain.setTitle('Birds of the quay');
  const page = plain.addPage([420, 595]);
  page.drawText('Птицы у причала: чайка, баклан', { x: 40, y: 500, size: 18, font, color: rgb(0.1, 0.3, 0.5) });
  const turned = plain.addPage();
  turned.setRotation(degrees(270));
  turned.drawRectangle({ x: 40, y: 40, width: 200, height: 100, color: rgb(0.8, 0.2, 0.1), opacity: 0.5 });
  await plain.attach(Buffer.from('gull, cormorant, tern\n'), 'birds.txt', { mimeType: 'text/plain', description: 'Birds' });
  put('pdf-lib', 'object-streams-attachment', await plain.save());
  put('pdf-lib', 'classic-attachment', await plain.save({ useObjectStreams: false }));

  const filled = await PDFDocument.create();
  const sheet = filled.addPage([595, 842]);
  const form = filled.getForm();
  const name = form.createTextField('bird.name');
  name.setText('Tern');
  name.addToPage(sheet, { x: 50, y: 700, width: 200, height: 24 });
  const count = form.createTextField('bird.count');
  count.addToPage(sheet, { x: 50, y: 660, width: 200, height: 24 });
  const seen = form.createCheckBox('bird.seen');
  seen.addToPage(sheet, { x: 50, y: 620, width: 20, height: 20 });
  seen.check();
  const place = form.createDropdown('place');
  place.setOptions(['quay', 'mole']);
  place.select('mole');
  place.addToPage(sheet, { x: 50, y: 570, width: 120, height: 24 });
  put('pdf-lib', 'form-filled', await filled.save());

  // An existing hierarchical field that a signature could go into: /Sig as a kid of a named parent.
  const waiting = await PDFDocument.create();
  const helvetica = await waiting.embedFont(StandardFonts.Helvetica);
  const sign = waiting.addPage([595, 842]);
  sign.drawText('Sign below', { x: 50, y: 780, font: helvetica });
  const { context } = waiting;
  const parent = context.nextRef();
  const widget = context.register(
    context.obj({
      Type: 'Annot',
      Subtype: 'Widget',
      FT: 'Sig',
      T: PDFString.of('keeper'),
      Parent: parent,
      P: sign.ref,
      Rect: [50, 600, 250, 660],
      F: 4,
    }),
  );
  context.assign(parent, context.obj({ T: PDFString.of('signatures'), Kids: [widget] }));
  sign.node.set(PDFName.of('Annots'), context.obj([widget]));
  waiting.catalog.set(PDFName.of('AcroForm'), context.obj({ Fields: [parent], SigFlags: 1 }));
  put('pdf-lib', 'empty-signature-field-kid', await waiting.save());
}

function collect(document) {
  return new Promise((resolve) => {
    const parts = [];
    document.on('data', (part) => parts.push(part));
    document.on('end', () => resolve(Buffer.concat(parts)));
  });
}

async function pdfKit() {
  const PDFDocument = require('pdfkit');
  const plain = new PDFDocument({ size: 'A5', info: { Title: 'Lamps' } });
  const plainDone = collect(plain);
  plain.font(dejavu).fontSize(14).text('Lamps: λάμπα, лампа', { link: 'https://example.org/lamps', underline: true });
  plain.outline.addItem('Lamps');
  plain.note(100, 200, 40, 40, 'A note');
  plain.addPage({ layout: 'landscape' }).font('Helvetica').text('Second page');
  plain.end();
  put('pdfkit', 'links-outline-note', await plainDone);

  const archive = new PDFDocument({
    subset: 'PDF/A-2b',
    pdfVersion: '1.7',
    tagged: true,
    lang: 'en',
    displayTitle: true,
    info: { Title: 'Tagged lamps', Author: 'Sigillum corpus' },
    font: dejavu,
  });
  const archiveDone = collect(archive);
  const root = archive.struct('Document');
  archive.addStructure(root);
  root.add(archive.struct('H1', () => archive.fontSize(20).text('Tagged lamps')));
  root.add(archive.struct('P', () => archive.fontSize(11).text('They burn oil.')));
  root.end();
  archive.end();
  put('pdfkit', 'tagged-pdfa-2b', await archiveDone);

  const form = new PDFDocument({ pdfVersion: '1.7' });
  const formDone = collect(form);
  form.font('Helvetica').initForm();
  form.text('Order of oil');
  form.formText('litres', 72, 120, 200, 24, { value: '40' });
  form.formCheckbox('urgent', 72, 160, 20, 20, { backgroundColor: '#eee' });
  form.formCombo('kind', 72, 200, 120, 24, { select: ['', 'colza', 'whale'], value: 'colza' });
  form.file(Buffer.from('40 litres of colza oil\n'), { name: 'order.txt', type: 'text/plain', creationDate: new Date(0), modifiedDate: new Date(0) });
  form.end();
  put('pdfkit', 'form-and-attachment', await formDone);
}

function jsPdf() {
  const { jsPDF: Document } = require('jspdf');
  const document = new Document({ unit: 'mm', format: 'a5' });
  document.text('Buoys', 20, 20);
  document.outline.add(null, 'Buoys', { pageNumber: 1 });
  document.addPage('a5', 'landscape');
  document.circle(50, 50, 20);
  document.link(20, 20, 40, 10, { pageNumber: 1 });
  put('jspdf', 'buoys', Buffer.from(document.output('arraybuffer')));
}

async function libPdf() {
  const { PDF } = await import(require.resolve('@libpdf/core'));
  const base = PDF.create();
  base.addPage({ size: 'a4' }).drawText('Written by LibPDF', { x: 50, y: 700 });
  const first = await base.save();
  put('libpdf', 'created', first);
  const again = await PDF.load(first);
  again.getPage(0).drawText('and updated by it', { x: 50, y: 660 });
  put('libpdf', 'updated-incrementally', await again.save({ incremental: true }));
}

async function main() {
  await pdfLib();
  await pdfKit();
  jsPdf();
  await libPdf();
}

void main();
