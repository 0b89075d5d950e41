"""Private keys with the right structure, made from plain integers so that a seed always gives the same key."""

import base64
import hashlib
import random
import struct

SMALL = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2))]
P256 = dict(
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=-3,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    g=(
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
RSA_OID = bytes.fromhex("06092a864886f70d010101")
EC_OID = bytes.fromhex("06072a8648ce3d0201")
P256_OID = bytes.fromhex("06082a8648ce3d030107")
ED25519_OID = bytes.fromhex("06032b6570")
SHA256_RSA_OID = bytes.fromhex("06092a864886f70d01010b")
ECDSA_SHA256_OID = bytes.fromhex("06082a8648ce3d040302")


# --- numbers -------------------------------------------------------------------------------------------------------


def prime(rand, bits):
    """A probable prime: a sieve and a Fermat test are enough for a key nobody will use."""
    while True:
        start = rand.getrandbits(bits) | (3 << (bits - 2)) | 1
        rests = [start % p for p in SMALL]
        for step in range(0, 4000, 2):
            if all((rest + step) % p for rest, p in zip(rests, SMALL)):
                if pow(2, start + step - 1, start + step) == 1:
                    return start + step


POOL = []


def rsa(rand):
    """A 2048-bit key. Its primes come from a pool of sixteen: making new ones for every key would take a minute."""
    if not POOL:
        source = random.Random("accuracy bench primes")
        POOL[:] = [prime(source, 1024) for _ in range(16)]
    while True:
        p, q = rand.sample(POOL, 2)
        e = 65537
        try:
            d = pow(e, -1, (p - 1) * (q - 1))
        except ValueError:
            continue
        p, q = max(p, q), min(p, q)
        return dict(n=p * q, e=e, d=d, p=p, q=q, dp=d % (p - 1), dq=d % (q - 1), qi=pow(q, -1, p))


def point(scalar):
    """scalar * G on P-256."""
    p, a = P256["p"], P256["a"]

    def add(one, two):
        if one is None or two is None:
            return one or two
        if one[0] == two[0]:
            if (one[1] + two[1]) % p == 0:
                return None
            slope = (3 * one[0] ** 2 + a) * pow(2 * one[1], -1, p)
        else:
            slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, p)
        x = (slope * slope - one[0] - two[0]) % p
        return x, (slope * (one[0] - x) - one[1]) % p

    total, power = None, P256["g"]
    while scalar:
        if scalar & 1:
            total = add(total, power)
        power = add(power, power)
        scalar >>= 1
    return b"\x04" + total[0].to_bytes(32, "big") + total[1].to_bytes(32, "big")


def ed25519_public(seed):
    """The public half of an Ed25519 key (RFC 8032)."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    scalar = int.from_bytes(h, "little")
    by = 4 * pow(5, -1, p) % p
    bx = 0x216936D3CD6E53FEC0A4E231FDD6DC5C692CC7609525A7B2C9562D608F25D51A

    def add(one, two):
        (x1, y1), (x2, y2) = one, two
        k = d * x1 * x2 * y1 * y2
        return ((x1 * y2 + x2 * y1) * pow(1 + k, -1, p) % p, (y1 * y2 + x1 * x2) * pow(1 - k, -1, p) % p)

    total, power = (0, 1), (bx, by)
    while scalar:
        if scalar & 1:
            total = add(total, power)
        power = add(power, power)
        scalar >>= 1
    return (total[1] | (total[0] & 1) << 255).to_bytes(32, "little")


# --- DER and PEM ---------------------------------------------------------------------------------------------------


def tlv(tag, body):
    size = len(body)
    if size < 128:
        head = bytes([size])
    else:
        raw = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(raw)]) + raw
    return bytes([tag]) + head + body


def integer(value):
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*items):
    return tlv(0x30, b"".join(items))


def pem(label, raw, width=64):
    text = base64.b64encode(raw).decode()
    rows = [text[i : i + width] for i in range(0, len(text), width)]
    return "\n".join([f"-----BEGIN {label}-----", *rows, f"-----END {label}-----"]) + "\n"


def pkcs1(key):
    return sequence(integer(0), *(integer(key[name]) for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")))


def pkcs8(algorithm, raw):
    return sequence(integer(0), algorithm, tlv(4, raw))


def rsa_algorithm():
    return sequence(RSA_OID, b"\x05\x00")


def ec_algorithm():
    return sequence(EC_OID, P256_OID)


def sec1(scalar, named=True):
    inner = [integer(1), tlv(4, scalar.to_bytes(32, "big"))]
    if named:
        inner.append(tlv(0xA0, P256_OID))
    return sequence(*inner, tlv(0xA1, tlv(3, b"\x00" + point(scalar))))


def dsa(rand):
    p, q = rand.getrandbits(2048) | 1 << 2047 | 1, rand.getrandbits(256) | 1 << 255 | 1
    g = rand.getrandbits(2040) | 1 << 2039
    x = rand.getrandbits(250) | 1 << 249
    return sequence(*(integer(v) for v in (0, p, q, g, pow(g, x, p), x)))


def encrypted_pkcs8(rand):
    """An EncryptedPrivateKeyInfo: PBES2, PBKDF2, AES-256-CBC."""
    pbkdf2 = sequence(
        bytes.fromhex("06092a864886f70d01050c"),
        sequence(tlv(4, rand.randbytes(16)), integer(600_000), sequence(bytes.fromhex("06082a864886f70d0209"), b"\x05\x00")),
    )
    cipher = sequence(bytes.fromhex("060960864801650304012a"), tlv(4, rand.randbytes(16)))
    algorithm = sequence(bytes.fromhex("06092a864886f70d01050d"), sequence(pbkdf2, cipher))
    return sequence(algorithm, tlv(4, rand.randbytes(1232)))


def certificate(rand, subject, public, algorithm, uri=None):
    """An X.509 certificate whose signature is random: public by nature."""
    name = sequence(tlv(0x31, sequence(bytes.fromhex("0603550403"), tlv(0x0C, subject.encode()))))
    parts = [
        tlv(0xA0, integer(2)),
        integer(rand.getrandbits(120) | 1),
        sequence(ECDSA_SHA256_OID),
        name,
        sequence(tlv(0x17, b"260101000000Z"), tlv(0x17, b"280101000000Z")),
        name,
        sequence(algorithm, tlv(3, b"\x00" + public)),
    ]
    if uri:
        san = sequence(tlv(0x86, uri.encode()))
        parts.append(tlv(0xA3, sequence(sequence(bytes.fromhex("0603551d11"), tlv(4, san)))))
    return sequence(sequence(*parts), sequence(ECDSA_SHA256_OID), tlv(3, b"\x00" + rand.randbytes(70)))


# --- OpenSSH and PGP -----------------------------------------------------------------------------------------------


def packed(*fields):
    return b"".join(struct.pack(">I", len(field)) + field for field in fields)


def mpint(value):
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def openssh(rand, comment, key=None, cipher=b"none"):
    """An openssh-key-v1 file: Ed25519, or RSA when a key is given."""
    if key is None:
        seed = rand.randbytes(32)
        public_key = ed25519_public(seed)
        public = packed(b"ssh-ed25519", public_key)
        private = packed(b"ssh-ed25519", public_key, seed + public_key)
    else:
        public = packed(b"ssh-rsa", mpint(key["e"]), mpint(key["n"]))
        private = packed(b"ssh-rsa", *(mpint(key[name]) for name in ("n", "e", "d", "qi", "p", "q")))
    check = rand.randbytes(4)
    inner = check + check + private + packed(comment.encode())
    inner += bytes(range(1, -len(inner) % 8 + 1))
    if cipher == b"none":
        options = packed(b"none", b"none", b"")
    else:
        options = packed(cipher, b"bcrypt", packed(rand.randbytes(16)) + struct.pack(">I", 16))
        inner = rand.randbytes(len(inner) + -len(inner) % 16)
    raw = b"openssh-key-v1\0" + options + struct.pack(">I", 1) + packed(public, inner)
    return pem("OPENSSH PRIVATE KEY", raw, 70)


def crc24(data):
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF


def bit_counted(value):
    return struct.pack(">H", value.bit_length()) + value.to_bytes((value.bit_length() + 7) // 8, "big")


def pgp(rand, label, key):
    """An armoured PGP block: one version 4 RSA key packet, a user id, and the right CRC-24."""
    body = b"\x04" + struct.pack(">I", 1_700_000_000) + b"\x01" + bit_counted(key["n"]) + bit_counted(key["e"])
    tag = 0x99
    if label.startswith("PRIVATE"):
        tag = 0x95
        secret = b"".join(bit_counted(key[name]) for name in ("d", "q", "p", "qi"))
        body += b"\x00" + secret + struct.pack(">H", sum(secret) & 0xFFFF)
    user = b"Release Signing <release@acme-corp.io>"
    data = bytes([tag]) + struct.pack(">H", len(body)) + body + bytes([0xB4, len(user)]) + user
    text = base64.b64encode(data).decode()
    rows = [text[i : i + 64] for i in range(0, len(text), 64)]
    check = base64.b64encode(crc24(data).to_bytes(3, "big")).decode()
    return "\n".join([f"-----BEGIN PGP {label}-----", "", *rows, "=" + check, f"-----END PGP {label}-----"]) + "\n"
