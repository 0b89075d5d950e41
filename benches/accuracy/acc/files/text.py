"""Prose and data that people read: SQL, notebooks, READMEs, notes, bundles, logs, HTTP files, HTML."""

import json

from .. import names, prose
from ..decoys import values
from ..mark import mark
from .base import fmt, folder, groups, header_of, in_query, unique, vendor_word
from .code import block
from .languages import PYTHON
from .shell import curl, exports


@fmt("sql", 0.9, 2)
def sql(rand, slots):
    lines = ["-- " + prose.sentence(rand), "CREATE TABLE IF NOT EXISTS settings (id uuid PRIMARY KEY, name text NOT NULL, value text);", ""]
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            name = names.lower(row.words if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words])
            value = row.text.replace("'", "''")
            if row.slot is not None and rand.chance(0.25):
                lines.append(f"UPDATE settings SET value = '{value}' WHERE name = '{name}';")
            else:
                lines.append(f"INSERT INTO settings (id, name, value) VALUES ('{mark('d:uuid', rand.uuid())}', '{name}', '{value}');")
    lines.append("CREATE INDEX idx_users_password_hash ON users (password_hash);")
    return f"{folder(rand)}/{rand.choice(['db/seed', 'migrations/V12__settings', 'sql/init'])}_{rand.text('lan', 3)}.sql", "\n".join(lines) + "\n"


@fmt("notebook", 0.9, 2)
def notebook(rand, slots):
    cells = []
    for slot in slots:
        source = block(rand, PYTHON, slot)
        cells.append(source)
        cells.append("df = pd.DataFrame(rows)\ndf.head()")

    def lines(text):
        rows = text.split("\n")
        return ",\n".join("    " + json.dumps(row + ("\n" if i < len(rows) - 1 else ""), ensure_ascii=False) for i, row in enumerate(rows))

    out = []
    for i, text in enumerate(["import os\nimport pandas as pd", *cells]):
        image = (
            f'{{"data": {{"image/png": "{mark("d:base64-image", values.image(rand).split(",")[1])}"}}, "metadata": {{}}, "output_type": "display_data"}}'
            if i == 2
            else ""
        )
        out.append(
            f'  {{\n   "cell_type": "code",\n   "execution_count": {i + 1},\n   "id": "{rand.text("hex", 8)}",\n   "metadata": {{}},\n   "outputs": [{image}],\n   "source": [\n{lines(text)}\n   ]\n  }}'
        )
    return (
        f"notebooks/{prose.project(rand)}_{rand.text('lan', 3)}.ipynb",
        '{\n "cells": [\n' + ",\n".join(out) + '\n ],\n "metadata": {"kernelspec": {"name": "python3"}},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n',
    )


@fmt("readme", 1.4, 2, "plain percent")
def readme(rand, slots):
    parts = [
        f"# {prose.project(rand)}",
        prose.sentence(rand),
        "## Getting started",
        "```sh\nnpm install\ncp .env.example .env   # then set API_KEY=your-api-key\n```",
    ]
    for slot in slots:
        call = curl(rand, slot)
        if call and (slot.encoding == "percent" or rand.chance(0.5)):
            parts += ["Check that it answers:", f"```sh\n{call}\n```"]
        elif rand.chance(0.6):
            parts += ["Set these first:", "```sh\n" + "\n".join(exports(rand, slot)) + "\n```"]
        elif rand.chance(0.4):
            vendor = [vendor_word(slot)] if slot.near else []
            parts += [
                "| variable | value |\n| --- | --- |\n| `LOG_LEVEL` | `info` |\n"
                + "\n".join(f"| `{names.upper(vendor + p.words)}` | `{p.text}` |" for p in slot.pieces)
            ]
        else:
            vendor = vendor_word(slot).capitalize() if slot.near or rand.chance(0.4) else "Staging"
            parts += [f"{vendor} access:", "\n".join(f"- **{' '.join(w.capitalize() for w in p.words)}**: `{p.text}`" for p in slot.pieces)]
        parts += [prose.sentence(rand), "Passwords are stored with argon2; tokens expire after 15 minutes."]
    return f"{folder(rand)}/{rand.choice(['README.md', 'docs/setup.md', 'NOTES.md', 'docs/runbook.md'])}", "\n\n".join(parts) + "\n"


@fmt("notes", 0.9, 3)
def notes(rand, slots):
    """What people write down for each other."""
    lines = [f"{rand.choice(prose.PEOPLE)} {rand.randint(1, 28)}/3: {prose.sentence(rand)}"]
    for slot in slots:
        who = rand.choice(prose.PEOPLE)
        for piece in slot.pieces:
            words = list(piece.words) if not slot.near else [vendor_word(slot).replace("_", " "), *piece.words]
            name = " ".join(words)
            lines.append(
                rand.choice(
                    [
                        f"{name}: {piece.text}",
                        f"{name} = {piece.text}",
                        f"{who}: the {name} for staging is {piece.text}",
                        f"- {name}: {piece.text}",
                        f"{who}: use this {name}: {piece.text}",
                    ]
                )
            )
        lines += [
            f"{rand.choice(prose.PEOPLE)}: thanks, {rand.choice(['works', 'rotating it next week', 'saved in the vault', 'the password reset mail never came', 'ticket ' + mark('d:uuid', rand.uuid())])}",
            "",
        ]
    return f"docs/notes/{prose.project(rand)}_{rand.text('lan', 4)}.{rand.choice(['txt', 'md', 'org'])}", "\n".join(lines) + "\n"


@fmt("min_js", 0.9, 2)
def minified(rand, slots):
    """One long line, as a bundler leaves it."""
    pieces = ['!function(e,t){"object"==typeof exports?module.exports=t():e.App=t()}(this,function(){"use strict";']

    def noise():
        a, b, c = (rand.text("low", rand.randint(1, 2)) for _ in range(3))
        return rand.choice(
            [
                f"var {a}=function({b}){{return {b}.map(function({c}){{return {c}.id}})}};",
                f'if({a}&&{b}.password)throw new Error("password");',
                f"{a}.prototype.getToken=function(){{return this._token}};",
                f'const {a}="{mark("d:uuid", rand.uuid())}",{b}={{key:"value",token:null}};',
                f"{a}=e({rand.randint(100, 9999)}),{b}=t.n({a});",
                f'fetch("/api/v1/{rand.choice(prose.NOUNS)}s").then({a}=>{a}.json());',
                f'{a}.src="{mark("d:base64-image", values.image(rand, 100, 300))}";',
            ]
        )

    for slot in slots:
        pieces += [noise() for _ in range(rand.randint(4, 14))]
        vendor = f'baseURL:"{slot.kind.url}",' if slot.near else ""
        form = rand.choice(["map", "var", "map"])
        if form == "map" or slot.near:
            pieces.append(
                f"const {rand.text('low', 2)}={{{vendor}"
                + ",".join(f'{names.camel(names.identifier(p.words))}:"{p.text}"' for p in slot.pieces)
                + ",retries:3};"
            )
        else:
            pieces += [f'var {names.camel(names.identifier(p.words))}="{p.text}";' for p in slot.pieces]
    pieces += [noise() for _ in range(rand.randint(4, 14))] + ["});", f"\n//# sourceMappingURL=app.{rand.text('hex', 8)}.js.map"]
    return (
        f"{folder(rand)}/{rand.choice(['dist', 'public/static/js', 'build'])}/app.{mark('d:path', rand.text('hex', 8)) and rand.text('hex', 8)}.min.js",
        "".join(pieces) + "\n",
    )


@fmt("log", 1, 2, "plain percent", words=True)
def log(rand, slots):
    def stamp():
        return f"2026-0{rand.randint(1, 9)}-{rand.randint(10, 28)}T{rand.randint(10, 23)}:{rand.randint(10, 59)}:{rand.randint(10, 59)}.{rand.text('dig', 3)}Z"

    lines = []

    def noise(count):
        for _ in range(count):
            lines.append(
                f"{stamp()} {rand.choice(['INFO', 'DEBUG', 'WARN'])} "
                + rand.choice(
                    [
                        f"request completed id={mark('d:uuid', rand.uuid())} status=200 took={rand.randint(2, 900)}ms",
                        f"trace={mark('d:trace-id', rand.text('hex', 32))} span={mark('d:trace-id', rand.text('hex', 16))} GET /api/v1/{rand.choice(prose.NOUNS)}s",
                        f"deployed {mark('d:git-sha', rand.text('hex', 40))}",
                        "user login failed: invalid password for user=kim",
                        "token refreshed for tenant=acme",
                        f"etag={mark('d:digest', rand.text('hex', 32))} cache=hit",
                        "password changed for user id=4711",
                    ]
                )
            )

    for slot in slots:
        noise(rand.randint(3, 7))
        header, parameter = header_of(slot), in_query(slot)
        if slot.encoding == "percent" or parameter:
            lines.append(
                f"{stamp()} DEBUG GET {slot.kind.url or 'https://api.acme-corp.io/v1/status'}{'&' if '?' in slot.kind.url else '?'}{parameter or 'access_token'}={slot.main.text} 200 {rand.randint(100, 9000)}"
            )
        elif header and len(slot.pieces) == 1 and slot.kind.url and rand.chance(0.6):
            lines.append(
                rand.choice(
                    [
                        f"{stamp()} DEBUG --> POST {slot.kind.url} {header[0]}: {header[1]}{slot.main.text}",
                        f'{stamp()} ERROR upstream 401 url={slot.kind.url} headers={{"{header[0]}": "{header[1]}{slot.main.text}"}}',
                    ]
                )
            )
        else:
            vendor = vendor_word(slot) + " " if slot.near else ""
            lines.append(f"{stamp()} DEBUG loaded {vendor}config " + " ".join(f"{names.upper(p.words)}={p.text}" for p in slot.pieces))
    noise(rand.randint(3, 7))
    return f"var/log/{prose.project(rand)}/{rand.choice(['app', 'debug', 'worker'])}-{rand.text('lan', 4)}.log", "\n".join(lines) + "\n"


@fmt("http_file", 0.8, 2, "plain percent")
def http_file(rand, slots):
    parts = [f"@host = https://api.acme-corp.io\n@requestId = {mark('d:uuid', rand.uuid())}"]
    for slot in slots:
        header, parameter = header_of(slot), in_query(slot)
        url = slot.kind.url or "https://api.acme-corp.io/v1/orders"
        if slot.encoding == "percent" or parameter:
            parts.append(
                f"### {prose.sentence(rand)}\nGET {url}{'&' if '?' in url else '?'}{parameter or 'token'}={slot.main.text}\nAccept: application/json"
            )
        elif header and len(slot.pieces) == 1:
            parts.append(
                f"### {prose.sentence(rand)}\nGET {url}\n{header[0]}: {header[1]}{slot.main.text}\nAccept: application/json\nX-Request-Id: {mark('d:uuid', rand.uuid())}"
            )
        else:
            parts.append(f"# {vendor_word(slot)}\n" + "\n".join(f"@{names.camel(p.words)} = {p.text}" for p in slot.pieces))
    return f"{folder(rand)}/requests/{rand.choice(['api', 'smoke', 'orders'])}_{rand.text('lan', 3)}.http", "\n\n".join(parts) + "\n"


@fmt("html", 0.5, 1)
def html(rand, slots):
    body = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        f'  <script src="https://cdn.acme-corp.io/app.js" integrity="{mark("d:integrity", values.integrity(rand, "sha384"))}" crossorigin="anonymous"></script>',
        "  <script>",
    ]
    for slot in slots:
        body.append(f"    // {vendor_word(slot)}" if slot.near else "    // settings")
        body += [f'    window.{names.camel(names.identifier(p.words))} = "{p.text}";' for p in slot.pieces]
    body += [
        "  </script>",
        "</head>",
        "<body>",
        '  <form><input type="password" name="password" id="password" placeholder="Password" autocomplete="current-password"></form>',
        f'  <img src="{mark("d:base64-image", values.image(rand))}" alt="">',
        "</body>",
        "</html>",
    ]
    return f"{folder(rand)}/public/{rand.choice(['index', 'app', 'admin'])}_{rand.text('lan', 3)}.html", "\n".join(body) + "\n"
