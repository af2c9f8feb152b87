"""Writes the PDF files that no library would write: old versions, odd line ends, hybrid tables, updates, deep page trees.

    python handwritten.py FILES_DIRECTORY REFUSED_DIRECTORY

Everything comes from the small writer below, so that every byte of these files is known. Same run, same bytes.
"""

import pathlib
import sys
import zlib

HELVETICA = b'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>'
LETTER = b'[0 0 612 792]'
A4 = b'[0 0 595 842]'


def text_stream(*lines, size=14, x=72, y=740):
    body = b'BT /F1 %d Tf %d %d Td %d TL\n' % (size, x, y, size + 4)
    for line in lines:
        escaped = line.encode('latin-1').replace(b'\\', b'\\\\').replace(b'(', b'\\(').replace(b')', b'\\)')
        body += b'(' + escaped + b') Tj T*\n'
    return body + b'ET'


def stream(data, extra=b'', eol=b'\n', deflate=False):
    if deflate:
        data = zlib.compress(data, 9)
        extra = b' /Filter /FlateDecode' + extra
    return b'<< /Length %d%s >>' % (len(data), extra) + eol + b'stream' + (b'\r\n' if eol == b'\r' else eol) + data + eol + b'endstream'


class Pdf:
    """One file under construction. `sections` of objects are written one after another, each with its own xref."""

    def __init__(self, version=b'1.4', eol=b'\n', binary_comment=True):
        self.eol = eol
        self.out = bytearray(b'%PDF-' + version + eol)
        if binary_comment:
            self.out += b'%\xe2\xe3\xcf\xd3' + eol
        self.offsets = {}
        self.last_xref = None
        self.size = 1

    def add(self, number, body, generation=0, before=b''):
        self.out += before
        self.offsets[number] = (len(self.out), generation)
        self.size = max(self.size, number + 1)
        e = self.eol
        self.out += b'%d %d obj' % (number, generation) + e + body + e + b'endobj' + e

    def table(self, trailer, freed=None, whole=True, xref_stm=None, split=False):
        """Classic section: `whole` for the first one; later ones list only what changed. freed: {number: generation}."""
        e = self.eol
        entry_end = {b'\n': b' \n', b'\r': b' \r', b'\r\n': b'\r\n'}[e]
        freed = dict(freed or {})
        entries = {n: b'%010d %05d n' % og for n, og in self.offsets.items()}
        free = sorted(set(freed) | ({n for n in range(1, self.size) if n not in entries} if whole else set()))
        chain = [0] + free
        if whole or freed:
            for i, number in enumerate(chain):
                following = chain[i + 1] if i + 1 < len(chain) else 0
                entries[number] = b'%010d %05d f' % (following, 65535 if number == 0 else freed.get(number, 0))
        at = len(self.out)
        self.out += b'xref' + e
        numbers = sorted(entries)
        runs = []
        for n in numbers:
            if runs and runs[-1][-1] == n - 1 and not (split and len(runs[-1]) >= 2):
                runs[-1].append(n)
            else:
                runs.append([n])
        for run in runs:
            self.out += b'%d %d' % (run[0], len(run)) + e
            for n in run:
                self.out += entries[n] + entry_end
        self.out += b'trailer' + e + b'<< /Size %d ' % self.size + trailer
        if self.last_xref is not None:
            self.out += b' /Prev %d' % self.last_xref
        if xref_stm is not None:
            self.out += b' /XRefStm %d' % xref_stm
        self.out += b' >>' + e
        self.finish(at)

    def object_stream(self, number, bodies, deflate=True):
        head, data = b'', b''
        for n, body in bodies.items():
            head += b'%d %d ' % (n, len(data))
            data += body + b'\n'
            self.size = max(self.size, n + 1)
        extra = b' /Type /ObjStm /N %d /First %d' % (len(bodies), len(head))
        self.add(number, stream(head + data, extra, deflate=deflate))
        return {n: (number, i) for i, n in enumerate(bodies)}

    def xref_stream(self, number, trailer, packed=None, widths=(1, 2, 1), predictor=False, deflate=True, finish=True,
                    only=None, whole=True):
        """Cross-reference stream over the objects added since the last one. only: list just these (hybrid files)."""
        at = len(self.out)
        self.size = max(self.size, number + 1)
        entries = {n: (1, o, g) for n, (o, g) in self.offsets.items()}
        entries.update({n: (2, s, i) for n, (s, i) in (packed or {}).items()})
        if finish:
            entries[number] = (1, at, 0)
        if whole:
            entries[0] = (0, 0, 255 if widths[2] == 1 else 65535)
        if only is not None:
            entries = {n: entries[n] for n in only}
        numbers = sorted(entries)
        index = []
        for n in numbers:
            if index and index[-1][0] + index[-1][1] == n:
                index[-1][1] += 1
            else:
                index.append([n, 1])
        rows = [b''.join(v.to_bytes(w, 'big') for v, w in zip(entries[n], widths) if w) for n in numbers]
        extra = b''
        if predictor:
            previous, coded = bytes(sum(widths)), []
            for row in rows:
                coded.append(b'\x02' + bytes((a - b) & 255 for a, b in zip(row, previous)))
                previous = row
            rows = coded
            extra = b' /DecodeParms << /Columns %d /Predictor 12 >>' % sum(widths)
        extra += b' /Type /XRef /Size %d /W [%d %d %d] /Index [%s]' % (
            (self.size,) + tuple(widths) + (b' '.join(b'%d %d' % tuple(i) for i in index),))
        extra += b' ' + trailer
        if self.last_xref is not None and finish:
            extra += b' /Prev %d' % self.last_xref
        self.out += b'%d 0 obj\n' % number + stream(b''.join(rows), extra, deflate=deflate) + b'\nendobj\n'
        if finish:
            self.finish(at)
        else:
            self.offsets[number] = (at, 0)
        return at

    def finish(self, at):
        e = self.eol
        self.out += b'startxref' + e + b'%d' % at + e + b'%%EOF' + e
        self.last_xref = at
        self.offsets = {}


def simple(pdf, *lines, box=LETTER, page_extra=b'', catalog_extra=b'', deflate=False):
    """Objects 1 to 5: catalog, pages, page, content, font."""
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R%s >>' % catalog_extra)
    pdf.add(2, b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>')
    pdf.add(3, b'<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >>%s >>'
            % (box, page_extra))
    pdf.add(4, stream(text_stream(*lines), eol=pdf.eol, deflate=deflate))
    pdf.add(5, HELVETICA)
    return pdf


def pdf_1_0():
    pdf = simple(Pdf(b'1.0', binary_comment=False), 'A letter in PDF 1.0', 'Nothing here is newer than 1993.')
    # PDF 1.0 asked for /Name in fonts and knew no /ID.
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def pdf_1_1_cr():
    pdf = simple(Pdf(b'1.1', eol=b'\r'), 'Every line of this file ends with a carriage return')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def pdf_1_3_crlf():
    pdf = simple(Pdf(b'1.3', eol=b'\r\n'), 'Every line of this file ends with CR LF')
    pdf.add(6, b'<< /Title (CR LF) /Author (Sigillum corpus) /CreationDate (D:20240229120000+01\'00\') >>')
    pdf.table(b'/Root 1 0 R /Info 6 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]')
    return pdf.out


def mixed_eols():
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<<\r/Type\t/Catalog % a comment >> in a dictionary\r\n/Pages   2\n0\r\nR>>', before=b'% a comment between objects\r\n\r\n')
    pdf.add(2, b'<</Type/Pages/Kids[3 0 R]/Count 1>>', before=b'\n\n  ')
    pdf.add(3, b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 612. 792.0]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>')
    pdf.add(4, stream(text_stream('Mixed line ends, comments and tight tokens'), eol=b'\r\n'))
    pdf.add(5, b'<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>', before=b'%%EOF of nothing\n')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def odd_names_and_strings():
    pdf = simple(Pdf(b'1.6'), 'Names with #-escapes, nested parentheses, hex strings with blanks',
                 page_extra=b' /PieceInfo << /Sigillum#20Corpus << /LastModified (D:20240101000000Z) /Private'
                            b' << /A#42C /Na#6de /Empty () /Paren (a (b (c)) \\( \\051 \\\\) /Octal (\\101\\0502\\1)'
                            b' /Hex < 48 65 6C 6c 6F 2 > /Real [ .5 -.25 +3. 4.000 -0 ] /Null null /#23 1 >> >> >>')
    pdf.add(6, b'<< /Title <FEFF00DC0062006500720067 007200F600DF0065> /Author (Line one\\\nstill line one) /Trapped /False >>')
    pdf.table(b'/Root 1 0 R /Info 6 0 R')
    return pdf.out


def decoys_in_strings():
    lines = ('startxref', '0', '%%EOF', 'trailer << /Root 99 0 R >>', '1 0 obj << /Type /Catalog >> endobj',
             '/ByteRange [0 10 20 30] /Contents <00>', 'xref 0 1 0000000000 65535 f')
    pdf = simple(Pdf(b'1.4'), 'The words of a PDF inside strings and streams', *lines)
    pdf.add(6, b'<< /Title (startxref 17 %%EOF) /Subject (4 0 obj << /Length 0 >> endobj) >>')
    pdf.table(b'/Root 1 0 R /Info 6 0 R')
    return pdf.out


def no_final_eol():
    pdf = simple(Pdf(b'1.4'), 'No end of line after the last %%EOF')
    pdf.table(b'/Root 1 0 R')
    return bytes(pdf.out).rstrip(b'\n')


def junk_after_eof():
    pdf = simple(Pdf(b'1.4'), 'Bytes after the last %%EOF')
    pdf.table(b'/Root 1 0 R')
    return bytes(pdf.out) + b'\x00' * 40 + b'\r\n<!-- sent through a gateway that adds a line -->\r\n'


def version_in_catalog():
    pdf = simple(Pdf(b'1.3'), 'Header says 1.3, catalog says 1.7', catalog_extra=b' /Version /1.7')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def generations_and_free_list():
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<< /Type /Catalog /Pages 4 2 R >>')
    pdf.add(4, b'<< /Type /Pages /Kids [7 11 R] /Count 1 >>', generation=2)
    pdf.add(7, b'<< /Type /Page /Parent 4 2 R /MediaBox [0 0 612 792] /Contents 9 0 R /Resources << /Font << /F1 10 1 R >> >> >>', generation=11)
    pdf.add(9, stream(text_stream('Generation numbers above 0, free objects between')))
    pdf.add(10, HELVETICA, generation=1)
    pdf.table(b'/Root 1 0 R', freed={2: 1, 3: 3, 5: 65535, 6: 1, 8: 2})
    return pdf.out


def several_subsections():
    pdf = simple(Pdf(b'1.4'), 'The table has a subsection for every two objects')
    pdf.add(20, b'<< /Title (far away) >>')
    pdf.size = 21
    pdf.table(b'/Root 1 0 R /Info 20 0 R', split=True)
    return pdf.out


def updates_classic():
    pdf = simple(Pdf(b'1.4'), 'Revision 1')
    pdf.table(b'/Root 1 0 R /ID [<01> <01>]')
    pdf.add(4, stream(text_stream('Revision 2: other content')))
    pdf.table(b'/Root 1 0 R /ID [<01> <02>]', whole=False)
    pdf.add(2, b'<< /Type /Pages /Kids [3 0 R 6 0 R] /Count 2 >>')
    pdf.add(6, b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 7 0 R /Resources << /Font << /F1 5 0 R >> >> >>')
    pdf.add(7, stream(text_stream('Revision 3 added this page')))
    pdf.table(b'/Root 1 0 R /ID [<01> <03>]', whole=False)
    pdf.add(2, b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>')
    pdf.table(b'/Root 1 0 R /ID [<01> <04>]', whole=False, freed={6: 1, 7: 1})
    pdf.add(6, b'<< /Title (Object 6 lives again) >>', generation=1)
    pdf.table(b'/Root 1 0 R /Info 6 1 R /ID [<01> <05>]', whole=False)
    return pdf.out


def updates_xref_streams():
    pdf = Pdf(b'1.5')
    packed = pdf.object_stream(6, {
        1: b'<< /Type /Catalog /Pages 2 0 R >>', 2: b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        3: b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
        5: HELVETICA})
    pdf.add(4, stream(text_stream('Revision 1, objects in a stream'), deflate=True))
    pdf.xref_stream(7, b'/Root 1 0 R', packed)
    pdf.add(4, stream(text_stream('Revision 2'), deflate=True))
    pdf.xref_stream(8, b'/Root 1 0 R', whole=False, widths=(1, 3, 0))
    # The page object moves from its stream to the open, then into another stream.
    pdf.add(3, b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>')
    pdf.xref_stream(9, b'/Root 1 0 R', whole=False, predictor=True)
    packed = pdf.object_stream(10, {
        3: b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate 90 /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>'})
    pdf.xref_stream(11, b'/Root 1 0 R', packed, whole=False, widths=(1, 4, 2))
    return pdf.out


def hybrid(updated=False):
    """ISO 32000-2 §7.5.8.4: old readers see the table, new ones also what XRefStm adds."""
    pdf = Pdf(b'1.5')
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R /OpenAction [3 0 R /Fit] /Outlines 7 0 R >>')
    pdf.add(2, b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>')
    pdf.add(3, b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>')
    pdf.add(4, stream(text_stream('A hybrid file: table and cross-reference stream'), deflate=True))
    pdf.add(5, HELVETICA)
    packed = pdf.object_stream(6, {7: b'<< /Type /Outlines /First 8 0 R /Last 8 0 R /Count 1 >>',
                                   8: b'<< /Title (Only new readers see this) /Parent 7 0 R /Dest [3 0 R /Fit] >>'})
    at = pdf.xref_stream(9, b'', packed, only=[7, 8], finish=False)
    pdf.table(b'/Root 1 0 R', xref_stm=at)
    if updated:
        pdf.add(4, stream(text_stream('A hybrid file, updated once with a table'), deflate=True))
        pdf.table(b'/Root 1 0 R', whole=False)
        pdf.add(5, HELVETICA)
        packed = pdf.object_stream(10, {8: b'<< /Title (Changed in the second update) /Parent 7 0 R /Dest [3 0 R /Fit] >>'})
        at = pdf.xref_stream(11, b'', packed, only=[8], finish=False)
        pdf.table(b'/Root 1 0 R', whole=False, xref_stm=at)
    return pdf.out


XMP = '''<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li xml:lang="x-default">A PDF 2.0 file</rdf:li></rdf:Alt></dc:title></rdf:Description>
</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>'''.encode()


def pdf_2_0(classic=False):
    pdf = Pdf(b'2.0')
    objects = {
        1: b'<< /Type /Catalog /Pages 2 0 R /Metadata 6 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >>'
           b' /Extensions << /ISO_ << /BaseVersion /2.0 /ExtensionLevel 32002 /ExtensionRevision (:2022) /URL (https://www.iso.org/standard/45874.html) >> >> >>',
        2: b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        3: b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
        5: HELVETICA}
    content = text_stream('PDF 2.0 with a ' + ('table' if classic else 'cross-reference stream'))
    trailer = b'/Root 1 0 R /ID [<0123456789ABCDEF0123456789ABCDEF> <0123456789ABCDEF0123456789ABCDEF>]'
    if classic:
        for number, body in objects.items():
            pdf.add(number, body)
    else:
        packed = pdf.object_stream(7, objects, deflate=False)
    pdf.add(4, stream(content))
    pdf.add(6, stream(XMP, b' /Type /Metadata /Subtype /XML'))
    if classic:
        pdf.table(trailer)
    else:
        pdf.xref_stream(8, trailer, packed, deflate=False, widths=(1, 4, 2))
    return pdf.out


def deep_page_tree():
    """Six levels; MediaBox, Resources and Rotate are inherited from different ones; the kids are of unequal depth."""
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<< /Type /Catalog /Pages 10 0 R >>')
    depth, pages, number = 6, [], 30
    for level in range(depth):
        me, page, content = 10 + level, number, number + 1
        number += 2
        kids = b'%d 0 R' % page + (b' %d 0 R' % (me + 1) if level + 1 < depth else b'')
        extra = b'' if level == 0 else b' /Parent %d 0 R' % (me - 1)
        extra += {0: b' /MediaBox [0 0 595 842]', 1: b' /Resources << /Font << /F1 5 0 R >> >>', 2: b' /Rotate 90',
                  3: b' /CropBox [20 20 575 822]', 4: b' /Rotate 0'}.get(level, b'')
        pdf.add(me, b'<< /Type /Pages /Kids [%s] /Count %d%s >>' % (kids, depth - level, extra))
        own = b' /Resources << /Font << /F1 5 0 R >> >>' if level == 0 else b''
        pdf.add(page, b'<< /Type /Page /Parent %d 0 R /Contents %d 0 R%s >>' % (me, content, own))
        pdf.add(content, stream(text_stream('Level %d of the page tree' % (level + 1))))
    pdf.add(5, HELVETICA)
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def rotated(angles, box=A4):
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R >>')
    first = 10
    kids = b' '.join(b'%d 0 R' % (first + 2 * i) for i in range(len(angles)))
    pdf.add(2, b'<< /Type /Pages /Kids [%s] /Count %d >>' % (kids, len(angles)))
    pdf.add(5, HELVETICA)
    for i, angle in enumerate(angles):
        pdf.add(first + 2 * i, b'<< /Type /Page /Parent 2 0 R /MediaBox %s /Rotate %d /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> >> >>'
                % (box, angle, first + 2 * i + 1))
        pdf.add(first + 2 * i + 1, stream(text_stream('This page is rotated by %d degrees' % angle)))
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def user_unit_and_boxes():
    pdf = simple(Pdf(b'1.6'), 'UserUnit 2, boxes with odd origins', box=b'[-50 -20.5 550 821.5]',
                 page_extra=b' /UserUnit 2 /CropBox [0 0 500 800] /TrimBox [10 10 490 790] /BleedBox [5 5 495 795] /ArtBox [20 20 480 780]')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def reversed_box_and_indirect_lengths():
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R >>')
    pdf.add(2, b'<< /Type /Pages /Kids 8 0 R /Count 9 0 R >>')
    pdf.add(3, b'<< /Type /Page /Parent 2 0 R /MediaBox 10 0 R /Contents [4 0 R 6 0 R] /Resources 11 0 R >>')
    part = text_stream('Indirect /Length, /Kids, /Count, /MediaBox (corners swapped)')
    pdf.add(4, b'<< /Length 7 0 R >>\nstream\n' + part + b'\nendstream')
    pdf.add(6, stream(b'0.8 G 72 700 m 540 700 l S'))
    pdf.add(7, b'%d' % len(part))
    pdf.add(8, b'[3 0 R]')
    pdf.add(9, b'1')
    pdf.add(10, b'[612 792 0 0]')
    pdf.add(11, b'<< /Font 12 0 R /ProcSet [/PDF /Text] >>')
    pdf.add(12, b'<< /F1 5 0 R >>')
    pdf.add(5, HELVETICA)
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def empty_signature_field(hidden=False):
    pdf = simple(Pdf(b'1.7'), 'An empty signature field waits below', 'Field name: Approval',
                 catalog_extra=b' /AcroForm << /Fields [6 0 R] /SigFlags 1 /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >>',
                 page_extra=b' /Annots [6 0 R]')
    rect = b'[0 0 0 0] /F 132' if hidden else b'[72 500 272 560] /F 4'
    pdf.add(6, b'<< /Type /Annot /Subtype /Widget /FT /Sig /T (Approval) /P 3 0 R /Rect %s >>' % rect)
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def name_collisions():
    """Fields already named as products name their own signature fields; one is a text field, one a parent of kids."""
    pdf = simple(Pdf(b'1.7'), 'Fields called Signature1, Signature2, Signature3.a, Seal',
                 catalog_extra=b' /AcroForm 6 0 R', page_extra=b' /Annots 12 0 R')
    pdf.add(6, b'<< /Fields 7 0 R /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 5 0 R >> >> >>')
    pdf.add(7, b'[8 0 R 9 0 R 10 0 R 13 0 R]')
    pdf.add(12, b'[8 0 R 9 0 R 11 0 R 13 0 R]')
    box = b'/Type /Annot /Subtype /Widget /P 3 0 R /F 4 /DA (/Helv 10 Tf 0 g)'
    pdf.add(8, b'<< %s /FT /Tx /T (Signature1) /V (not a signature) /Rect [72 600 272 620] /AP << /N 14 0 R >> >>' % box)
    pdf.add(9, b'<< %s /FT /Sig /T (Signature2) /Rect [72 560 272 590] >>' % box)
    pdf.add(10, b'<< /T (Signature3) /Kids [11 0 R] >>')
    pdf.add(11, b'<< %s /Parent 10 0 R /FT /Tx /T (a) /V (kid) /Rect [72 520 272 540] /AP << /N 14 0 R >> >>' % box)
    pdf.add(13, b'<< %s /FT /Tx /T <FEFF005300650061006C> /V (UTF-16 name) /Rect [72 480 272 500] /AP << /N 14 0 R >> >>' % box)
    pdf.add(14, stream(b'/Tx BMC EMC', b' /Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << >>'))
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def form_in_object_stream():
    pdf = Pdf(b'1.6')
    packed = pdf.object_stream(20, {
        1: b'<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R >>',
        2: b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        3: b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots 7 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
        5: HELVETICA,
        6: b'<< /Fields 8 0 R /DA (/F1 0 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> /NeedAppearances false >>',
        7: b'[9 0 R]', 8: b'[9 0 R]',
        9: b'<< /Type /Annot /Subtype /Widget /FT /Tx /T (Remark) /V (everything is packed) /F 4 /P 3 0 R /Rect [72 600 372 630] /DA (/F1 12 Tf 0 g) /AP << /N 10 0 R >> >>'})
    pdf.add(4, stream(text_stream('Catalog, AcroForm, Annots and Fields are in an object stream'), deflate=True))
    pdf.add(10, stream(b'/Tx BMC BT /F1 12 Tf 2 8 Td (everything is packed) Tj ET EMC',
                       b' /Type /XObject /Subtype /Form /BBox [0 0 300 30] /Resources << /Font << /F1 5 0 R >> >>', deflate=True))
    pdf.xref_stream(21, b'/Root 1 0 R', packed, predictor=True)
    return pdf.out


def layers():
    pdf = Pdf(b'1.5')
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R /PageMode /UseOC /OCProperties << /OCGs [6 0 R 7 0 R]'
               b' /D << /Name (Default) /Order [6 0 R 7 0 R] /ON [6 0 R] /OFF [7 0 R] /BaseState /ON /AS [] >> >> >>')
    pdf.add(2, b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>')
    pdf.add(3, b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources'
               b' << /Font << /F1 5 0 R >> /Properties << /MC0 6 0 R /MC1 7 0 R >> >> >>')
    pdf.add(4, stream(b'/OC /MC0 BDC\n' + text_stream('Layer "Text" is on') + b'\nEMC\n/OC /MC1 BDC\n'
                      + text_stream('Layer "Draft" is off', y=600) + b'\nEMC'))
    pdf.add(5, HELVETICA)
    pdf.add(6, b'<< /Type /OCG /Name (Text) >>')
    pdf.add(7, b'<< /Type /OCG /Name (Draft) >>')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def empty_page():
    """As small as a valid file gets: no content, no resources beyond an empty dictionary."""
    pdf = Pdf(b'1.4', binary_comment=False)
    pdf.add(1, b'<</Type/Catalog/Pages 2 0 R>>')
    pdf.add(2, b'<</Type/Pages/Kids[3 0 R]/Count 1>>')
    pdf.add(3, b'<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Resources<<>>>>')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def xref_stream_only():
    """A cross-reference stream without object streams, two-byte types left out (W [0 3 0] means all in use)."""
    pdf = simple(Pdf(b'1.5'), 'Cross-reference stream, no object streams', deflate=True)
    pdf.xref_stream(6, b'/Root 1 0 R', widths=(1, 3, 2), predictor=True)
    return pdf.out


FILES = {
    'pdf-1.0': pdf_1_0, 'pdf-1.1-cr': pdf_1_1_cr, 'pdf-1.3-crlf': pdf_1_3_crlf, 'mixed-eols': mixed_eols,
    'odd-names-and-strings': odd_names_and_strings, 'decoys-in-strings': decoys_in_strings, 'no-final-eol': no_final_eol,
    'junk-after-eof': junk_after_eof, 'version-in-catalog': version_in_catalog,
    'generations-and-free-list': generations_and_free_list, 'several-subsections': several_subsections,
    'updates-classic': updates_classic, 'updates-xref-streams': updates_xref_streams, 'hybrid': hybrid,
    'hybrid-updated': lambda: hybrid(updated=True), 'pdf-2.0-xref-stream': pdf_2_0,
    'pdf-2.0-classic': lambda: pdf_2_0(classic=True), 'deep-page-tree': deep_page_tree,
    'rotated-four-ways': lambda: rotated([0, 90, 180, 270]), 'rotated-90': lambda: rotated([90]),
    'rotated-180': lambda: rotated([180], LETTER), 'rotated-minus-90': lambda: rotated([-90], b'[0 0 842 595]'),
    'user-unit-and-boxes': user_unit_and_boxes, 'indirect-everything': reversed_box_and_indirect_lengths,
    'empty-signature-field': empty_signature_field, 'empty-signature-field-hidden': lambda: empty_signature_field(hidden=True),
    'name-collisions': name_collisions, 'form-in-object-stream': form_in_object_stream, 'layers': layers,
    'empty-page': empty_page, 'xref-stream-only': xref_stream_only,
}


def refused_files():
    good = bytes(simple_table())
    yield 'no-startxref', good[:good.rindex(b'startxref')] + b'%%EOF\n'
    yield 'no-header', good.replace(b'%PDF-1.4', b'%FDP-1.4')
    yield 'startxref-misses', good.replace(b'startxref\n', b'startxref\n1')
    yield 'bytes-before-header', b'Content-Type: application/pdf\r\n\r\n' + good
    yield 'truncated', bytes(updates_classic())[:400]
    first = Pdf(b'1.4')
    simple(first, 'Sections that go round in a circle')
    first.last_xref = 0
    first.table(b'/Root 1 0 R')
    # Same length for the two offsets: the second section's /Prev is the first's, and the first's is the second's.
    data = bytes(first.out)
    first.add(4, stream(text_stream('second')))
    first.table(b'/Root 1 0 R', whole=False)
    loop = bytes(first.out)
    at = first.last_xref
    shift = len(b'/Prev %d' % at) - len(b'/Prev 0')
    at += shift
    old = data[data.rindex(b'startxref\n') + 10:data.rindex(b'\n%%EOF')]
    loop = loop.replace(b'/Prev 0', b'/Prev %d' % at, 1)
    tail = loop.rindex(b'startxref\n')
    loop = loop[:tail] + b'startxref\n%d\n%%%%EOF\n' % at
    # Object 4 of the second section moved by the same shift.
    moved = loop.rindex(b'4 0 obj')
    entry = loop.rindex(b' 00000 n')
    loop = loop[:entry - 10] + b'%010d' % moved + loop[entry:]
    assert b'/Prev ' + old in loop and loop[at:at + 4] == b'xref', (at, old)
    yield 'xref-loop', loop
    off = good.index(b'4 0 obj')
    yield 'offset-misses', good.replace(b'%010d 00000 n' % good.index(b'3 0 obj'), b'%010d 00000 n' % (off + 3))
    yield 'no-page', bytes(no_page())
    yield 'duplicate-key', bytes(duplicate_key())
    yield 'byte-range-past-end', bytes(byte_range_past_end())


def simple_table():
    pdf = simple(Pdf(b'1.4'), 'A good file before it was broken')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def duplicate_key():
    pdf = simple(Pdf(b'1.4'), 'Which page tree is it?', catalog_extra=b' /Pages 6 0 R')
    pdf.add(6, b'<< /Type /Pages /Kids [7 0 R] /Count 1 >>')
    pdf.add(7, b'<< /Type /Page /Parent 6 0 R /MediaBox [0 0 612 792] /Contents 8 0 R /Resources << /Font << /F1 5 0 R >> >> >>')
    pdf.add(8, stream(text_stream('The other page')))
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def no_page():
    pdf = Pdf(b'1.4')
    pdf.add(1, b'<< /Type /Catalog /Pages 2 0 R >>')
    pdf.add(2, b'<< /Type /Pages /Kids [] /Count 0 >>')
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def byte_range_past_end():
    pdf = simple(Pdf(b'1.7'), 'The signature claims bytes that are not there yet',
                 catalog_extra=b' /AcroForm << /Fields [6 0 R] /SigFlags 3 >>', page_extra=b' /Annots [6 0 R]')
    pdf.add(6, b'<< /Type /Annot /Subtype /Widget /FT /Sig /T (Trap) /V 7 0 R /F 132 /P 3 0 R /Rect [0 0 0 0] >>')
    pdf.add(7, b'<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /ByteRange [0 840 1040 20000] /Contents <%s> >>' % (b'00' * 99))
    pdf.table(b'/Root 1 0 R')
    return pdf.out


def main(files, refused):
    files, refused = pathlib.Path(files, 'handwritten'), pathlib.Path(refused)
    files.mkdir(parents=True, exist_ok=True)
    refused.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        files.joinpath(name + '.pdf').write_bytes(bytes(make()))
    for name, data in refused_files():
        refused.joinpath(name + '.pdf').write_bytes(data)


if __name__ == '__main__':
    main(*sys.argv[1:3])
