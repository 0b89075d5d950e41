"""A plant on its way into a file: its values, the names it goes by there, and how it is wrapped."""

import dataclasses
import json

from . import encode, names
from .mark import mark
from .rand import stream


@dataclasses.dataclass
class Piece:
    role: str
    words: list  # of the variable's name
    exact: str  # the name as the vendor writes it
    value: str  # what is secret
    text: str  # what is written, with its mark
    truth: bool


@dataclasses.dataclass
class Slot:
    id: str
    kind: object
    pieces: list
    near: bool  # the vendor must be named by host, section or constructor, not by the variable
    encoding: str
    format: str = ""
    note: str = ""  # how it was written, for the truth file
    envelope: str = ""  # what was encoded, when more than the value

    @property
    def main(self):
        """The piece that matters most: the last."""
        return self.pieces[-1]

    @property
    def vendor(self):
        return self.kind.vendor.split("_")

    def wrap(self, text, index=-1):
        """Marks a text this plant's writer made itself (an encoded or split form of the piece's value)."""
        piece = self.pieces[index]
        place = self.pieces.index(piece)
        return mark(f"{self.id}.{place}", text) if piece.truth else mark("d:id-beside", text)


def drop_vendor(words, vendor):
    rest = [w for w in words if w not in vendor]
    return rest or words


def make(kind, number, seed):
    """The `number`th plant of a kind, wholly determined by the seed."""
    rand = stream(seed, "plant", kind.id, number)
    values = {}
    for part in kind.parts:
        values[part.role] = part.value(rand, values)
    encoding = encode.choose(rand, kind)
    main = kind.parts[-1]
    if not encode.fits(encoding, values[main.role]):
        encoding = "plain"
    if len(kind.parts) > 1 and encoding not in ("plain", "split"):
        encoding = "base64" if encoding == "base64" else "plain"
    near = bool(kind.need and kind.url and rand.chance(0.35) and encoding == "plain")
    neutral = near or (kind.cls == "prefixed" and not kind.need and rand.chance(0.35))
    slot = Slot(f"p{kind.id}#{number}", kind, [], near, encoding)
    extra = names.dressed(rand, ["x"])
    for place, part in enumerate(kind.parts):
        exact = rand.choice(part.names) if part.names else ""
        w = names.words(exact) if exact else [part.role]
        if neutral:
            if len(kind.parts) == 1:
                w = rand.choice(names.SECRETIVE if near else names.NEUTRAL).split("_")
            else:
                w = drop_vendor(w, slot.vendor)
            exact = names.upper(w)
        elif kind.cls != "generic" and extra != ["x"]:
            at = extra.index("x")
            w = extra[:at] + w + extra[at + 1 :]
        value = values[part.role]
        text = (
            value
            if encoding in ("plain", "split") or (len(kind.parts) > 1 and not part.truth)
            else encode.encode(encoding, value)
        )
        name = f"{slot.id}.{place}" if part.truth else "d:id-beside"
        slot.pieces.append(Piece(part.role, w, exact, value, mark(name, text), part.truth))
    return slot


def json_text(text):
    """Escapes for a JSON string; marks pass through."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
