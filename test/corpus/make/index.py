"""Reads every file of the corpus and writes index.json and SOURCES.md: features are found in the files, never claimed.

    python index.py CORPUS_DIRECTORY VERAPDF_TSV

VERAPDF_TSV is what java/CheckArchive prints. Fails when a file is not clean: with a password, JavaScript or XFA, an error
from `qpdf --check`, a PDF/A claim that veraPDF denies, a font or colour profile whose licence isn't listed here.
"""

import collections
import hashlib
import io
import json
import pathlib
import re
import subprocess
import sys

import pikepdf
from fontTools.cffLib import CFFFontSet
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Stream
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

# producer: (name and version, licence of the tool, which doesn't reach what it writes, script)
PRODUCERS = {
    'handwritten': ('the script itself', 'Apache-2.0', 'handwritten.py'),
    'libreoffice': ('LibreOffice 7.4.7.2 (Debian 12)', 'MPL-2.0', 'tools.sh'),
    'chromium': ('Chromium 156.0.8078.79 headless, Skia/PDF (Debian 12)', 'BSD-3-Clause', 'tools.sh'),
    'ghostscript': ('Ghostscript 10.00.0, pdfwrite (Debian 12)', 'AGPL-3.0', 'tools.sh'),
    'cairo': ('cairo 1.16.0 through pango-view 1.50.12, rsvg-convert 2.54, Inkscape 1.2.2, gnuplot 5.4 (Debian 12) and cairocffi 1.7.1', 'LGPL-2.1 or MPL-1.1', 'tools.sh, libraries.py'),
    'pdftex': ('pdfTeX 1.40.24, TeX Live 2022 (Debian 12)', 'GPL-2.0', 'tools.sh'),
    'groff': ('groff 1.22.4, gropdf (Debian 12)', 'GPL-3.0', 'tools.sh'),
    'r': ('R 4.2.2, pdf() (Debian 12)', 'GPL-2.0', 'tools.sh'),
    'mupdf': ('mutool 1.21.1 (Debian 12)', 'AGPL-3.0', 'tools.sh, signed.py'),
    'qpdf': ('qpdf 11.3.0 (Debian 12)', 'Apache-2.0', 'tools.sh'),
    'poppler': ('poppler 22.12.0: pdfunite, pdfseparate, pdftocairo, pdfsig (Debian 12)', 'GPL-2.0', 'tools.sh, signed.py'),
    'pdftk': ('pdftk-java 3.3.2 (Debian 12)', 'GPL-2.0', 'tools.sh'),
    'reportlab': ('ReportLab 5.1.0', 'BSD-3-Clause', 'libraries.py'),
    'fpdf2': ('fpdf2 2.8.9', 'LGPL-3.0', 'libraries.py'),
    'weasyprint': ('WeasyPrint 70.0, pydyf 0.13.0', 'BSD-3-Clause', 'libraries.py'),
    'pikepdf': ('pikepdf 10.17.0', 'MPL-2.0', 'libraries.py'),
    'pypdf': ('pypdf 7.1.0', 'BSD-3-Clause', 'libraries.py'),
    'matplotlib': ('Matplotlib 3.11.2', 'Matplotlib licence', 'libraries.py'),
    'img2pdf': ('img2pdf 0.6.3', 'LGPL-3.0', 'libraries.py'),
    'pillow': ('Pillow 13.0.0', 'MIT-CMU', 'libraries.py'),
    'pdf-lib': ('pdf-lib 1.17.1', 'MIT', 'libraries.cjs'),
    'pdfkit': ('PDFKit 0.20.2', 'MIT', 'libraries.cjs'),
    'jspdf': ('jsPDF 4.2.1', 'MIT', 'libraries.cjs'),
    'libpdf': ('@libpdf/core 0.4.2', 'MIT', 'libraries.cjs'),
    'pdfbox': ('Apache PDFBox 3.0.5', 'Apache-2.0', 'java/JavaLibraries.java'),
    'openpdf': ('OpenPDF 2.0.3', 'LGPL-2.1 or MPL-2.0', 'java/JavaLibraries.java'),
    'fop': ('Apache FOP 2.10', 'Apache-2.0', 'java/JavaLibraries.java'),
    'pyhanko': ('pyHanko 0.38.0', 'MIT', 'signed.py'),
}
# What a font's own name begins with: its licence.
FONT_LICENCES = [
    (r'DejaVu', 'DejaVu Fonts', 'Bitstream Vera licence with public-domain additions: free to embed and redistribute'),
    (r'Liberation', 'Liberation Fonts 2', 'SIL OFL 1.1'),
    (r'Noto', 'Noto Fonts', 'SIL OFL 1.1'),
    (r'CM(R|MI|BX|TT|SY|EX)\d+$', 'Computer Modern (AMS Type 1)', 'SIL OFL 1.1'),
    (r'Nimbus|D050000L|StandardSymbols', 'URW++ base 35 (2017)', 'AGPL-3.0 with the exception that embedding in a PDF puts no condition on the document'),
    (r'OpenSymbol', 'OpenSymbol (LibreOffice)', 'MPL-2.0 / LGPL-3.0'),
]
ICC_LICENCES = [
    (r'sRGB2014|Copyright International Color Consortium', 'sRGB2014 of the ICC', 'may be copied, embedded and distributed without restriction'),
    (r'No copyright, use freely|no copyright, use freely', 'sRGB of Little CMS', 'no copyright, use freely'),
    (r'Public Domain|CC0', 'sRGB in the public domain', 'public domain'),
    (r'International Color Consortium', 'sRGB of the ICC', 'may be copied, embedded and distributed without restriction'),
    (r'Artifex', 'default_rgb of Ghostscript (Artifex)', 'may be embedded in documents without condition'),
    (r'Hewlett-Packard', 'sRGB IEC61966-2.1 (Hewlett-Packard)', 'may be copied, embedded and distributed without fee'),
]
REFUSED = {
    'bytes-before-header': ('pades_header_misplaced', 'A mail header stands before %PDF-'),
    'byte-range-past-end': ('pades_byte_range_past_end', 'An earlier ByteRange reaches past the end of the file'),
    'certified-p1': ('docmdp_forbids_changes', 'Certified with DocMDP P=1'),
    'certified-p1-b-lta': ('docmdp_forbids_changes', 'Certified with DocMDP P=1, then DSS and DocTimeStamp'),
    'duplicate-key': ('pdf_key_duplicate', 'The catalog has two /Pages'),
    'encrypted-user-password': ('pdf_password_needed', 'AES-256 with a user password'),
    'locks-all-fields': ('fieldmdp_forbids_field', 'A signature with FieldMDP /All'),
    'no-header': ('pdf_header_missing', 'No %PDF-'),
    'no-page': ('pdf_page_missing', 'The page tree is empty'),
    'no-startxref': ('pdf_startxref_missing', 'startxref is gone, %%EOF is there'),
    'offset-misses': ('pdf_object_misplaced', 'The entry of the page object is three bytes off'),
    'startxref-misses': ('pdf_xref_damaged', 'startxref points past the end of the file'),
    'truncated': ('pdf_startxref_missing', 'Cut off in the middle of the first revision'),
    'truncated-linearized': ('pdf_startxref_missing', 'A linearized file cut off at two thirds'),
    'xref-loop': ('pdf_xref_loop', 'Two sections whose /Prev point at each other'),
}


class Scan:
    """What one file has."""

    def __init__(self, path, archive):
        self.data = path.read_bytes()
        self.features, self.fonts, self.profiles = set(), set(), set()
        self.signatures, self.certified = [], None
        self.pdf = pikepdf.open(path, inherit_page_attributes=False)
        # one that needs a password has not been opened
        if self.pdf.is_encrypted:
            self.features.add('encrypted')
        self.scan_bytes()
        self.scan_catalog()
        self.scan_pages()
        for thing in self.pdf.objects:
            if isinstance(thing, (Dictionary, Stream)):
                self.scan_dictionary(thing, path)
        if archive:
            self.features.add('pdfa-' + archive)
        check = subprocess.run(['qpdf', '--check', path], capture_output=True)
        if check.returncode not in (0, 3):
            raise SystemExit(f'{path}: {check.stderr.decode()}')
        self.warnings = check.returncode == 3
        header = re.match(rb'%PDF-(\d\.\d)', self.data).group(1).decode()
        self.version = max(header, str(self.pdf.Root.get('/Version', '/1.0'))[1:])
        self.pages = len(self.pdf.pages)

    def scan_bytes(self):
        data, add = self.data, self.features.add
        if b'/Linearized' in data[:1024]:
            add('linearized-updated' if not self.pdf.is_linearized else 'linearized')
        seen, sections = [], 0
        at = int(re.findall(rb'startxref\s+(\d+)', data)[-1])
        while at and at not in seen:
            seen.append(at)
            classic = data[at:at + 4] == b'xref'
            add('xref-classic' if classic else 'xref-stream')
            end = data.index(b'startxref', at) if classic else data.index(b'stream', at)
            dictionary = data[data.index(b'trailer', at):end] if classic else data[at:end]
            if b'/XRefStm' in dictionary:
                add('hybrid')
            previous = re.search(rb'/Prev\s+(\d+)', dictionary)
            at = int(previous.group(1)) if previous else 0
            sections += 1
        # A linearized file has two sections from the beginning.
        updates = sections - (2 if b'/Linearized' in data[:1024] else 1)
        if updates > 0:
            add('updated-once' if updates == 1 else 'updated-several-times')
        if re.search(rb'/Type\s*/ObjStm', data):
            add('object-streams')
        if not re.fullmatch(rb'\s*', data[data.rindex(b'%%EOF') + 5:]):
            add('bytes-after-eof')
        if not re.search(rb'[\r\n]\Z', data) and data.endswith(b'%%EOF'):
            add('no-final-eol')
        first = re.match(rb'%PDF-\d\.\d\s*?(\r\n|\r|\n)', data).group(1)
        if first != b'\n':
            add('eol-cr' if first == b'\r' else 'eol-crlf')
        if re.search(rb'(?<=[\r\n ])\d+ [1-9]\d* obj\b', data):
            add('generation-numbers')

    def scan_catalog(self):
        root, add = self.pdf.Root, self.features.add
        if bool(root.get('/MarkInfo', {}).get('/Marked', False)) and '/StructTreeRoot' in root:
            add('tagged')
        if '/OCProperties' in root:
            add('layers')
        if '/Outlines' in root and '/First' in root.Outlines:
            add('outlines')
        if '/Metadata' in root:
            add('xmp')
        if '/DSS' in root:
            add('dss')
        if '/AF' in root or '/EmbeddedFiles' in root.get('/Names', {}):
            add('attachments')
        if '/DocMDP' in root.get('/Perms', {}):
            parameters = root.Perms.DocMDP.Reference[0].get('/TransformParams', {})
            self.certified = int(parameters.get('/P', 2))
            add(f'certified-p{self.certified}')
        form = root.get('/AcroForm')
        if form is not None:
            if form.get('/NeedAppearances', False):
                add('need-appearances')
            for field in form.get('/Fields', []):
                self.scan_field(field, None, 0)

    def scan_field(self, field, kind, depth):
        kind, add = field.get('/FT', kind), self.features.add
        # Kids with /T are fields, those without are only the widgets of this one.
        kids = [kid for kid in field.get('/Kids', []) if '/T' in kid]
        if depth or kids:
            add('form-hierarchy')
        for kid in kids:
            self.scan_field(kid, kind, depth + 1)
        if kids:
            return
        if kind == Name.Sig:
            value = field.get('/V')
            if value is None:
                add('signature-field-empty')
                return
            stamp = value.get('/Type') == Name.DocTimeStamp or value.get('/SubFilter') == Name('/ETSI.RFC3161')
            add('document-timestamp' if stamp else 'signed')
            self.signatures.append({'field': str(field.T), 'subFilter': str(value.SubFilter)[1:]})
            if any(r.get('/TransformMethod') == Name.FieldMDP for r in value.get('/Reference', [])):
                add('field-lock')
            if any(float(n) for n in field.get('/Rect', [])):
                add('signed-visibly')
        else:
            filled = field.get('/V') not in (None, Name.Off, Name('/')) and str(field.V) != ''
            add('form')
            add('form-filled-field' if filled else 'form-empty-field')

    def scan_pages(self):
        add = self.features.add
        add('one-page' if len(self.pdf.pages) == 1 else '300-pages' if len(self.pdf.pages) >= 300 else 'several-pages')
        for page in self.pdf.pages:
            node, inherited = page.obj, {}
            depth = 0
            while node is not None:
                for key in ('/Rotate', '/MediaBox', '/CropBox', '/Resources'):
                    if key in node and key not in inherited:
                        inherited[key] = node[key]
                        if depth:
                            add('inherited-page-attributes')
                node, depth = node.get('/Parent'), depth + 1
            if depth > 4:
                add('deep-page-tree')
            rotate = int(inherited.get('/Rotate', 0)) % 360
            if rotate:
                add(f'rotated-{rotate}')
            if '/CropBox' in inherited:
                add('crop-box')
            if '/UserUnit' in page.obj:
                add('user-unit')

    def scan_dictionary(self, thing, path):
        add, get = self.features.add, thing.get
        if get('/S') == Name.JavaScript or '/JS' in thing or '/XFA' in thing:
            raise SystemExit(f'{path}: JavaScript or XFA')
        subtype = get('/Subtype')
        if isinstance(thing, Stream) and subtype == Name.Image:
            add('images')
        if subtype == Name.Link and '/Rect' in thing:
            add('links')
        elif '/Rect' in thing and subtype not in (None, Name.Widget):
            add('annotations')
        if get('/S') == Name.Transparency or '/SMask' in thing or any(float(get(k, 1)) < 1 for k in ('/ca', '/CA')):
            add('transparency')
        if '/FontName' in thing:
            name = str(thing.FontName)[1:]
            for key in ('/FontFile', '/FontFile2', '/FontFile3'):
                if key in thing:
                    add('fonts-subset' if re.match(r'[A-Z]{6}\+', name) else 'fonts-whole')
                    self.fonts.add(own_name(thing[key], key, name))
        profile = get('/DestOutputProfile')
        if profile is not None:
            self.profiles.add(copyright_of(profile.read_bytes()))
        for value in thing.values() if isinstance(thing, Dictionary) else ():
            if isinstance(value, Array) and len(value) == 2 and value[0] == Name.ICCBased:
                self.profiles.add(copyright_of(value[1].read_bytes()))


def pyhanko_reading(data):
    """'strict', or why only its lenient reading (--no-strict-syntax) can judge the file, seals in it included."""
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=True)
        reader.root['/Pages']
        return 'hybrid: signatures need the lenient reading' if reader.xrefs.hybrid_xrefs_present else 'strict'
    except PdfReadError as error:
        PdfFileReader(io.BytesIO(data), strict=False).root['/Pages']
        return str(error)


def own_name(stream, key, fallback):
    """The font's name for itself, since a PDF may call a substitute Helvetica."""
    fallback = re.sub(r'^[A-Z]{6}\+', '', fallback)
    data = stream.read_bytes()
    if key == '/FontFile2' or data[:4] == b'OTTO':
        try:
            names = TTFont(io.BytesIO(data), lazy=True)
            return (names['name'].getDebugName(6) if 'name' in names else None) or fallback
        except Exception:
            return fallback
    if key == '/FontFile3':
        compact = CFFFontSet()
        compact.decompile(io.BytesIO(data), None)
        return re.sub(r'^[A-Z]{6}\+', '', compact.fontNames[0])
    found = re.search(rb'/FontName\s*/(\S+)', data[:2000]) if key == '/FontFile' else None
    return found.group(1).decode() if found else fallback


def copyright_of(profile):
    for i in range(int.from_bytes(profile[128:132], 'big')):
        tag, offset, size = profile[132 + 12 * i:136 + 12 * i], *(int.from_bytes(profile[136 + 12 * i + j:140 + 12 * i + j], 'big') for j in (0, 4))
        if tag == b'cprt':
            data = profile[offset:offset + size]
            text = data[28:].decode('utf-16-be', 'replace') if data[:4] == b'mluc' else data[8:].decode('latin-1')
            return text.strip('\0 ')
    return '(no copyright tag)'


def licence_of(name, table):
    name = re.sub(r'^[A-Z]{6}\+', '', name)
    for pattern, family, licence in table:
        if re.match(pattern, name) or (table is ICC_LICENCES and re.search(pattern, name)):
            return family, licence
    raise SystemExit(f'no licence known for {name!r}')


def main(corpus, archive_results):
    corpus = pathlib.Path(corpus)
    archives = {}
    for line in pathlib.Path(archive_results).read_text().splitlines():
        path, flavour, compliant = line.split('\t')
        if flavour.startswith('ua'):
            continue
        if compliant != 'true':
            raise SystemExit(f'{path} claims PDF/A-{flavour} and is not')
        archives['/'.join(path.split('/')[-2:])] = flavour
    files, licences = [], collections.defaultdict(set)
    for path in sorted(corpus.glob('files/*/*.pdf')):
        name = f'{path.parent.name}/{path.name}'
        scan = Scan(path, archives.get(name))
        for table, names in ((FONT_LICENCES, scan.fonts), (ICC_LICENCES, scan.profiles)):
            for own in names:
                licences[licence_of(own, table)].add(path.parent.name)
        files.append({
            'file': f'files/{name}', 'producer': path.parent.name, 'features': sorted(scan.features), 'pdfVersion': scan.version,
            'pages': scan.pages, 'pdfa': archives.get(name), 'signedBefore': bool(scan.signatures), 'certified': scan.certified,
            'signatures': scan.signatures, 'qpdfWarnings': scan.warnings, 'pyhankoReading': pyhanko_reading(scan.data), 'sealable': True, 'bytes': len(scan.data),
            'sha256': hashlib.sha256(scan.data).hexdigest(),
            'embedded': sorted({licence_of(n, t)[0] for t, s in ((FONT_LICENCES, scan.fonts), (ICC_LICENCES, scan.profiles)) for n in s}),
        })
    refused = []
    for path in sorted(corpus.glob('refused/*.pdf')):
        code, reason = REFUSED[path.stem]
        data = path.read_bytes()
        refused.append({'file': f'refused/{path.name}', 'code': code, 'reason': reason, 'bytes': len(data),
                        'sha256': hashlib.sha256(data).hexdigest()})
    lines = lambda rows: ',\n'.join('    ' + json.dumps(row, ensure_ascii=False) for row in rows)  # noqa: E731
    corpus.joinpath('index.json').write_text(
        '{\n  "version": 1,\n  "files": [\n' + lines(files) + '\n  ],\n  "refused": [\n' + lines(refused) + '\n  ]\n}\n')
    corpus.joinpath('SOURCES.md').write_text(sources(files, refused, licences))


def sources(files, refused, licences):
    by_producer = collections.Counter(f['producer'] for f in files)
    by_feature = collections.Counter(feature for f in files for feature in f['features'])
    text = pathlib.Path(__file__).with_name('sources-head.md').read_text()
    text += '\n## Producers\n\n| folder | files | producer and version | licence of the tool | script in `make/` |\n| --- | ---: | --- | --- | --- |\n'
    for producer, count in sorted(by_producer.items()):
        name, licence, script = PRODUCERS[producer]
        text += f'| `{producer}` | {count} | {name} | {licence} | {script} |\n'
    text += '\n## Fonts and colour profiles inside the files\n\n| what | licence | in the files of |\n| --- | --- | --- |\n'
    for (family, licence), where in sorted(licences.items()):
        text += f'| {family} | {licence} | {", ".join(sorted(where))} |\n'
    text += '\n## Features\n\n| feature | files |\n| --- | ---: |\n'
    for feature, count in sorted(by_feature.items()):
        text += f'| {feature} | {count} |\n'
    text += (f'\n## Files\n\n{len(files)} files, {sum(f["bytes"] for f in files):,} bytes. Origin of each: written for this corpus by the'
             ' producer of its folder. Licence: Apache-2.0, and for embedded parts as above.\n\n'
             '| file | producer | PDF | pages | licence | embedded parts |\n| --- | --- | --- | ---: | --- | --- |\n')
    for f in files:
        text += (f'| {f["file"].removeprefix("files/")} | {PRODUCERS[f["producer"]][0].split(" through")[0].split(":")[0]} | {f["pdfVersion"]} | {f["pages"]}'
                 f' | Apache-2.0 | {", ".join(f["embedded"]) or "none"} |\n')
    text += ('\n## Files that pyHanko reads only leniently\n\nIts strict reading refuses them, sealed or not, for what the producer wrote.\n\n'
             '| file | pyHanko says |\n| --- | --- |\n')
    for f in files:
        if f['pyhankoReading'] != 'strict':
            text += f'| {f["file"].removeprefix("files/")} | {f["pyhankoReading"]} |\n'
    text += '\n## Refused files\n\nMade by `handwritten.py`, `signed.py` and `tools.sh`; Apache-2.0.\n\n| file | code | reason |\n| --- | --- | --- |\n'
    for r in refused:
        text += f'| {r["file"]} | `{r["code"]}` | {r["reason"]} |\n'
    return text


if __name__ == '__main__':
    main(*sys.argv[1:3])
