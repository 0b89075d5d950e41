"""The register of formats, and what writers share.

A writer is `write(rand, slots) -> (path, text)`. The text holds marks (acc/mark.py). Formats that only some kinds may use are
named in the kind's `only`; all others are open to every kind that fits.
"""

import dataclasses
import typing

from .. import prose
from ..decoys import inline
from ..mark import mark


@dataclasses.dataclass
class Format:
    name: str
    write: typing.Callable
    weight: float  # how often it is chosen; 0: only when a kind asks for it
    most: int  # plants in one file
    encodings: frozenset  # what it can carry
    words: bool  # whether names or sections carry the vendor (else only prefixed values)


FORMATS: dict[str, Format] = {}


def fmt(name, weight=1.0, most=3, encodings="plain", words=True):
    def register(write):
        FORMATS[name] = Format(name, write, weight, most, frozenset(encodings.split()), words)
        return write

    return register


@dataclasses.dataclass
class Row:
    """A setting: words of its name, the text of its value, and the words of its section, if any."""

    words: list
    text: str
    exact: str = ""
    section: str = ""
    slot: object = None


def around(rand, low=2, high=5, decoys=0.45):
    """Some ordinary settings, and some that only look secret."""
    rows = []
    for _ in range(rand.randint(low, high)):
        if rand.chance(decoys):
            words, value, kind = inline.setting(rand)
            rows.append(Row(list(words), mark("d:" + kind, value)))
        else:
            words, value = prose.setting(rand)
            rows.append(Row(words, value))
    return rows


def unique(rows):
    """A file names a setting once."""
    seen, out = set(), []
    for row in rows:
        key = (row.section, tuple(row.words))
        while key in seen:
            row.words = [*row.words, str(len(seen) % 90 + 2)]
            row.exact = ""
            key = (row.section, tuple(row.words))
        seen.add(key)
        out.append(row)
    return out


def groups(rand, slots, low=2, high=5, decoys=0.45):
    """Rows in groups: filler, then a plant, then filler, so that two plants do not lend each other their names."""
    out = [around(rand, low, high, decoys)]
    for slot in slots:
        rows = []
        if slot.near:
            rows.append(near_row(rand, slot))
        rows += [Row(list(p.words), p.text, p.exact, "", slot) for p in slot.pieces]
        if slot.near and rand.chance(0.3) and len(rows) > 1:
            rows.append(rows.pop(0))
        out.append(rows)
        out.append(around(rand, low, high, decoys))
    return out


def near_row(rand, slot):
    name = rand.choice([["api", "base", "url"], ["base", "url"], ["endpoint"], ["api", "url"], ["api", "host"]])
    return Row(list(name), slot.kind.url if name[-1] != "host" else host(slot))


def host(slot):
    return slot.kind.url.split("://")[-1].split("/")[0]


def header_of(slot):
    """(name, prefix) of the header that carries the value, or None."""
    auth = slot.kind.auth
    if auth == "bearer":
        return "Authorization", "Bearer "
    if auth == "token":
        return "Authorization", "Token "
    if auth.startswith("header:"):
        name = auth[7:]
        if name == "Authorization":
            return name, {
                "discord": "Bot ",
                "okta": "SSWS ",
                "fal": "Key ",
                "clarifai": "Key ",
                "baseten": "Api-Key ",
                "dynatrace": "Api-Token ",
                "splunk": "Splunk ",
                "yandex": "Api-Key ",
                "shippo": "ShippoToken ",
            }.get(slot.kind.id.split(".")[0], "")
        return name, "Bearer " if name == "Helicone-Auth" else ""
    return None


def in_query(slot):
    """The parameter that carries the value in a URL, or None."""
    return slot.kind.auth[6:] if slot.kind.auth.startswith("query:") else None


def vendor_word(slot):
    """The word a section or a class is named with; things of no vendor get an ordinary noun."""
    if slot.kind.cls == "generic":
        return prose.NOUNS[len(slot.id) % len(prose.NOUNS)]
    return "_".join(slot.vendor)


def folder(rand):
    """A place in a repository."""
    return rand.choice(["services", "apps", "packages", "projects", "src", "backend", "platform"]) + "/" + prose.project(rand)
