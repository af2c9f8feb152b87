"""Makes a private PKI and PDF files for testing the judges themselves: none of it comes from the product.

    python make_samples.py DIRECTORY

Writes root.pem, other-root.pem, crls.pem, crls-revoked.pem, crls-without-tsa.pem and the *.pdf files of `samples()`.
Everything is dated relative to now, so the folder is made anew for each test run and never kept.
"""

import asyncio
import datetime
import pathlib
import sys
from io import BytesIO
from types import SimpleNamespace

from asn1crypto import cms, crl as asn1_crl, keys as asn1_keys, pem as asn1_pem, x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers, timestamps
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
KEY_USAGES = ('digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign '
              'crl_sign encipher_only decipher_only').split()


def make_key(kind):
    if kind.startswith('rsa'):
        return rsa.generate_private_key(65537, int(kind.rsplit('-', 1)[1]))
    return ec.generate_private_key(ec.SECP384R1() if kind == 'p384' else ec.SECP256R1())


def make_certificate(name, key, issuer=None, usage=(), extended=None, ca=False, revocable=True):
    """issuer: an entity made by make_entity, or None for a self-signed root."""
    subject = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, 'XX'),
                         x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Judges'),
                         x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_key = issuer.key if issuer else key
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.cert.subject if issuer else subject)
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(NOW - 2 * DAY).not_valid_after(NOW + 300 * DAY)
               .add_extension(x509.BasicConstraints(ca, None), critical=True)
               .add_extension(x509.KeyUsage(**{u: u in usage for u in KEY_USAGES}), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=True)
    if issuer and revocable:
        # Never fetched: no judge may go online. An address in the block that RFC 5737 keeps for documentation.
        builder = builder.add_extension(x509.CRLDistributionPoints([x509.DistributionPoint(
            [x509.UniformResourceIdentifier(f'http://192.0.2.1/{issuer.name}.crl')], None, None, None)]), False)
        builder = builder.add_extension(x509.AuthorityInformationAccess([x509.AccessDescription(
            x509.oid.AuthorityInformationAccessOID.CA_ISSUERS,
            x509.UniformResourceIdentifier(f'http://192.0.2.1/{issuer.name}.cer'))]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def make_entity(name, kind, issuer=None, **options):
    key = make_key(kind)
    cert = make_certificate(name, key, issuer, **options)
    der = cert.public_bytes(serialization.Encoding.DER)
    private = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    return SimpleNamespace(name=name, kind=kind, key=key, cert=cert, der=der, issuer=issuer,
                           asn1=asn1_x509.Certificate.load(der), asn1_key=asn1_keys.PrivateKeyInfo.load(private))


def make_crl(issuer, revoked=()):
    builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer.cert.subject)
               .last_update(NOW - datetime.timedelta(hours=1)).next_update(NOW + 30 * DAY)
               .add_extension(x509.CRLNumber(1), False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False))
    for entity in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(entity.cert.serial_number)
            .revocation_date(NOW - datetime.timedelta(hours=2)).build())
    return builder.sign(issuer.key, hashes.SHA256())


def make_pki(prefix=''):
    ca = dict(usage=('key_cert_sign', 'crl_sign'), ca=True)
    root = make_entity(prefix + 'root', 'p256', **ca)
    issuing = make_entity(prefix + 'issuing-ca', 'p256', root, **ca)
    tsa = make_entity(prefix + 'tsa-ca', 'p256', root, **ca)
    tsu = make_entity(prefix + 'tsu', 'rsa-3072', tsa, usage=('digital_signature',),
                      extended=ExtendedKeyUsageOID.TIME_STAMPING)
    return SimpleNamespace(root=root, issuing=issuing, tsa=tsa, tsu=tsu)


def make_leaf(pki, kind):
    return make_entity(kind, kind, pki.issuing, usage=('digital_signature', 'content_commitment'))


class TimeStamper(timestamps.DummyTimeStamper):
    """pyHanko's dummy writes the SHA-1 form of the ESS attribute; a token of today has the v2 form (RFC 5816)."""

    def _sign_tst_info(self, tst_info_data, md_algorithm, dt):
        algorithm = getattr(hashes, md_algorithm.upper())()
        attributes = cms.CMSAttributes([
            simple_cms_attribute('content_type', 'tst_info'),
            simple_cms_attribute('message_digest', hash_with(algorithm, tst_info_data)),
            simple_cms_attribute('signing_certificate_v2', as_signing_certificate_v2(self.tsa_cert, 'sha256')),
        ])
        key = serialization.load_der_private_key(self.tsa_key.dump(), password=None)
        return key.sign(attributes.dump(), padding.PKCS1v15(), algorithm), attributes

    def stamp(self, data, md_algorithm):
        digest = hash_with(getattr(hashes, md_algorithm.upper())(), data)
        return asyncio.run(self.async_timestamp(digest, md_algorithm)).dump()


def hash_with(algorithm, data):
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def make_time_stamper(pki):
    store = SimpleCertificateStore()
    store.register(pki.tsa.asn1)
    return TimeStamper(pki.tsu.asn1, pki.tsu.asn1_key, certs_to_embed=store)


def make_pdf(pdfa=None, javascript=False):
    """A one-page file with a classic xref; `pdfa` ('2', 'B') writes the claim, and with `javascript` it is a lie."""
    text = b'' if pdfa else b'0.2 0.4 0.6 rg 72 700 200 40 re f'
    xmp = ('<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
           'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
           'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>%s</pdfaid:part><pdfaid:conformance>%s'
           '</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
           % (pdfa or ('', ''))).encode()
    catalog = b'<< /Type /Catalog /Pages 2 0 R'
    if pdfa:
        catalog += b' /Metadata 5 0 R'
    if javascript:
        catalog += b' /OpenAction << /S /JavaScript /JS (app.beep\\(0\\)) >>'
    objects = [catalog + b' >>', b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
               b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 4 0 R >>',
               b'<< /Length %d >>\nstream\n%s\nendstream' % (len(text), text)]
    if pdfa:
        objects.append(b'<< /Type /Metadata /Subtype /XML /Length %d >>\nstream\n%s\nendstream' % (len(xmp), xmp))
    out, offsets = b'%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b'%d 0 obj\n%s\nendobj\n' % (number, body)
    xref = len(out)
    out += b'xref\n0 %d\n0000000000 65535 f \n' % (len(objects) + 1)
    out += b''.join(b'%010d 00000 n \n' % offset for offset in offsets)
    out += (b'trailer\n<< /Size %d /Root 1 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n'
            % (len(objects) + 1, b'ab' * 16, b'ab' * 16, xref))
    return out


def seal(data, leaf, time_stamper=None, field='Seal1', box=None, **metadata):
    store = SimpleCertificateStore()
    store.register(leaf.issuer.asn1)
    signer = signers.SimpleSigner(leaf.asn1, leaf.asn1_key, store, prefer_pss=leaf.kind.startswith('rsa-pss'))
    writer = IncrementalPdfFileWriter(BytesIO(data))
    options = dict(field_name=field, md_algorithm='sha384' if leaf.kind == 'p384' else 'sha256',
                   subfilter=fields.SigSeedSubFilter.PADES)
    options.update(metadata)
    out = BytesIO()
    signers.PdfSigner(signers.PdfSignatureMetadata(**options), signer,
                      new_field_spec=fields.SigFieldSpec(field, box=box)).sign_pdf(
        writer, output=out, bytes_reserved=16384)
    sealed = out.getvalue()
    if time_stamper is None:
        return sealed
    token = time_stamper.stamp(signer_info(sealed)['signature'].native, options['md_algorithm'])
    return replace_cms(sealed, add_unsigned_attribute(cms_of(sealed), SIGNATURE_TIME_STAMP, token))


SIGNATURE_TIME_STAMP = bytes.fromhex('060b2a864886f70d010910020e')  # 1.2.840.113549.1.9.16.2.14


def encode(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, 'big') + content


def split(der):
    """The elements side by side in `der`, as (tag, content, whole)."""
    elements, at = [], 0
    while at < len(der):
        start, tag, length = at, der[at], der[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7f
            length, at = int.from_bytes(der[at:at + size], 'big'), at + size
        elements.append((tag, der[at:at + length], der[start:at + length]))
        at += length
    return elements


def add_unsigned_attribute(der, oid, value):
    """By hand: asn1crypto encodes built values again at every level, sometimes for minutes when CMS nests in CMS."""
    def rebuild(element, depth):
        tag, content, _ = element
        if depth == 0:  # SignerInfo: ContentInfo > [0] > SignedData > SET OF SignerInfo > SignerInfo
            return encode(tag, content + encode(0xa1, encode(0x30, oid + encode(0x31, value))))
        children = split(content)
        return encode(tag, b''.join(whole for _, _, whole in children[:-1]) + rebuild(children[-1], depth - 1))
    return rebuild(split(der)[0], 4)


def cms_of(data):
    contents = bytes(PdfFileReader(BytesIO(data)).embedded_regular_signatures[-1].pkcs7_content)
    return cms.ContentInfo.load(contents, strict=False).dump()  # never touched, so these are the bytes as they stand


def replace_cms(data, der):
    signature = PdfFileReader(BytesIO(data)).embedded_regular_signatures[-1]
    _, length, second, _ = (int(n) for n in signature.byte_range)
    encoded = der.hex().encode()
    assert len(encoded) <= second - length - 2
    return data[:length + 1] + encoded.ljust(second - length - 2, b'0') + data[second - 1:]


def add_dss(data, pki, crls):
    out = BytesIO(data)
    DocumentSecurityStore.add_dss(out, None, certs=[e.asn1 for e in (pki.root, pki.issuing, pki.tsa, pki.tsu)],
                                  crls=[asn1_crl.CertificateList.load(crl) for crl in crls])
    return out.getvalue()


def add_document_time_stamp(data, time_stamper):
    out = BytesIO()
    signers.PdfTimeStamper(time_stamper, field_name='DocTimeStamp1').timestamp_pdf(
        IncrementalPdfFileWriter(BytesIO(data)), 'sha256', bytes_reserved=16384, output=out)
    return out.getvalue()


def flip_hex(data, value):
    """Changes one nibble in the middle of the only place where `value` stands in hexadecimal."""
    lower = data.lower()
    needle = value.hex().encode()
    at = lower.rindex(needle)
    assert lower.index(needle) == at
    at += len(needle) // 2
    return data[:at] + (b'1' if data[at:at + 1] != b'1' else b'2') + data[at + 1:]


def signer_info(data):
    return PdfFileReader(BytesIO(data)).embedded_regular_signatures[-1].signer_info


def time_stamp_of(info):
    attribute = next(a for a in info['unsigned_attrs'] if a['type'].native == 'signature_time_stamp_token')
    return attribute['values'][0]


def swap_time_stamp(data, time_stamper):
    """The time-stamp is of another signature, and nothing else is wrong with it."""
    without = drop_unsigned_attributes(cms_of(data))
    return replace_cms(data, add_unsigned_attribute(without, SIGNATURE_TIME_STAMP, time_stamper.stamp(b'another', 'sha256')))


def drop_unsigned_attributes(der):
    def rebuild(element, depth):
        tag, content, _ = element
        children = split(content)
        if depth == 0:
            return encode(tag, b''.join(whole for t, _, whole in children if t != 0xa1))
        return encode(tag, b''.join(whole for _, _, whole in children[:-1]) + rebuild(children[-1], depth - 1))
    return rebuild(split(der)[0], 4)


def change_page(data):
    writer = IncrementalPdfFileWriter(BytesIO(data))
    page = writer.root['/Pages']['/Kids'][0]
    page['/Contents'] = writer.add_object(StreamObject(stream_data=b'0.9 0.1 0.1 rg 72 700 200 40 re f'))
    writer.update_container(page)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def samples(pki, other, crls):
    plain, stamper = make_pdf(), make_time_stamper(pki)
    leaves = {kind: make_leaf(pki, kind) for kind in ('p256', 'p384', 'rsa-pss-3072', 'rsa-2048')}
    p256 = leaves['p256']
    for kind, leaf in leaves.items():
        yield f'good-{kind}', seal(plain, leaf, stamper)
    good = seal(plain, p256, stamper)
    yield 'good-b', seal(plain, p256)
    yield 'good-twice', seal(good, p256, stamper, field='Seal2')
    yield 'good-certified', seal(plain, p256, stamper, certify=True, docmdp_permissions=fields.MDPPerm.FILL_FORMS)
    long_term = add_dss(good, pki, crls)
    yield 'good-lt', long_term
    yield 'good-lta', add_document_time_stamp(long_term, stamper)
    foreign = seal(plain, make_leaf(other, 'p256'), make_time_stamper(other), field='Theirs')
    yield 'foreign', foreign
    yield 'good-after-foreign', seal(foreign, p256, stamper)
    yield 'pdfa-good', seal(make_pdf(('2', 'B')), p256, stamper)
    yield 'pdfa-broken', seal(make_pdf(('2', 'B'), javascript=True), p256, stamper)
    yield 'unsigned', plain

    info = signer_info(good)
    at = good.index(b'0.2 0.4')
    yield 'flipped-content', good[:at] + b'0.3' + good[at + 3:]
    yield 'flipped-signature', flip_hex(good, info['signature'].native)
    yield 'flipped-token', flip_hex(good, time_stamp_of(info)['content']['signer_infos'][0]['signature'].native)
    yield 'token-of-another', swap_time_stamp(good, stamper)
    yield 'changed-page', change_page(good)
    yield 'changed-page-lt', change_page(long_term)
    yield 'bytes-after-end', good + b'garbage after the end\n'
    yield 'adbe-subfilter', seal(plain, p256, stamper, subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED)
    yield 'only-digital-signature', seal(plain, make_entity('ds', 'p256', pki.issuing, usage=('digital_signature',)),
                                         stamper)
    yield 'truncated', good[:len(good) // 2]
    yield 'garbage', bytes((i * 167 + i // 7) % 256 for i in range(4096))
    yield 'empty', b''
    yield 'bomb', make_pdf().replace(b'/Kids [3 0 R]', b'/Kids [2 0 R]')


def write_pem(path, kind, ders):
    path.write_bytes(b''.join(asn1_pem.armor(kind, der) for der in ders))


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    pki, other = make_pki(), make_pki('other-')
    der = lambda crl: crl.public_bytes(serialization.Encoding.DER)
    crls = {entity.name: der(make_crl(entity)) for entity in (pki.root, pki.issuing, pki.tsa)}
    write_pem(directory / 'root.pem', 'CERTIFICATE', [pki.root.der])
    write_pem(directory / 'other-root.pem', 'CERTIFICATE', [other.root.der])
    write_pem(directory / 'crls.pem', 'X509 CRL', crls.values())
    write_pem(directory / 'crls-without-tsa.pem', 'X509 CRL', [crls['root'], crls['issuing-ca']])
    leaf = make_leaf(pki, 'p256')
    revoking = der(make_crl(pki.issuing, [leaf]))
    write_pem(directory / 'crls-revoked.pem', 'X509 CRL', [crls['root'], revoking, crls['tsa-ca']])
    (directory / 'revoked.pdf').write_bytes(seal(make_pdf(), leaf, make_time_stamper(pki)))
    for name, data in samples(pki, other, list(crls.values())):
        (directory / f'{name}.pdf').write_bytes(data)


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
