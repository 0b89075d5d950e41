"""Tables for people, and one JSON object for programs."""

import collections

from .score import CLASSES, figures, share


def table(head, rows):
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        return "  ".join(
            str(cell).ljust(width) if i == 0 else str(cell).rjust(width) for i, (cell, width) in enumerate(zip(row, widths))
        )

    return "\n".join([line(head), line(["-" * width for width in widths]), *map(line, rows)])


def percent(value):
    return f"{value:.1f}"


def summary(scores):
    rows = []
    for score in scores:
        for label, classes in [
            *((c, (c,)) for c in CLASSES),
            ("unprefixed+generic", ("unprefixed", "generic")),
            ("all", CLASSES),
        ]:
            planted, found, recall, false, precision = figures(score, classes)
            rows.append((f"{score.run.name} {label}", planted, found, percent(recall), false, percent(precision)))
    return table(("scanner, class", "planted", "found", "recall %", "false", "precision %"), rows)


def side_by_side(scores, name, only=None):
    keys = sorted({key for score in scores for key in score.by[name]} if only is None else only)
    rows = [(key, scores[0].by[name][key][1], *(percent(share(*score.by[name][key])) for score in scores)) for key in keys]
    return table((name, "planted", *(f"{score.run.name} %" for score in scores)), rows)


def other(scores):
    rows = []
    for score in scores:
        fits = [percent(share(*score.attribution[c])) if score.attribution[c][1] else "-" for c in CLASSES[:2]]
        rows.append(
            (
                score.run.name,
                len(score.run.findings),
                score.duplicates,
                score.neutral,
                *fits,
                f"{score.run.seconds:.1f}",
                score.run.version[:40],
            )
        )
    return table(
        ("scanner", "findings", "duplicates", "on neutral", "vendor right, prefixed %", "unprefixed %", "seconds", "version"),
        rows,
    )


def weak_kinds(score, limit):
    rows = [
        (kind, f"{found}/{planted}")
        for kind, (found, planted) in sorted(score.by["kind"].items(), key=lambda item: (share(*item[1]), item[0]))
        if found < planted
    ]
    more = len(rows) - limit
    return table((f"{score.run.name}: kinds not always found", "found"), rows[:limit]) + (
        f"\n… and {more} more (see the JSON)" if more > 0 else ""
    )


def false_kinds(score, limit):
    counts = collections.Counter((kind, rule, cls) for cls, kind, rule, _, _ in score.false)
    rows = [(kind, rule, cls, n) for (kind, rule, cls), n in counts.most_common(limit)]
    return table((f"{score.run.name}: false on", "rule", "billed to", "places"), rows)


def text(scores, verbose):
    parts = [
        summary(scores),
        other(scores),
        side_by_side(scores, "group"),
        side_by_side(scores, "encoding"),
        side_by_side(scores, "context"),
    ]
    if verbose:
        parts += [side_by_side(scores, "format"), side_by_side(scores, "kind")]
    limit = 10_000 if verbose else 40
    for score in scores if verbose else scores[:1]:
        parts += [weak_kinds(score, limit), false_kinds(score, limit)]
    for score in scores:
        if score.run.trouble:
            parts.append(f"{score.run.name}: {score.run.trouble}")
    return "\n\n".join(parts) + "\n"


def as_json(scores, about):
    out = {"about": about, "scanners": {}}
    for score in scores:
        out["scanners"][score.run.name] = {
            "version": score.run.version,
            "seconds": round(score.run.seconds, 3),
            "findings": len(score.run.findings),
            "duplicates": score.duplicates,
            "on_neutral": score.neutral,
            "trouble": score.run.trouble,
            "classes": {
                label: dict(zip(("planted", "found", "recall", "false", "precision"), figures(score, classes)))
                for label, classes in [*((c, (c,)) for c in CLASSES), ("unprefixed+generic", CLASSES[1:]), ("all", CLASSES)]
            },
            "attribution": {c: share(*v) for c, v in score.attribution.items()},
            **{
                name: {key: {"found": v[0], "planted": v[1]} for key, v in sorted(score.by[name].items())}
                for name in ("group", "kind", "encoding", "format", "context")
            },
            "false": [dict(zip(("class", "decoy", "rule", "path", "line"), row)) for row in score.false],
            "missed": [
                {
                    "id": p.id,
                    "kind": p.kind,
                    "class": p.cls,
                    "encoding": p.encoding,
                    "format": p.format,
                    "context": p.context,
                    "path": p.path,
                    "line": p.places[0].line,
                }
                for p in score.missed
            ],
        }
    return out
