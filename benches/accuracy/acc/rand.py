"""Seeded randomness, and the little pattern language the kinds are written in.

A pattern is literal text with fields: `{an:20}` is twenty of the alphabet `an`, `{hex:32-40}` between 32 and 40 of `hex`,
`{uuid}` a version 4 UUID. A source file therefore never holds a prefix with a body.
"""

import random
import re
import string

LOWER = string.ascii_lowercase
UPPER = string.ascii_uppercase
DIGITS = string.digits

ALPHABETS = {
    "an": DIGITS + UPPER + LOWER,  # letters and digits
    "anu": DIGITS + UPPER + LOWER + "_",
    "url": DIGITS + UPPER + LOWER + "-_",
    "b64": DIGITS + UPPER + LOWER + "+/",
    "let": UPPER + LOWER,
    "low": LOWER,
    "lan": DIGITS + LOWER,
    "UP": UPPER,
    "UAN": DIGITS + UPPER,
    "hex": DIGITS + "abcdef",
    "HEX": DIGITS + "ABCDEF",
    "dig": DIGITS,
    "nz": "123456789",
    "b32": UPPER + "234567",
    "b32l": LOWER + "234567",
    "oct": "01234567",
}
FIELD = re.compile(r"\{(\w+?)(?::(\d+)(?:-(\d+))?)?\}")


class Rand(random.Random):
    """`random.Random` with the few things this bench asks for again and again."""

    def text(self, alphabet, length):
        letters = ALPHABETS.get(alphabet, alphabet)
        return "".join(self.choices(letters, k=length))

    def uuid(self):
        raw = self.text("hex", 32)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-{self.choice('89ab')}{raw[17:20]}-{raw[20:]}"

    def fill(self, pattern):
        def one(found):
            name, low, high = found.groups()
            if name == "uuid":
                return self.uuid()
            length = int(low or 1)
            if high:
                length = self.randint(length, int(high))
            return self.text(name, length)

        return FIELD.sub(one, pattern)

    def chance(self, share):
        return self.random() < share

    def some(self, things, low, high):
        things = list(things)
        return self.sample(things, min(len(things), self.randint(low, high)))


def stream(*names):
    """An independent generator for one purpose, so that adding a kind does not reshuffle the others."""
    return Rand("/".join(str(name) for name in names))
