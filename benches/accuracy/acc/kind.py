"""What a kind of credential is, and the register of all of them.

A kind says how its value is made, what people call the variable that holds it, and where it is sent. Nothing in here knows
about files: acc/files decides how a value is written down.
"""

import base64
import dataclasses
import json
import typing

from .rand import Rand


@dataclasses.dataclass(frozen=True)
class Part:
    role: str
    make: typing.Any  # a pattern, or make(rand, values so far)
    names: tuple  # UPPER_SNAKE names people use
    truth: bool = True  # False: stands beside the credential and is none (a tenant id, a host)

    def value(self, rand, so_far):
        if callable(self.make):
            return self.make(rand, so_far)
        pattern = rand.choice(self.make) if isinstance(self.make, (list, tuple)) else self.make
        return rand.fill(pattern)


@dataclasses.dataclass(frozen=True)
class Kind:
    id: str
    cls: str  # prefixed, unprefixed, generic
    group: str  # cloud, llm, workload
    parts: tuple
    url: str = ""  # where it is sent
    auth: str = "bearer"  # bearer, token, header:NAME, basic:USER, query:NAME, or "" for none of these
    need: bool = False  # the vendor must be named close by
    vendor: str = ""  # the word people use in code
    only: tuple = ()  # the only formats it is found in (names of acc/files)
    avoid: tuple = ()  # formats it is never found in
    multiline: bool = False
    neutral: bool = False  # planted, but neither right nor wrong to report
    encodings: bool = True  # may it be planted encoded?
    share: float = 1.0  # of --size


KINDS: list[Kind] = []
TAKEN: set[str] = set()
CLASSES = {"P": "prefixed", "U": "unprefixed", "G": "generic"}


def add(kind):
    assert kind.id not in TAKEN, kind.id
    TAKEN.add(kind.id)
    KINDS.append(kind)


def one(name, what, make, names, url="", auth="bearer", **more):
    """A kind with one part. `what` is like "P llm": class and group."""
    several(name, what, [("key", make, names)], url, auth, **more)


def several(name, what, parts, url="", auth="bearer", **more):
    """A kind with several parts. A role that ends with ? stands beside the credential and is none itself."""
    letter, group = what.split()
    made = tuple(Part(role.rstrip("?"), make, tuple(names.split()), not role.endswith("?")) for role, make, names in parts)
    more.setdefault("vendor", name.split(".")[0])
    more.setdefault("need", letter == "U")
    for field in ("only", "avoid"):
        more[field] = tuple(more.get(field, "").split())
    add(Kind(name, CLASSES[letter], group, made, url, auth, **more))


# --- pieces that several kinds share ---------------------------------------------------------------------------------


def b64(raw, strip=False, url=False):
    raw = raw.encode() if isinstance(raw, str) else raw
    text = (base64.urlsafe_b64encode if url else base64.b64encode)(raw).decode()
    return text.rstrip("=") if strip else text


def b64url(raw):
    return b64(raw, True, True)


def jwt(rand, claims, header=None, signature=32):
    head = {"alg": "HS256", "typ": "JWT"} if header is None else header
    pieces = [json.dumps(piece, separators=(",", ":")) for piece in (head, claims)]
    return ".".join([b64url(piece) for piece in pieces] + [b64url(rand.randbytes(signature))])


def rs256(rand, claims):
    return jwt(rand, claims, {"alg": "RS256", "kid": rand.text("url", 43)}, 256)


def random_b64(length):
    """Base64 of that many random bytes, as a part's maker."""
    return lambda rand, _: b64(rand.randbytes(length))


def load() -> list[Kind]:
    from . import kinds  # noqa: F401  (fills the register)

    return KINDS


__all__ = ["Kind", "Part", "KINDS", "Rand", "one", "several", "b64", "b64url", "jwt", "rs256", "random_b64", "load", "add"]
