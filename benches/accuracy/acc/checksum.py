"""Checksums and self-describing structures that real tokens carry. Each was read from public documentation or source."""

import base64
import hashlib
import zlib

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def in_base(number, digits, width):
    out = ""
    while number:
        number, rest = divmod(number, len(digits))
        out = digits[rest] + out
    return out.rjust(width, digits[0])


def crc_base62(body):
    """GitHub and npm: CRC32 of the body without its prefix, six base62 digits."""
    return in_base(zlib.crc32(body.encode()), BASE62, 6)


def crc_base36(before):
    """GitLab routable tokens: CRC32 of everything before it, seven base36 digits."""
    return in_base(zlib.crc32(before.encode()), BASE36, 7)


def sha_base32(before):
    """GitHub fine-grained tokens: the first eight base32 letters of the SHA-256 of everything before."""
    return base64.b32encode(hashlib.sha256(before.encode()).digest()).decode()[:8]


def crc_hex_little_endian(before):
    """Grafana service accounts: CRC32 of everything before the last underscore, little endian, hex."""
    return zlib.crc32(before.encode()).to_bytes(4, "little").hex()


def aws_id(rand, prefix, account=None):
    """An AWS access key id that says its account: base32 of (1, account, 7 random bits, 4 random bytes)."""
    if account is None:
        account = rand.randrange(100_000_000_000, 999_999_999_999)
    head = (1 << 47) | (account << 7) | rand.getrandbits(7)
    return prefix + base64.b32encode(head.to_bytes(6, "big") + rand.randbytes(4)).decode()


def bech32(human, payload):
    """BIP 173, as age uses it for its secret keys (upper case is the caller's)."""
    bits = int.from_bytes(payload, "big")
    length = (len(payload) * 8 + 4) // 5
    bits <<= length * 5 - len(payload) * 8
    words = [(bits >> (5 * (length - 1 - i))) & 31 for i in range(length)]

    def polymod(values):
        check = 1
        for value in values:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= generator if (top >> i) & 1 else 0
        return check

    expanded = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    mod = polymod(expanded + words + [0] * 6) ^ 1
    words += [(mod >> 5 * (5 - i)) & 31 for i in range(6)]
    return human + "1" + "".join(BECH32[w] for w in words)


def marvin32(data, seed):
    """Microsoft's Marvin hash folded to 32 bits; guards Azure's identifiable keys."""
    mask = 0xFFFFFFFF
    low, high = seed & mask, seed >> 32

    def turn(value, by):
        return ((value << by) | (value >> (32 - by))) & mask

    def block(low, high):
        high ^= low
        low = (turn(low, 20) + high) & mask
        high = turn(high, 9) ^ low
        low = (turn(low, 27) + high) & mask
        return low, turn(high, 19)

    whole = len(data) // 4 * 4
    for at in range(0, whole, 4):
        low = (low + int.from_bytes(data[at : at + 4], "little")) & mask
        low, high = block(low, high)
    rest = data[whole:]
    low = (low + (int.from_bytes(rest, "little") | 0x80 << (8 * len(rest)))) & mask
    low, high = block(low, high)
    low, high = block(low, high)
    return (low ^ high).to_bytes(4, "little")


def seed_of(name):
    """Azure seeds are eight letters read as a number, such as `Default0`."""
    return int.from_bytes(name.encode(), "big")


def azure_identifiable(rand, length, signature, seed_name, url_safe=False):
    """An Azure key of `length` bytes with its signature in base64 and a Marvin checksum in the last four bytes."""
    alphabet = b"-_" if url_safe else b"+/"
    pad = -length % 3
    chars = list(base64.b64encode(rand.randbytes(length), alphabet).decode())
    end = len(chars) - pad
    chars[end - 10 : end - 6] = signature
    chars[end - 6] = "A"  # the bits between signature and checksum are zero
    raw = base64.b64decode("".join(chars), alphabet)
    raw = raw[:-4] + marvin32(raw[:-4], seed_of(seed_name))
    return base64.b64encode(raw, alphabet).decode()


def azure_cask(rand, provider_data, signature):
    """Azure's common annotated key, 84 characters: random, JQQJ99, date, reserved, signature, three bytes of checksum."""
    while True:
        body = (
            rand.text("an", 52)
            + "JQQJ"
            + "99"
            + rand.choice("ABCDEFGH")
            + rand.choice("ABCDEFGHIJKL")
            + "AC"
            + rand.text("an", 5)
            + "XJ3w3"
            + provider_data
            + signature
        )
        tail = base64.b64encode(marvin32(base64.b64decode(body), seed_of("Default0"))[:3]).decode()
        if tail.isalnum():
            return body + tail
