"""Decoy files: each holds nothing but things that are no credentials. The register, and the walk over it."""

from ..rand import stream

MAKERS = []
KINDS = {}


def decoy(kind, times=1):
    """Registers a maker of one file; `times` is how often a round calls it."""

    def register(make):
        MAKERS.append((kind, make, times))
        return make

    return register


def files(seed, rounds):
    from . import artefacts, checksums, codelike, docs, locks, records, secretish, web  # noqa: F401  (fill the register)

    for kind, make, times in MAKERS:
        for number in range(round(rounds * times) or 1):
            rand = stream(seed, "decoy", make.__name__, number)
            path, content = make(rand)
            path = f"{rand.choice(['decoy', 'vendor-src', 'legacy', 'third_party', 'examples', 'monorepo'])}/{rand.text('low', 5)}/{path}"
            KINDS[path] = kind
            yield path, content


def kind_of(path):
    return KINDS.get(path, "decoy")
