"""The files signed before: pyHanko, poppler's pdfsig and mutool, with the PKI of pki.py.

    python signed.py FILES_DIRECTORY REFUSED_DIRECTORY PKI_DIRECTORY WORK_DIRECTORY
"""

import io
import pathlib
import shutil
import subprocess
import sys

from asn1crypto import pem as asn1_pem, x509 as asn1_x509
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.pdf_signer import DSSContentSettings
from pyhanko_certvalidator import ValidationContext


class Maker:
    def __init__(self, files, refused, pki):
        self.files, self.refused = pathlib.Path(files), pathlib.Path(refused)
        pki = pathlib.Path(pki)
        self.signer = signers.SimpleSigner.load_pkcs12(str(pki / 'signer.p12'), passphrase=b'corpus')
        self.rsa = signers.SimpleSigner.load_pkcs12(str(pki / 'signer-rsa.p12'), passphrase=b'corpus')
        tsa = signers.SimpleSigner.load_pkcs12(str(pki / 'tsa.p12'), passphrase=b'corpus')
        self.tsa = timestamps.DummyTimeStamper(tsa.signing_cert, tsa.signing_key, certs_to_embed=tsa.cert_registry)
        certificates = [asn1_x509.Certificate.load(asn1_pem.unarmor(pki.joinpath(f'{n}.pem').read_bytes())[2]) for n in ('root', 'ca')]
        self.context = lambda: ValidationContext(
            trust_roots=certificates[:1], other_certs=certificates[1:], allow_fetching=False,
            crls=[pki.joinpath(f'{n}.crl').read_bytes() for n in ('root', 'ca')])

    def source(self, name):
        return self.files.joinpath(f'{name}.pdf').read_bytes()

    def sign(self, data, field='Signature1', spec=None, signer=None, timestamp=False, **options):
        options.setdefault('subfilter', SigSeedSubFilter.PADES)
        meta = signers.PdfSignatureMetadata(field_name=field, md_algorithm='sha256', **options)
        out = io.BytesIO()
        signers.PdfSigner(meta, signer or self.signer, timestamper=self.tsa if timestamp else None,
                          new_field_spec=spec).sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data), strict=False), output=out)
        return out.getvalue()

    def long_term(self, data, archive=False, **options):
        return self.sign(data, timestamp=True, embed_validation_info=True, validation_context=self.context(),
                         use_pades_lta=archive, dss_settings=DSSContentSettings(), **options)

    def add_field(self, data, *specs):
        writer = IncrementalPdfFileWriter(io.BytesIO(data))
        for spec in specs:
            fields.append_signature_field(writer, spec)
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()

    def put(self, name, data, producer='pyhanko'):
        self.files.joinpath(producer).mkdir(parents=True, exist_ok=True)
        self.files.joinpath(producer, f'{name}.pdf').write_bytes(data)


def pyhanko_files(make):
    plain, packed, form = (make.source(n) for n in ('handwritten/version-in-catalog', 'handwritten/form-in-object-stream', 'reportlab/form'))
    box = SigFieldSpec('Visible', on_page=0, box=(60, 60, 260, 120))
    make.put('field-only', make.add_field(plain, SigFieldSpec('Approval', on_page=0, box=(60, 60, 260, 120))))
    make.put('signed-b-b', make.sign(plain))
    make.put('signed-xref-stream', make.sign(packed))
    make.put('signed-hybrid', make.sign(make.source('handwritten/hybrid')))
    make.put('signed-linearized', make.sign(make.source('qpdf/linearized-object-streams')))
    make.put('signed-visible', make.sign(plain, field='Visible', spec=box, reason='Made for the corpus', location='Quay'))
    make.put('signed-adbe-pkcs7', make.sign(form, subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED, signer=make.rsa))
    make.put('signed-b-t', make.sign(plain, timestamp=True))
    make.put('signed-b-lt', make.long_term(plain))
    make.put('signed-b-lta', make.long_term(packed, archive=True))
    make.put('signed-pdfa-2b', make.sign(make.source('libreoffice/letter-pdfa-2b')))
    make.put('signed-pdfa-3b-b-lta', make.long_term(make.source('fpdf2/invoice-pdfa-3b'), archive=True))
    make.put('signed-twice', make.sign(make.sign(plain), field='Signature2', signer=make.rsa))
    make.put('signed-and-field-waiting', make.sign(make.add_field(
        plain, SigFieldSpec('First', on_page=0, box=(60, 60, 200, 100)), SigFieldSpec('Second', on_page=0, box=(220, 60, 360, 100))), field='First'))
    make.put('signed-then-form-filled', fill(make.sign(form), 'ship', 'Gannet'))
    make.put('certified-p2', make.sign(form, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS))
    make.put('certified-p3', make.sign(plain, certify=True, docmdp_permissions=MDPPerm.ANNOTATE))
    make.put('certified-p2-and-signed', make.sign(make.sign(packed, certify=True, docmdp_permissions=MDPPerm.FILL_FORMS), field='Signature2'))
    make.put('certified-p3-b-lta', make.long_term(plain, archive=True, certify=True, docmdp_permissions=MDPPerm.ANNOTATE))
    waiting = make.add_field(plain, SigFieldSpec('First'), SigFieldSpec('Second', on_page=0, box=(60, 60, 260, 120)))
    make.put('certified-p2-field-waiting', make.sign(waiting, field='First', certify=True, docmdp_permissions=MDPPerm.FILL_FORMS))
    # Not ReportLab's form: pyHanko calls any later update of that one a change of the locked field, its own too.
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, ['Keeper'])
    make.put('signed-locks-one-field', make.sign(make.source('libreoffice/form'), field='Lock', spec=SigFieldSpec('Lock', field_mdp_spec=lock)))
    broken = bytearray(make.sign(plain))
    at = broken.index(b'Header says 1.3')
    broken[at:at + 6] = b'HEADER'
    make.put('signed-broken-before', bytes(broken))

    everything = FieldMDPSpec(FieldMDPAction.ALL)
    make.refused.joinpath('certified-p1.pdf').write_bytes(make.sign(form, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
    make.refused.joinpath('certified-p1-b-lta.pdf').write_bytes(
        make.long_term(plain, archive=True, certify=True, docmdp_permissions=MDPPerm.NO_CHANGES))
    make.refused.joinpath('locks-all-fields.pdf').write_bytes(make.sign(form, field='Lock', spec=SigFieldSpec('Lock', field_mdp_spec=everything)))


def fill(data, name, value):
    """Form filling after a signature, by pyHanko's own writer: V of one text field."""
    from pyhanko.pdf_utils import generic
    writer = IncrementalPdfFileWriter(io.BytesIO(data))
    for reference in writer.root['/AcroForm']['/Fields']:
        field = reference.get_object()
        if field.get('/T') == name:
            field['/V'] = generic.pdf_string(value)
            writer.mark_update(reference)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def poppler_and_mupdf(make, pki, work):
    database = pathlib.Path(work, 'nss')
    shutil.rmtree(database, ignore_errors=True)
    database.mkdir(parents=True)
    run = lambda *command: subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    run('certutil', '-N', '-d', f'sql:{database}', '--empty-password')
    run('pk12util', '-i', f'{pki}/signer-rsa.p12', '-d', f'sql:{database}', '-W', 'corpus')
    out = pathlib.Path(work, 'signed.pdf')
    run('pdfsig', '-nssdir', f'sql:{database}', '-add-signature', '-nick', 'signer-rsa', make.files / 'handwritten/pdf-1.3-crlf.pdf', out)
    make.put('signed', out.read_bytes(), producer='poppler')
    field = make.files / 'handwritten/empty-signature-field.pdf'
    run('mutool', 'sign', '-s', f'{pki}/signer-rsa.p12', '-P', 'corpus', '-o', out, field, '6')
    make.put('signed', out.read_bytes(), producer='mupdf')


def main(files, refused, pki, work):
    make = Maker(files, refused, pki)
    pyhanko_files(make)
    poppler_and_mupdf(make, pki, work)
    kept = make.files.parent / 'pki'
    kept.mkdir(exist_ok=True)
    for name in ('root.pem', 'ca.pem', 'root.crl', 'ca.crl'):
        shutil.copy(pathlib.Path(pki, name), kept / name)


if __name__ == '__main__':
    main(*sys.argv[1:5])
