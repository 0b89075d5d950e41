"""Invisible brackets that follow a value through every writer, and become spans at the end.

A writer composes text that holds `mark("p7.0", value)`; `resolve` takes the brackets out and says where each value came to
lie: bytes in the file as stored, and line and column (from 1, counted in UTF-8 bytes) in its text.
"""

import bisect
import dataclasses

OPEN, MIDDLE, CLOSE = "\ue000", "\ue001", "\ue002"


@dataclasses.dataclass
class Span:
    name: str
    text: str
    start: int = 0
    end: int = 0
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0


def mark(name, text):
    return f"{OPEN}{name}{MIDDLE}{text}{CLOSE}"


def plain(text):
    """The text without its brackets."""
    if OPEN not in text:
        return text
    return _take_apart(text)[0]


def _take_apart(text):
    out, spans, opened, length, at = [], [], [], 0, 0
    while True:
        stops = [p for p in (text.find(OPEN, at), text.find(CLOSE, at)) if p >= 0]
        if not stops:
            out.append(text[at:])
            assert not opened, "a mark was left open"
            return "".join(out), spans
        stop = min(stops)
        out.append(text[at:stop])
        length += stop - at
        if text[stop] == OPEN:
            middle = text.index(MIDDLE, stop)
            opened.append((text[stop + 1 : middle], length))
            at = middle + 1
        else:
            name, start = opened.pop()
            spans.append((name, start, length))
            at = stop + 1


def resolve(text, encoding="utf-8", crlf=False):
    """The bytes of the file and the spans in it."""
    if crlf:
        text = text.replace("\r\n", "\n").replace("\n", "\r\n")
    clean, places = _take_apart(text)
    starts = [0] + [i + 1 for i, letter in enumerate(clean) if letter == "\n"]
    bom = b"\xff\xfe" if encoding == "utf-16-le" else b""

    def byte_at(at):
        return len(bom) + len(clean[:at].encode(encoding))

    def line_at(at):
        line = bisect.bisect_right(starts, at)
        return line, len(clean[starts[line - 1] : at].encode()) + 1

    spans = []
    for name, start, end in places:
        line, column = line_at(start)
        end_line, end_column = line_at(end)
        spans.append(Span(name, clean[start:end], byte_at(start), byte_at(end), line, column, end_line, end_column))
    return bom + clean.encode(encoding), spans
