"""Ways a value gets wrapped before it is written down, and back."""

import base64
import binascii
import html
import json
import re
from urllib.parse import unquote

# What a plant may be wrapped in, by class: (encoding, share). The rest is plain.
SHARES = {
    "prefixed": [
        ("base64", 0.07),
        ("base64url", 0.015),
        ("base64x2", 0.01),
        ("hex", 0.02),
        ("percent", 0.02),
        ("json", 0.02),
        ("split", 0.045),
    ],
    "unprefixed": [("base64", 0.07), ("split", 0.03)],
    "generic": [("base64", 0.07), ("split", 0.015)],
}


def choose(rand, kind):
    if not kind.encodings or kind.multiline or (kind.only and not set(kind.only) & {"env"}):
        return "plain"
    at = rand.random()
    for name, share in SHARES[kind.cls]:
        at -= share
        if at < 0:
            return name
    return "plain"


def encode(name, value):
    if name == "base64":
        return base64.b64encode(value.encode()).decode()
    if name == "base64x2":
        return encode("base64", encode("base64", value))
    if name == "base64url":
        return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")
    if name == "hex":
        return value.encode().hex()
    if name == "percent":
        return re.sub(r"[^A-Za-z0-9]", lambda m: "%%%02X" % ord(m[0]), value)
    if name == "json":
        return re.sub(r"[^A-Za-z0-9]", lambda m: "\\u%04x" % ord(m[0]), value)
    return value


def fits(name, value):
    """Whether the wrapping changes the value at all."""
    return name in ("plain", "split") or encode(name, value) != value


def readings(text):
    """Everything the written text may stand for; used to check the truth file."""
    seen = [text]
    for change in (
        html.unescape,
        unquote,
        lambda t: json.loads('"' + t.replace('"', "") + '"'),
        lambda t: t.replace("\\n", "\n"),
        lambda t: t.replace("\\/", "/"),
        bytes.fromhex,
        lambda t: base64.b64decode(t, validate=True),
        lambda t: base64.b64decode(base64.b64decode(t, validate=True), validate=True),
        lambda t: base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)),
        lambda t: base64.b64decode(re.sub(r"\s", "", t), validate=True),
        joined,
        lambda t: re.sub(r"(?m)^[ \t]+", "", t),
        lambda t: re.sub(r"(?m)^[ \t]*(?:\"|')?|\\n.*$", "", t),
    ):
        try:
            out = change(text)
            seen.append(out.decode() if isinstance(out, bytes) else out)
        except (ValueError, binascii.Error, UnicodeDecodeError):
            continue
    return seen


def joined(text):
    """A string split over several literals, lines or concatenations, put together again."""
    text = re.sub(r"""["']\s*(?:\+|\.|<>|\\|&|,)?\s*(?:\\?\n\s*)?(?:\+|\.|&)?\s*["']""", "", text)
    return re.sub(r"\\\n\s*", "", text)
