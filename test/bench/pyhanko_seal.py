"""Seals one PDF again and again with pyHanko, PAdES B-T, with a key in a PKCS#11 token; for bench:seal.

usage: pyhanko_seal.py MODULE DIRECTORY TSA_URL FILE COUNT OUTPUT   (DIRECTORY as made by make_token.py)

The session with the token and the objects of pyHanko are made once, as a careful user would; each file is read anew.
OUTPUT receives the last sealed file.
"""

import asyncio
import io
import pathlib
import sys

from asn1crypto import pem, x509
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session
from pyhanko.sign.timestamps import HTTPTimeStamper


async def main() -> None:
    module, directory, tsa_url, file, count, output = sys.argv[1:]
    folder = pathlib.Path(directory)
    data = pathlib.Path(file).read_bytes()
    certificate = x509.Certificate.load(pem.unarmor((folder / "certificate.pem").read_bytes())[2])
    pin = (folder / "pin").read_text().strip()
    session = open_pkcs11_session(module, token_criteria=TokenCriteria(label="bench"), user_pin=pin)
    signer = PKCS11Signer(session, signing_cert=certificate, key_label="bench", use_raw_mechanism=True)
    metadata = PdfSignatureMetadata(field_name="Seal", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    # One for all documents: it asks for one token more at first, to know how large they are.
    timestamper = HTTPTimeStamper(tsa_url)
    sealed = io.BytesIO()
    for _ in range(int(count)):
        pdf_signer = PdfSigner(metadata, signer=signer, timestamper=timestamper)
        sealed = await pdf_signer.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(data)))
    pathlib.Path(output).write_bytes(sealed.getbuffer())


asyncio.run(main())
