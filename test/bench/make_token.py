"""Makes a throw-away SoftHSM token with a P-256 key and a certificate, for the comparison of bench:seal.

usage: make_token.py MODULE DIRECTORY   (SOFTHSM2_CONF names the token folder; DIRECTORY gets pin and certificate.pem)

The certificate is self-signed: it is only there so that others have something to seal with. Their CMS is a little
smaller for it than ours, which carries the issuing CA's certificate too.
"""

import datetime
import pathlib
import subprocess
import sys

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

module, directory = sys.argv[1], pathlib.Path(sys.argv[2])
pin = (directory / "pin").read_text().strip()

key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench DEVELOPMENT")])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = (
    x509.CertificateBuilder()
    .subject_name(name)
    .issuer_name(name)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=30))
    .add_extension(
        x509.KeyUsage(False, True, False, False, False, False, False, False, False), critical=True
    )
    .sign(key, hashes.SHA256())
)
(directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
der = certificate.public_bytes(serialization.Encoding.DER)

key_file = directory / "key.pem"
key_file.write_bytes(
    key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
)
run = lambda *arguments: subprocess.run(["softhsm2-util", *arguments], check=True, stdout=subprocess.DEVNULL)
run("--init-token", "--free", "--label", "bench", "--so-pin", pin, "--pin", pin)
run("--import", str(key_file), "--token", "bench", "--label", "bench", "--id", "01", "--pin", pin)
key_file.unlink()

# SunPKCS11 only shows keys whose certificate lies in the token under the same id.
with pkcs11.lib(module).get_token(token_label="bench").open(rw=True, user_pin=pin) as session:
    session.create_object(
        {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
            pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
            pkcs11.Attribute.TOKEN: True,
            pkcs11.Attribute.LABEL: "bench",
            pkcs11.Attribute.ID: b"\x01",
            pkcs11.Attribute.SUBJECT: certificate.subject.public_bytes(),
            pkcs11.Attribute.ISSUER: certificate.issuer.public_bytes(),
            pkcs11.Attribute.VALUE: der,
        }
    )
