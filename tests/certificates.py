"""Makes an authority and a certificate of 127.0.0.1 and localhost that it signed, for a day: FOLDER/{ca.pem,tls.pem,tls.key}."""

import datetime
import ipaddress
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

folder = pathlib.Path(sys.argv[1])
now = datetime.datetime.now(datetime.timezone.utc)


def certificate(name, key, issuer, signer, extensions):
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
ca = certificate(named("staunch tests"), authority, named("staunch tests"), authority, [(x509.BasicConstraints(True, 0), True)])
leaf = [
    (x509.BasicConstraints(False, None), True),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
    (names, False),
]
pem = serialization.Encoding.PEM
(folder / "ca.pem").write_bytes(ca.public_bytes(pem))
(folder / "tls.pem").write_bytes(certificate(named("localhost"), own, named("staunch tests"), authority, leaf).public_bytes(pem))
(folder / "tls.key").write_bytes(
    own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
)
(folder / "tls.key").chmod(0o600)
