"""usage: pyhanko_prepare.py FILE COUNT OUTPUT: signs the file COUNT times with pyHanko, with a fixed signature value.

Level B-B: nothing signs and nobody is asked, what is left is reading, writing, hashing and the CMS.
"""

import asyncio
import pathlib
import sys

from cryptography import x509 as cx509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from asn1crypto import algos, x509
from datetime import datetime, timedelta, timezone
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.pdf_cms import ExternalSigner


def make_certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = cx509.Name([cx509.NameAttribute(cx509.oid.NameOID.COMMON_NAME, "Bench")])
    now = datetime.now(timezone.utc)
    builder = cx509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return x509.Certificate.load(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))


async def main() -> None:
    file, count, output = sys.argv[1:]
    signer = ExternalSigner(
        signing_cert=make_certificate(),
        cert_registry=None,
        signature_value=bytes(72),
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )
    metadata = PdfSignatureMetadata(field_name="Seal", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    for _ in range(int(count)):
        with open(file, "rb") as source, open(output, "w+b") as target:
            pdf_signer = PdfSigner(metadata, signer=signer)
            await pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(source), output=target, bytes_reserved=16384)


asyncio.run(main())
