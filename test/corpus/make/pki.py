"""Makes the throw-away PKI of the files that were 'signed before': root, CA, signers, time-stamp authority, CRLs.

    python pki.py DIRECTORY

The private keys stay in DIRECTORY, which is never committed; the root and the CRLs are copied to the corpus (pki/), so
that validators can be given them. Validity is fixed and long, so that the verdicts don't change with the calendar.
"""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BEGIN = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
END = datetime.datetime(2049, 12, 31, tzinfo=datetime.timezone.utc)
USAGES = ('digital_signature content_commitment key_encipherment data_encipherment key_agreement key_cert_sign crl_sign '
          'encipher_only decipher_only').split()


def certify(name, key, issuer, usage, ca=False, extended=None):
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Corpus of earlier signatures'),
                         x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer_name, issuer_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer_name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(BEGIN).not_valid_after(END)
               .add_extension(x509.BasicConstraints(ca, None), critical=True)
               .add_extension(x509.KeyUsage(**{u: u in usage for u in USAGES}), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False))
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def main(directory):
    out = pathlib.Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    ca_usage, signer_usage = ('key_cert_sign', 'crl_sign'), ('digital_signature', 'content_commitment')
    root_key, ca_key, ec_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    rsa_key, tsa_key = (rsa.generate_private_key(65537, 3072) for _ in range(2))
    root = certify('Corpus Root', root_key, None, ca_usage, ca=True)
    ca = certify('Corpus CA', ca_key, (root, root_key), ca_usage, ca=True)
    issued = {
        'signer': (certify('Corpus Signer', ec_key, (ca, ca_key), signer_usage), ec_key),
        'signer-rsa': (certify('Corpus Signer RSA', rsa_key, (ca, ca_key), signer_usage), rsa_key),
        'tsa': (certify('Corpus TSA', tsa_key, (ca, ca_key), ('digital_signature',), extended=ExtendedKeyUsageOID.TIME_STAMPING), tsa_key),
    }
    for name, (certificate, key) in issued.items():
        out.joinpath(f'{name}.p12').write_bytes(pkcs12.serialize_key_and_certificates(
            name.encode(), key, certificate, [ca, root], serialization.BestAvailableEncryption(b'corpus')))
        out.joinpath(f'{name}.pem').write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    for name, certificate, key in (('root', root, root_key), ('ca', ca, ca_key)):
        out.joinpath(f'{name}.pem').write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        crl = (x509.CertificateRevocationListBuilder().issuer_name(certificate.subject).last_update(BEGIN + datetime.timedelta(days=1))
               .next_update(END).add_extension(x509.CRLNumber(1), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
               .sign(key, hashes.SHA256()))
        out.joinpath(f'{name}.crl').write_bytes(crl.public_bytes(serialization.Encoding.DER))


if __name__ == '__main__':
    main(sys.argv[1])
