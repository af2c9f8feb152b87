"""The files of Python libraries: ReportLab, fpdf2, WeasyPrint, pikepdf, pypdf, Matplotlib, img2pdf, Pillow, cairocffi.

    python libraries.py FILES_DIRECTORY

Versions: requirements.txt beside this file. Run after handwritten.py.
"""

import io
import pathlib
import re
import sys

import cairocffi
import fpdf
import img2pdf
import matplotlib
import pikepdf
import pypdf
import weasyprint
from PIL import Image
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas

matplotlib.use('pdf')
from matplotlib import pyplot  # noqa: E402  (after the backend is chosen)

HERE = pathlib.Path(__file__).parent
DEJAVU = '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'
LIBERATION = '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf'


def picture(mode='RGB'):
    image = Image.new('RGB', (96, 64))
    image.putdata([(x * 2, y * 3, 128) for y in range(64) for x in range(96)])
    return image.convert(mode)


def reportlab_files(put):
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pagesize=A4, pageCompression=1)
    page.setTitle('Log of three hundred days')
    for day in range(1, 301):
        page.bookmarkPage(f'd{day}')
        if day % 30 == 1:
            page.addOutlineEntry(f'Day {day}', f'd{day}', level=0)
        page.setFont('Helvetica', 14)
        page.drawString(72, 780, f'Day {day} of the log: wind {day * 7 % 12} Beaufort')
        page.showPage()
    page.save()
    put('reportlab', '300-pages', buffer)

    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pagesize=A4, pdfVersion=(1, 4))
    page.setTitle('Form of the harbour office')
    page.drawString(72, 790, 'Form: ship, pilot, quay')
    form = page.acroForm
    form.textfield(name='ship', value='', x=72, y=740, width=200, height=20)
    form.textfield(name='master', value='A. Larus', x=72, y=700, width=200, height=20)
    form.checkbox(name='pilot', checked=True, x=72, y=660)
    form.choice(name='quay', value='South', options=['North', 'South'], x=72, y=620, width=120, height=20)
    form.radio(name='cargo', value='salt', selected=True, x=72, y=580)
    form.radio(name='cargo', value='wool', selected=False, x=102, y=580)
    page.save()
    put('reportlab', 'form', buffer)

    buffer = io.BytesIO()
    pdfmetrics.registerFont(TTFont('Liberation', LIBERATION))
    page = canvas.Canvas(buffer, pagesize=landscape(A4))
    page.setFont('Liberation', 16)
    for i, name in enumerate(('Contents', 'Lamp', 'Horn')):
        page.bookmarkPage(name)
        page.addOutlineEntry(name, name, level=min(i, 1))
        page.drawString(72, 500, f'{name} – ŁÓDŹ, Σκάφος')
        page.linkURL('https://example.org/lamp', (72, 400, 272, 420), relative=0)
        page.linkRect('', 'Contents', (72, 440, 272, 460))
        page.drawInlineImage(picture(), 72, 200, 96, 64)
        page.showPage()
    page.save()
    put('reportlab', 'links-and-outlines', buffer)


def fpdf2_files(put):
    pdf = fpdf.FPDF(format='A5')
    pdf.add_font('DejaVu', fname=DEJAVU)
    pdf.add_page()
    pdf.set_font('DejaVu', size=14)
    pdf.start_section('Ropes')
    pdf.multi_cell(0, 8, 'Ropes: hemp, manila, sisal. Верёвка, σχοινί, köysi.', new_x='LMARGIN', new_y='NEXT')
    pdf.image(picture(), w=40)
    pdf.text_annotation(60, 60, 'A note on the rope')
    with pdf.highlight('Look here'):
        pdf.cell(0, 8, 'This is marked')
    pdf.embed_file(basename='ropes.txt', bytes=b'hemp\nmanila\nsisal\n', desc='list of ropes', compress=True)
    put('fpdf2', 'annotations-and-attachment', io.BytesIO(pdf.output()))

    pdf = fpdf.FPDF()
    pdf.set_font('Helvetica', size=12)
    for angle in (0, 90, 270):
        pdf.add_page(orientation='landscape' if angle else 'portrait')
        pdf.cell(0, 10, f'Orientation {angle}')
        with pdf.rotation(30, 100, 100):
            pdf.text(100, 100, 'turned by 30 degrees')
        with pdf.local_context(fill_opacity=0.4):
            pdf.set_fill_color(20, 70, 119)
            pdf.rect(60, 60, 40, 40, style='F')
    put('fpdf2', 'plain', io.BytesIO(pdf.output()))

    pdf = fpdf.FPDF(enforce_compliance='PDF/A-3B')
    pdf.set_title('Invoice for a lamp')
    pdf.set_lang('en')
    pdf.add_font('DejaVu', fname=DEJAVU)
    pdf.add_page()
    pdf.set_font('DejaVu', size=14)
    pdf.cell(0, 10, 'Invoice: one lamp, 40 crowns')
    pdf.embed_file(basename='invoice.xml', bytes=b'<invoice><lamp price="40"/></invoice>', desc='the same for machines',
                   mime_type='text/xml', associated_file_relationship='Alternative')
    put('fpdf2', 'invoice-pdfa-3b', io.BytesIO(pdf.output()))


def weasyprint_files(put):
    report, form = (HERE.joinpath('content', name).read_text() for name in ('report.html', 'form.html'))

    def write(name, html=report, attachments=(), **options):
        document = weasyprint.HTML(string=html).render(**options)
        document.metadata.attachments = [weasyprint.Attachment(string=text, name=n, description=n, relationship=r)
                                         for n, text, r in attachments]
        put('weasyprint', name, io.BytesIO(document.write_pdf(**options)))

    write('report')
    write('report-uncompressed-1.4', pdf_version='1.4', uncompressed_pdf=True)
    write('report-tagged', pdf_tags=True)
    write('report-ua-claimed', pdf_variant='pdf/ua-1')
    # PDF/A-1 knows no transparency, and an SVG picture becomes a transparency group.
    opaque = re.sub(r'<p><img.*?</p>', '', report).replace('opacity: 0.9;', '').replace('linear-gradient(#def, #fff)', '#def')
    write('report-pdfa-1b', html=opaque, pdf_variant='pdf/a-1b')
    write('report-pdfa-2b', pdf_variant='pdf/a-2b')
    write('report-pdfa-2u', pdf_variant='pdf/a-2u')
    write('report-pdfa-3b-attachments', pdf_variant='pdf/a-3b',
          attachments=[('ships.csv', 'month,ships\nMarch,12\n', 'Source'), ('ships.xml', '<ships n="12"/>', 'Data')])
    write('report-pdfa-4f', pdf_variant='pdf/a-4f', attachments=[('ships.csv', 'month,ships\nMarch,12\n', 'Source')])
    write('form', html=form, pdf_forms=True)
    write('attachments', attachments=[('ships.csv', 'month,ships\nMarch,12\n', 'Source')])


def pikepdf_files(put, files):
    pdf = pikepdf.open(files / 'weasyprint/report.pdf')
    pdf.add_blank_page(page_size=(300, 300))
    pdf.pages[-1].rotate(180, relative=False)
    with pdf.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem('Blank at the end', len(pdf.pages) - 1))
    buffer = io.BytesIO()
    pdf.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    put('pikepdf', 'object-streams-outline', buffer)

    pdf = pikepdf.new()
    for size in ((200, 200), (842, 595), (595, 842)):
        pdf.add_blank_page(page_size=size)
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name='Marks'))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(ON=[layer], Order=[layer], Name='Default'))
    for page in pdf.pages:
        page.Resources = pikepdf.Dictionary(Properties=pikepdf.Dictionary(L=layer))
        page.Contents = pdf.make_stream(b'/OC /L BDC 0.5 g 20 20 100 100 re f EMC')
    buffer = io.BytesIO()
    pdf.save(buffer, force_version='1.5', object_stream_mode=pikepdf.ObjectStreamMode.disable, linearize=True)
    put('pikepdf', 'layers-linearized', buffer)

    pdf = pikepdf.open(files / 'reportlab/form.pdf')
    for field in pdf.Root.AcroForm.Fields:
        if str(field.get('/T', '')) == 'ship':
            field.V = pikepdf.String('Albatross')
    pdf.Root.AcroForm.NeedAppearances = True
    buffer = io.BytesIO()
    pdf.save(buffer)
    put('pikepdf', 'form-need-appearances', buffer)


def pypdf_files(put, files):
    writer = pypdf.PdfWriter()
    for name in ('reportlab/links-and-outlines', 'handwritten/user-unit-and-boxes'):
        writer.append(files / f'{name}.pdf')
    writer.pages[0].rotate(90)
    writer.add_attachment('tides.csv', b'day,cm\n1,312\n')
    writer.add_metadata({'/Title': 'Joined by pypdf'})
    put('pypdf', 'joined-rotated-attached', writer)
    # Two incremental updates by a library.
    buffer = io.BytesIO((files / 'reportlab/form.pdf').read_bytes())
    for value in ('Puffin', 'Razorbill'):
        writer = pypdf.PdfWriter(io.BytesIO(buffer.getvalue()), incremental=True)
        writer.update_page_form_field_values(writer.pages[0], {'ship': value}, auto_regenerate=False)
        buffer = io.BytesIO()
        writer.write(buffer)
    put('pypdf', 'form-filled-incrementally', buffer)


def other_files(put):
    figure, axes = pyplot.subplots(figsize=(4, 3))
    axes.plot([1, 2, 3, 4], [312, 318, 305, 322])
    axes.set_title('High water')
    buffer = io.BytesIO()
    figure.savefig(buffer, format='pdf')
    put('matplotlib', 'high-water', buffer)

    jpeg, png = io.BytesIO(), io.BytesIO()
    picture().save(jpeg, 'JPEG', quality=80)
    picture('L').save(png, 'PNG')
    put('img2pdf', 'jpeg-and-png', io.BytesIO(img2pdf.convert(jpeg.getvalue(), png.getvalue())))

    buffer = io.BytesIO()
    picture().save(buffer, 'PDF', save_all=True, append_images=[picture('1'), picture('CMYK')])
    put('pillow', 'three-images', buffer)

    buffer = io.BytesIO()
    surface = cairocffi.PDFSurface(buffer, 300, 200)
    surface.restrict_to_version(cairocffi.PDF_VERSION_1_4)
    context = cairocffi.Context(surface)
    context.select_font_face('DejaVu Sans')
    for page in range(2):
        context.set_source_rgba(0.1, 0.3, 0.5, 0.5)
        context.rectangle(20, 20, 100 + 50 * page, 60)
        context.fill()
        context.set_source_rgb(0, 0, 0)
        context.move_to(20, 150)
        context.show_text(f'Drawn by cairo, page {page + 1}')
        surface.show_page()
    surface.finish()
    put('cairo', 'drawn', buffer)


def main(directory):
    files = pathlib.Path(directory)

    def put(producer, name, content):
        files.joinpath(producer).mkdir(parents=True, exist_ok=True)
        path = files / producer / f'{name}.pdf'
        if isinstance(content, io.BytesIO):
            path.write_bytes(content.getvalue())
        else:
            content.write(path)

    reportlab_files(put)
    fpdf2_files(put)
    weasyprint_files(put)
    pikepdf_files(put, files)
    pypdf_files(put, files)
    other_files(put)


if __name__ == '__main__':
    main(sys.argv[1])
