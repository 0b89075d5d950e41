"""Compares findings with the truth.

Found: a finding overlaps any part of a plant. True: a finding that overlaps any plant. A finding that overlaps none is false;
several false findings that overlap each other are one false place, billed to the most demanding class among their rules.
Findings on neutral plants, and on the public half of a pair (a client id, a tenant), count for nothing.
"""

import collections
import dataclasses

from . import rules

CLASSES = ("prefixed", "unprefixed", "generic")


@dataclasses.dataclass
class Score:
    run: object
    found: set
    by: dict  # table name -> row -> [found, planted]
    false: list  # [(class, decoy kind, rule, path, line)]
    duplicates: int
    true_findings: int
    attribution: dict  # class -> [fits, found]
    missed: list
    neutral: int


def overlap(a, b, c, d):
    return max(a, c) < min(b, d)


def touches(finding, place):
    if finding.bytes:
        return any(overlap(a, b, place.start, place.end) for a, b in finding.bytes)
    here = ((place.line, place.column), (place.end_line, place.end_column))
    if finding.columns:
        return any(overlap((a, b), (c, d), *here) for a, b, c, d in finding.columns)
    return finding.lines[0] <= place.end_line and finding.lines[1] >= place.line


def score(run, truth):
    found, hits, wrong, neutral = {}, [], [], 0
    fitting = collections.defaultdict(list)
    for finding in run.findings:
        touched = [
            plant for plant in truth.plants.get(finding.path, []) if any(touches(finding, place) for place in plant.places)
        ]
        real = [plant for plant in touched if not plant.neutral]
        if real:
            hits.append((finding, real))
            for plant in real:
                found.setdefault(plant.id, []).append(finding)
                fitting[plant.id].append(rules.fits_vendor(finding, plant))
        elif touched or beside(finding, truth):
            neutral += 1
        else:
            wrong.append(finding)
    classes = rules.classes_of_rules(hits, run.findings)
    tables = {
        name: collections.defaultdict(lambda: [0, 0]) for name in ("class", "group", "kind", "encoding", "format", "context")
    }
    missed, attribution = [], collections.defaultdict(lambda: [0, 0])
    for plant in truth.all():
        if plant.neutral:
            continue
        got = plant.id in found
        encoded = "plain" if plant.encoding == "plain" else plant.encoding
        for name, row in (
            ("class", plant.cls),
            ("group", plant.group),
            ("kind", plant.kind),
            ("encoding", f"{plant.cls} {encoded}"),
            ("format", plant.format),
            ("context", f"{plant.cls} {plant.context}"),
        ):
            tables[name][row][0] += got
            tables[name][row][1] += 1
        if got:
            attribution[plant.cls][0] += any(fitting[plant.id])
            attribution[plant.cls][1] += 1
        else:
            missed.append(plant)
    duplicates = sum(len({f.rule for f in list_}) - 1 for list_ in found.values())
    return Score(
        run, set(found), tables, false_places(wrong, classes, truth), duplicates, len(hits), attribution, missed, neutral
    )


def beside(finding, truth):
    """On the public half of a pair: a client id, a tenant, a host next to its secret."""
    return any(kind == "id-beside" and touches(finding, place) for kind, place in truth.decoys.get(finding.path, []))


def false_places(findings, classes, truth):
    """False findings merged into places."""
    by_path = collections.defaultdict(list)
    for finding in findings:
        by_path[finding.path].append(finding)
    out = []
    for path, group in sorted(by_path.items()):
        places = []
        for finding in sorted(group, key=lambda f: (-rules.ORDER[classes[f.rule]], f.lines)):
            if not any(same_place(finding, other) for other in places):
                places.append(finding)
        for finding in places:
            out.append((classes[finding.rule], decoy_kind(finding, path, truth), finding.rule, path, finding.lines[0]))
    return out


def same_place(a, b):
    if a.bytes and b.bytes:
        return any(overlap(*x, *y) for x in a.bytes for y in b.bytes)
    if a.columns and b.columns:
        return any(overlap(x[:2], x[2:], y[:2], y[2:]) for x in a.columns for y in b.columns)
    return a.lines[0] <= b.lines[1] and b.lines[0] <= a.lines[1]


def decoy_kind(finding, path, truth):
    for kind, place in truth.decoys.get(path, []):
        if touches(finding, place):
            return kind
    return truth.whole.get(path, "filler")


def share(found, planted):
    return 100.0 * found / planted if planted else 100.0


def figures(score_, classes):
    """(planted, found, recall, false, precision) for some classes together."""
    found = sum(score_.by["class"][c][0] for c in classes)
    planted = sum(score_.by["class"][c][1] for c in classes)
    false = sum(1 for row in score_.false if row[0] in classes)
    return planted, found, share(found, planted), false, share(found, found + false)
