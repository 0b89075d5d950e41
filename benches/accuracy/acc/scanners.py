"""Runs staunch and its peers on the tree, offline and without validation, and reads what they say.

Every finding becomes: rule, confidence, path, and places (bytes, or lines where the scanner gives no more). Peers print the
secret, so its place is looked up in the lines they name: their columns disagree with each other by one or two.
"""

import dataclasses
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import time


@dataclasses.dataclass
class Finding:
    rule: str
    confidence: str
    path: str
    bytes: list  # [(start, end)] in the file as stored
    columns: list  # [(line, column, end_line, end_column)] in its text, from 1, in UTF-8 bytes
    lines: tuple  # (first, last), when nothing finer is known
    hint: str = ""  # provider and class as the scanner names them
    unlocated: bool = False  # the value was not found in the lines (it was decoded)


@dataclasses.dataclass
class Run:
    name: str
    version: str
    findings: list
    seconds: float
    trouble: str = ""


@functools.lru_cache(maxsize=4096)
def text_of(path):
    raw = pathlib.Path(path).read_bytes()
    charset = "utf-16" if raw[:2] == b"\xff\xfe" else "utf-8"
    text = raw.decode(charset, errors="replace")
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    return text, starts, charset


def locate(path, first, last, secret):
    """Where `secret` stands within lines first..last (a line of grace each way), as (line, column, end line, end column)."""
    text, starts, _ = text_of(path)
    low = starts[max(0, min(first - 2, len(starts) - 2))]
    high = starts[min(last + 1, len(starts) - 1)]
    found, at = [], text.find(secret, low, high)
    while secret and at >= 0:
        found.append(spot(text, starts, at, at + len(secret)))
        at = text.find(secret, at + 1, high)
    near = [f for f in found if first <= f[0] <= last]
    return near or found


def spot(text, starts, at, end):
    def one(position):
        line = text.count("\n", 0, position) + 1
        return line, len(text[starts[line - 1] : position].encode(errors="replace")) + 1

    return (*one(at), *one(end))


def relative(tree, path):
    path = os.path.realpath(path)
    return os.path.relpath(path, os.path.realpath(tree))


@functools.lru_cache(maxsize=1)
def all_paths(tree):
    return [os.path.relpath(os.path.join(folder, name), tree) for folder, _, names in os.walk(tree) for name in names]


def unscrubbed(tree, path, place, redacted):
    """Staunch writes [secret] in a path where a found value stands in it: the file whose bytes there fit what is shown."""
    if "[secret]" not in path:
        return path
    root = os.path.realpath(tree)
    shape = re.compile(".+".join(map(re.escape, path.split("[secret]"))))
    head, _, tail = redacted.partition("…")
    for candidate in all_paths(root):
        if shape.fullmatch(candidate):
            there = (pathlib.Path(root) / candidate).read_bytes()[place["byte_start"] : place["byte_end"]]
            if there and (place.get("encoding") or (there.startswith(head.encode()) and there.endswith(tail.encode()))):
                return candidate
    return path


def without_network():
    """A prefix that takes the network away, where the system allows it."""
    unshare = shutil.which("unshare")
    if unshare and subprocess.run([unshare, "-rn", "true"], capture_output=True).returncode == 0:
        return [unshare, "-rn"]
    return []


def environment(scratch):
    home = pathlib.Path(scratch) / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "XDG_STATE_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "NO_COLOR": "1",
        "LANG": "C.UTF-8",
    }


def call(command, scratch, cwd):
    begin = time.monotonic()
    done = subprocess.run([*without_network(), *command], capture_output=True, env=environment(scratch), cwd=cwd)
    return done, time.monotonic() - begin


def version_of(command, scratch):
    done = subprocess.run(command, capture_output=True, text=True, env=environment(scratch))
    return (done.stdout.strip() or done.stderr.strip()).split("\n")[0]


def staunch(program, tree, scratch):
    out = pathlib.Path(scratch) / "staunch.jsonl"
    done, seconds = call(
        [
            program,
            "scan",
            "--offline",
            "--state",
            str(pathlib.Path(scratch) / "state"),
            "--format",
            "jsonl",
            "--output",
            str(out),
            str(tree),
        ],
        scratch,
        scratch,
    )
    findings, trouble = [], (
        "" if done.returncode in (0, 1) else f"exit {done.returncode}: {done.stderr.decode(errors='replace')[:300]}"
    )
    for row in out.read_text().splitlines():
        record = json.loads(row)
        if not record.get("schema", "").startswith("staunch.finding"):
            continue
        for place in record["occurrences"]:
            places = [place, *place.get("parts", [])]
            findings.append(
                Finding(
                    record["detector"],
                    record["confidence"],
                    unscrubbed(tree, relative(tree, place["path"]), place, record.get("redacted", "")),
                    [(p["byte_start"], p["byte_end"]) for p in places],
                    [(p["line"], p["column"], p["end_line"], p["end_column"]) for p in places],
                    (place["line"], place["end_line"]),
                    f"{record.get('provider', '')} {record.get('class', '')}",
                )
            )
    return Run("staunch", version_of([program, "--version"], scratch), findings, seconds, trouble)


def peer_finding(rule, confidence, tree, path, first, last, secret, hint=""):
    full = path if os.path.isabs(path) else os.path.join(tree, path)
    columns = locate(full, first, last, secret) if secret else []
    return Finding(rule, confidence, relative(tree, full), [], columns, (first, last), hint, not columns)


def kingfisher(program, tree, scratch):
    command = [
        program,
        "scan",
        str(tree),
        "--no-validate",
        "--no-update-check",
        "--git-history",
        "none",
        "--no-dedup",
        "--rule-cache-dir",
        str(pathlib.Path(scratch) / "kf-cache"),
        "--format",
        "jsonl",
    ]
    done, seconds = call(command, scratch, scratch)
    findings = []
    for row in done.stdout.decode(errors="replace").splitlines():
        if row.startswith("{") and '"finding"' in row[:2000]:
            record = json.loads(row)
            if "finding" not in record or "rule" not in record:
                continue
            f = record["finding"]
            findings.append(
                peer_finding(
                    record["rule"]["id"],
                    f["confidence"],
                    tree,
                    os.path.join(os.getcwd(), f["path"]) if not os.path.isabs(f["path"]) else f["path"],
                    f["line"],
                    f["line"] + f["snippet"].count("\n"),
                    f["snippet"],
                    record["rule"]["name"],
                )
            )
    trouble = (
        "" if done.returncode in (0, 200, 205) else f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}"
    )
    return Run("kingfisher", version_of([program, "--version"], scratch), findings, seconds, trouble)


def betterleaks(program, tree, scratch):
    out = pathlib.Path(scratch) / "betterleaks.jsonl"
    done, seconds = call([program, str(tree), "--silent", "--no-banner", "--output", str(out)], scratch, scratch)
    findings = []
    for row in out.read_text(errors="replace").splitlines() if out.exists() else []:
        record = json.loads(row).get("finding")
        if record:
            where = record["location"]
            findings.append(
                peer_finding(
                    record["rule_id"],
                    record.get("confidence", ""),
                    tree,
                    where["path"],
                    where["start_line"],
                    where["end_line"],
                    record["match"]["value"],
                )
            )
    return Run(
        "betterleaks",
        version_of([program, "version"], scratch),
        findings,
        seconds,
        "" if done.returncode in (0, 1) else f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}",
    )


def gitleaks(program, tree, scratch):
    out = pathlib.Path(scratch) / "gitleaks.json"
    done, seconds = call(
        [
            program,
            "dir",
            str(tree),
            "--no-banner",
            "--log-level",
            "error",
            "--exit-code",
            "0",
            "--report-format",
            "json",
            "--report-path",
            str(out),
        ],
        scratch,
        scratch,
    )
    findings = [
        peer_finding(f["RuleID"], "", tree, f["File"], f["StartLine"], f["EndLine"], f["Secret"])
        for f in (json.loads(out.read_text(errors="replace")) if out.exists() else [])
    ]
    return Run(
        "gitleaks",
        version_of([program, "version"], scratch),
        findings,
        seconds,
        "" if done.returncode in (0, 1) else f"exit {done.returncode}: {done.stderr.decode(errors='replace')[-300:]}",
    )


PEERS = {"kingfisher": kingfisher, "betterleaks": betterleaks, "gitleaks": gitleaks}
