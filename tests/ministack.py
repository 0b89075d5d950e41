"""Starts ministack with AWS-shaped keys.

ministack makes ids of `AKIA` + 16 hex digits and secrets of 40 lower-case hex digits. AWS makes ids whose 16 characters
are base32 and hold the account, secrets of 40 base64 characters, and session tokens of hundreds; a detector is right to
pass over the former.
So the key generators are replaced, and nothing else: what is accepted, refused and recorded stays ministack's own.

One thing more than the generators: in 1.5.33 CreateAccessKey writes its secret inline instead of calling `_gen_secret`.
Its handler is wrapped so that the new key's secret, in the record and in the answer, is one from `_gen_secret`.
"""

import base64
import math
import secrets
import string
from collections import Counter

from ministack.app import main
from ministack.services import iam, sts

BASE64 = string.ascii_letters + string.digits + "+/"
# Scanners ask for about 4.25 bits a character; 40 random base64 characters have about 4.7, rarely less.
ENOUGH_BITS = 4.3


def key_id(prefix):
    """`prefix` + 80 bits in base32: a set bit, the caller's account in 40 bits, 39 random bits."""
    bits = 1 << 79 | int(iam.get_account_id()) << 39 | secrets.randbits(39)
    return prefix + base64.b32encode(bits.to_bytes(10, "big")).decode()


def entropy(text):
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def secret():
    while True:
        text = "".join(secrets.choice(BASE64) for _ in range(40))
        if entropy(text) >= ENOUGH_BITS:
            return text


def session_token():
    """The head that AWS's have, joined here so that no file holds a token, and 400 characters of base64."""
    return "IQoJb3Jp" + "Z2luX2Vj" + "".join(secrets.choice(BASE64) for _ in range(400))


def wrapped(create):
    """CreateAccessKey as it is, with a secret from `secret()` in place of its inline one."""

    def create_access_key(params):
        before = set(iam._access_keys)
        status, headers, body = create(params)
        for new in set(iam._access_keys) - before:
            record = iam._access_keys[new]
            mine = secret()
            body = body.replace(record["SecretAccessKey"].encode(), mine.encode())
            record["SecretAccessKey"] = mine
        return status, headers, body

    return create_access_key


# sts took two of the names by import. A name that is gone in a later version must stop the start, not pass.
for module, name, make in (
    (iam, "_gen_access_key_id", lambda: key_id("AKIA")),
    (iam, "_gen_session_access_key", lambda: key_id("ASIA")),
    (iam, "_gen_secret", secret),
    (sts, "_gen_session_access_key", lambda: key_id("ASIA")),
    (sts, "_gen_secret", secret),
    (sts, "_gen_session_token", session_token),
):
    getattr(module, name)
    setattr(module, name, make)
iam._IAM_HANDLERS["CreateAccessKey"] = wrapped(iam._IAM_HANDLERS["CreateAccessKey"])

if __name__ == "__main__":
    main()
