"""Program text in twelve languages, put together from the templates in files/languages.py."""

import re

from .. import names, prose
from ..decoys import inline
from ..mark import mark, plain
from .base import fmt, header_of, host, in_query, vendor_word
from .languages_compiled import LANGUAGES

WEIGHT = {
    "python": 4,
    "javascript": 2.5,
    "typescript": 2,
    "go": 1.8,
    "java": 1.8,
    "kotlin": 0.7,
    "ruby": 1.2,
    "php": 1.3,
    "csharp": 1.3,
    "rust": 0.9,
    "swift": 0.6,
    "powershell": 0.7,
}


def literal(language, text):
    """A string literal. Single quotes where the language likes them; a value with a quote or a dollar gets the other."""
    quote = language.quote
    if quote in plain(text):
        quote = "'" if quote == '"' else '"'
    if language.key == "powershell" and "$" in plain(text):
        quote = "'"
    if language.key in ("kotlin",):
        text = text.replace("$", "\\$")
    return quote + text.replace("\\", "\\\\") + quote


def fill(template, language, words, value, more):
    words = names.identifier(words)
    table = {
        "name": language.style(words),
        "lname": names.lower(words),
        "uname": names.upper(words),
        "cname": names.camel(words),
        "Name": names.pascal(words),
        "kname": names.kebab(words),
        "v": value,
        **more,
    }
    return re.sub(r"@(\w+)@", lambda m: table.get(m[1], m[0]), template)


def filler(rand, language):
    text = rand.choice(language.filler)
    noun, verb = rand.choice(prose.NOUNS), rand.choice(prose.VERBS)
    table = {"noun": noun, "Noun": noun.capitalize(), "verb": verb, "Verb": verb.capitalize(), "sentence": prose.sentence(rand)}
    return re.sub(r"@(\w+)@", lambda m: table.get(m[1], m[0]), text)


def decoy(rand, language):
    words, value, kind = inline.setting(rand)
    return fill(rand.choice(language.constant), language, list(words), literal(language, mark("d:" + kind, value)), {})


def halves(rand, language, slot):
    """A literal in two or three pieces, cut after the prefix or in the middle."""
    value = slot.main.value
    cuts = [rand.randint(len(value) // 3, 2 * len(value) // 3)]
    found = re.match(r"[A-Za-z0-9]+[-_.]", value)
    if found and len(found[0]) < len(value) // 2 and rand.chance(0.35):
        cuts = [found.end()]
    elif len(value) > 60 and rand.chance(0.3):
        cuts = [len(value) // 3, 2 * len(value) // 3]
    between = rand.choice(language.split)
    if language.quote not in between and language.key != "rust":
        between = '" + "'
    quote = language.quote
    if quote in value:
        return literal(language, slot.main.text)
    pieces = [value[a:b] for a, b in zip([0, *cuts], [*cuts, len(value)])]
    text = slot.wrap(quote + between.join(pieces) + quote)
    return f"({text})" if language.key == "python" and between.startswith('"\n') else text


def encoded(rand, language, slot, text):
    template = rand.choice(language.unhex if slot.encoding == "hex" else language.decode)
    return template.replace("@v@", literal(language, text)) if rand.chance(0.7) else literal(language, text)


def block(rand, language, slot):
    """One plant, the way this language's people write it."""
    vendor = vendor_word(slot)
    identifier = re.sub(r"\W", "", vendor) or "vendor"
    identifier = identifier if not identifier[0].isdigit() else "x" + identifier
    more = {
        "url": slot.kind.url,
        "vendor": identifier,
        "Vendor": "".join(w.capitalize() for w in identifier.split("_")),
        "n": rand.text("low", 3),
        "N": rand.text("UP", 1) + rand.text("low", 4),
        "map": rand.choice(["config", "settings", "credentials", "options"]) + rand.text("low", 2),
    }
    if language.key in ("csharp", "java"):
        more["map"] = more["map"].capitalize() if language.key == "csharp" else more["map"]

    def value(piece):
        if piece is slot.main and slot.encoding == "split":
            return halves(rand, language, slot)
        if piece is slot.main and slot.encoding in ("base64", "base64url", "base64x2", "hex"):
            return encoded(rand, language, slot, piece.text)
        return literal(language, piece.text)

    single = len(slot.pieces) == 1
    plain_value = slot.encoding == "plain" and not re.search(r"[\"'\\$]", slot.main.value)
    ways = []
    if single and header_of(slot) and slot.kind.url and plain_value:
        ways += ["header"] * (4 if slot.near else 1)
    if single and slot.kind.cls != "generic":
        ways += ["client"] * (4 if slot.near else 1)
    if single and in_query(slot) and plain_value:
        ways += ["query"] * (3 if slot.near else 1)
    if slot.near:
        ways += ["near"] if not single or slot.kind.url else []
    else:
        ways += ["constant"] * 4 + ["map"] * 2 + (["env"] if plain_value else [])
    way = rand.choice(ways)
    slot.note = way
    main = slot.main
    if way == "header":
        name, before = header_of(slot)
        return fill(rand.choice(language.header), language, main.words, "", {**more, "H": name, "hp": before, "raw": main.text})
    if way == "client":
        return fill(rand.choice(language.client), language, main.words, value(main), more)
    if way == "query":
        sign = "&" if "?" in slot.kind.url else "?"
        url = literal(language, f"{slot.kind.url}{sign}{in_query(slot)}={main.text}")
        return fill(language.constant[0], language, ["request", "url"], url, more)
    if way == "env":
        return "\n".join(fill(rand.choice(language.env), language, p.words, value(p), {**more, "raw": p.text}) for p in slot.pieces)
    if way == "map":
        rows = [fill(language.entry, language, p.words, value(p), more) for p in slot.pieces]
        extra = fill(language.entry, language, ["timeout"], literal(language, "30"), more)
        before, after = (fill(part, language, ["x"], "", more) for part in language.map)
        return "\n".join([before, *(rows + [extra] if rand.chance(0.6) else [extra, *rows]), after])
    lines = [fill(language.constant[0] if way == "near" else rand.choice(language.constant), language, p.words, value(p), more) for p in slot.pieces]
    if way == "near":
        url = fill(
            language.constant[0], language, rand.choice([["api", "base"], ["base", "url"], ["endpoint"]]), literal(language, slot.kind.url), more
        )
        comment = language.comment + rand.choice([f"{vendor} client", f"see {host(slot)}", f"{vendor.capitalize()} credentials"])
        lines = [rand.choice([url, url, comment]), *lines]
    if way == "constant" and slot.encoding == "plain" and rand.chance(0.05):
        slot.note = "comment"
        lines = [language.comment.strip() + " " + line.strip() for line in "\n".join(lines).split("\n")]
    return "\n".join(lines)


def writer(language):
    def write(rand, slots):
        parts = ["\n".join(language.head), filler(rand, language)]
        for slot in slots:
            parts.append(block(rand, language, slot))
            parts.append(filler(rand, language))
            if rand.chance(0.6):
                parts.append(decoy(rand, language))
            parts.append(filler(rand, language))
        if language.key in ("java", "csharp"):
            parts.append("}")
        name = rand.choice(["client", "settings", "config", "service", "constants", "helpers", "worker", "main", "api"])
        name = name.capitalize() + "Service" if language.key in ("java", "csharp", "kotlin", "swift") else name
        folder = f"{rand.choice(['services', 'apps', 'packages', 'libs'])}/{prose.project(rand)}/{rand.choice(language.folders)}"
        return (
            f"{folder}/{name}_{rand.text('lan', 3)}.{language.extension}"
            if language.key not in ("java", "csharp", "kotlin", "swift")
            else f"{folder}/{name}{rand.text('UP', 1)}{rand.text('low', 2)}.{language.extension}"
        ), "\n\n".join(parts) + "\n"

    return write


for each in LANGUAGES:
    can = "plain split base64 base64url hex" if each.key != "powershell" else "plain split base64"
    if each.key in ("python", "javascript"):
        can += " base64x2"
    fmt(each.key, WEIGHT[each.key], 2, can)(writer(each))
