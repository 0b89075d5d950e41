"""Who goes where: makes the plants, gives each a format, packs them into files, and writes the tree and the truth."""

import collections
import json
import pathlib

from . import encode, files, kind, slot
from .decoys import whole
from .files.base import FORMATS
from .files.special import PREFERRED
from .mark import resolve
from .rand import stream

assert files
MULTI_SAFE = {"android_strings"}
UTF16 = {"registry_file": 1.0, "powershell": 0.2, "ini": 0.06, "csv": 0.08, "json_config": 0.02, "sql": 0.04}
CRLF = {
    "csharp": 0.5,
    "appsettings": 0.4,
    "web_config": 0.5,
    "powershell": 0.4,
    "ini": 0.15,
    "env": 0.06,
    "python": 0.04,
    "java": 0.08,
    "properties": 0.08,
    "pem_file": 0.08,
    "javascript": 0.05,
    "csv": 0.2,
    "yaml_config": 0.04,
}
# Where a value with an ampersand, a dollar or a quote would need an escape of its own that the format's people do not write.
AWKWARD = {
    "&": {"csv"},
    "$": {
        "shell",
        "bash_history",
        "dockerfile",
        "php",
        "kotlin",
        "makefile",
        "compose",
        "envrc",
        "env",
        "env_production",
        "ruby",
        "systemd",
        "package_json",
        "readme",
        "gitlab_ci",
        "gha_workflow",
    },
    " ": {"dockerfile", "bash_history", "package_json", "log", "makefile", "csv", "notes"},
    ";": {"bash_history", "package_json", "properties"},
    "#": {"makefile", "bash_history"},
    "%": {"systemd", "ini"},
    "!": {"bash_history"},
    "=": set(),
    ",": {"csv"},
    "^": {"package_json"},
    "?": set(),
    "*": {"bash_history"},
}
LONG = {"bash_history", "csv", "log", "android_strings"}


def fits(entry, plant):
    value = plant.main.value
    if plant.encoding == "plain" or plant.encoding == "split":
        if any(letter in value and entry.name in formats for letter, formats in AWKWARD.items()):
            return False
    if len(value) > 700 and entry.name in LONG:
        return False
    if plant.encoding not in entry.encodings:
        return False
    if plant.encoding == "percent" and not plant.kind.url and entry.name != "log":
        return False
    if entry.name == "encoded_env" and any(not p.truth for p in plant.pieces):
        return False
    return True


def choose_format(rand, plant):
    kind_ = plant.kind
    if kind_.only:
        names = [n for n in kind_.only]
        open_ = [n for n in names if fits(FORMATS[n], plant)]
        if not open_:
            plant.encoding = "plain"
            open_ = [n for n in names if fits(FORMATS[n], plant)]
        return rand.choice(open_ or names)
    if kind_.id in PREFERRED and plant.encoding == "plain" and rand.chance(0.35):
        return rand.choice(PREFERRED[kind_.id])
    entries = [f for _, f in sorted(FORMATS.items()) if f.weight and f.name not in kind_.avoid and fits(f, plant)]
    weights = [
        f.weight
        * (
            10
            if f.name == "k8s_secret_data" and plant.encoding.startswith("base64") and plant.kind.cls != "prefixed"
            else 4 if f.name == "k8s_secret_data" else 1
        )
        for f in entries
    ]
    return rand.choices(entries, weights)[0].name


def plants(seed, size):
    for each in kind.load():
        for number in range(max(1, round(size * each.share))):
            yield slot.make(each, number, seed)


def layout(seed, size):
    """Yields (path, text, format, slots) for all files that hold plants."""
    by_format = collections.defaultdict(list)
    for plant in plants(seed, size):
        rand = stream(seed, "format", plant.id)
        plant.format = choose_format(rand, plant)
        by_format[plant.format].append(plant)
    for name in sorted(by_format):
        rand = stream(seed, "pack", name)
        group = by_format[name]
        rand.shuffle(group)
        at = 0
        while at < len(group):
            count = rand.randint(1, FORMATS[name].most)
            chunk = group[at : at + count]
            at += count
            path, text = FORMATS[name].write(stream(seed, "file", name, at), chunk)
            yield path, text, name, chunk


def write_tree(out, seed, size, decoy_rounds):
    """Writes OUT/tree and OUT/truth.jsonl; returns the records."""
    out = pathlib.Path(out)
    tree = out / "tree"
    records, taken = [], set()

    def store(path, text, name, encoding="utf-8", crlf=False):
        while path in taken:
            folder, _, last = path.rpartition("/")
            path = f"{folder}-{len(taken)}/{last}" if folder else f"d{len(taken)}/{last}"
        taken.add(path)
        raw, spans = resolve(text, encoding, crlf)
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
        return path, spans

    for path, text, name, chunk in layout(seed, size):
        rand = stream(seed, "bytes", path, name)
        charset = "utf-16-le" if rand.chance(UTF16.get(name, 0)) else "utf-8"
        crlf = rand.chance(CRLF.get(name, 0))
        path, spans = store(path, text, name, charset, crlf)
        records += records_of(path, spans, name, charset, crlf, {s.id: s for s in chunk})
    for path, content in whole.files(seed, decoy_rounds):
        if isinstance(content, bytes):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
            taken.add(path)
            records.append({"path": path, "decoy": "binary", "whole": True})
            continue
        path, spans = store(path, content, "decoy")
        records += records_of(path, spans, "decoy", "utf-8", False, {})
        records.append({"path": path, "decoy": whole.kind_of(path), "whole": True})
    (out / "truth.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    return records


def place(span, charset):
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "byte_start": span.start,
        "byte_end": span.end,
    }


def records_of(path, spans, name, charset, crlf, slots):
    out, merged = [], {}
    for span in spans:
        if span.name.startswith("d:"):
            out.append({"path": path, "decoy": span.name[2:], "charset": charset, **place(span, charset), "text": span.text})
            continue
        plant_id, _, piece = span.name[0:].rpartition(".")
        plant = slots[plant_id]
        record = merged.setdefault(
            plant_id,
            {
                "path": path,
                "id": plant.id[1:],
                "kind": plant.kind.id,
                "class": plant.kind.cls,
                "group": plant.kind.group,
                "encoding": plant.encoding,
                "format": name,
                "charset": charset,
                "crlf": crlf,
                "context": "near" if plant.near else "name" if plant.kind.need else "any",
                "way": plant.note,
                "neutral": plant.kind.neutral,
                "parts": [],
            },
        )
        value = plant.pieces[int(piece)]
        envelope = plant.envelope if value is plant.main else ""
        record["parts"].append(
            {"role": value.role, "value": value.value, "envelope": envelope, "text": span.text, **place(span, charset)}
        )
    missing = set(slots) - set(merged)
    assert not missing, f"{path}: not written: {missing}"
    for plant_id, plant in slots.items():
        wanted = sum(p.truth for p in plant.pieces)
        assert len(merged[plant_id]["parts"]) == wanted, (path, plant_id, wanted, merged[plant_id]["parts"])
    return list(merged.values()) + out


def check(out, records):
    """Reads every file again: the truth must say where each value lies and what it stands for. Returns complaints."""
    tree = pathlib.Path(out) / "tree"
    wrong = []
    for record in records:
        if record.get("whole"):
            continue
        raw = (tree / record["path"]).read_bytes()
        for part in record.get("parts", [record]):
            charset = record.get("charset", "utf-8")
            text = raw[part["byte_start"] : part["byte_end"]].decode(charset)
            if text != part["text"]:
                wrong.append((record["path"], "bytes", part["text"][:60], text[:60]))
            lines = raw.decode("utf-16" if charset != "utf-8" else "utf-8").split("\n")
            line = lines[part["line"] - 1].encode()[part["column"] - 1 :]
            if not line.decode(errors="replace").rstrip("\r").startswith(part["text"].split("\n")[0].rstrip("\r")[:200]):
                wrong.append((record["path"], "line", part["text"][:60], line[:60]))
            if "value" in part:
                want = (part["envelope"] or part["value"]).strip()
                ways = [r.replace("\r", "").strip() for r in encode.readings(part["text"])]
                if want not in ways and not any(same(want, way) for way in ways):
                    wrong.append(
                        (record["path"], "value " + record["encoding"] + " " + record["format"], want[:80], part["text"][:80])
                    )
    return wrong


def same(want, way):
    """Equal but for layout: indented keys, re-indented JSON, quotes and pluses round lines."""
    strip = str.maketrans("", "", " \t\r\n\"'+`\\")
    return want.translate(strip) == way.replace("\\n", "\n").translate(strip) or want.translate(strip) == way.translate(strip)
