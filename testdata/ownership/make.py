#!/usr/bin/env python3
"""Makes the repositories of cases/*.txt below a folder: make.py DIR. The tokens are made up from the case's name."""
import base64
import hashlib
import pathlib
import re
import string
import sys


def token(case: str, letter: str) -> str:
    digest = hashlib.sha512(f"{case} {letter}".encode()).digest()
    return "hf" + "_" + "".join(string.ascii_letters[byte % 52] for byte in digest[:34])


def main() -> None:
    here, out = pathlib.Path(__file__).parent / "cases", pathlib.Path(sys.argv[1])
    for source in sorted(here.glob("*.txt")):
        for case in re.split(r"^=== ", source.read_text(), flags=re.M)[1:]:
            head, *files = re.split(r"^--- ", case, flags=re.M)
            name = head.splitlines()[0].strip()
            for file in files:
                path, _, text = file.partition("\n")
                fill = lambda m: base64.b64encode(token(name, m[1]).encode()).decode() if m[2] else token(name, m[1])
                target = out / name / path.strip()
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(re.sub(r"\{\{([A-Z])(:base64)?\}\}", fill, text))
            (out / name / "EXPECTED").write_text("".join(l + "\n" for l in head.splitlines() if l.startswith("expect ")))


main()
