"""Line by line settings: .env and its relatives, properties, INI, TOML, shell, Docker, make, systemd, tfvars, CSV."""

import base64

from .. import names, prose
from ..slot import json_text
from .base import Row, fmt, folder, groups, host, unique, vendor_word


def env_lines(rand, slots, prefix="", quote=None, decoys=0.45):
    quote = rand.choice(["", "", '"', "'"]) if quote is None else quote
    lines = []
    for group in groups(rand, slots, decoys=decoys):
        for row in unique(group):
            text, q = row.text, quote
            if row.slot is None and (" " in text or "$" in text or "<" in text) and not q:
                q = '"'
            if row.slot is not None and not q and any(c in text for c in " #;&(<>'!") and "'" not in text:
                q = "'" if rand.chance(0.5) else '"'
            if row.slot is not None and rand.chance(0.06):
                lines.append("# " + prose.sentence(rand))
            line = f"{prefix}{row.exact or names.upper(row.words)}={q}{text}{q}"
            if row.slot is not None and rand.chance(0.05):
                line = "# " + line
            elif row.slot is not None and rand.chance(0.05):
                line += "  # " + rand.choice(["rotate in May", "prod", "ask Kim", "do not share"])
            lines.append(line)
        if rand.chance(0.5):
            lines.append("")
    return lines


@fmt("env", 3, 4, "plain base64 base64x2 base64url hex")
def env(rand, slots):
    return f"{folder(rand)}/.env", "\n".join(env_lines(rand, slots)) + "\n"


@fmt("env_production", 1.5, 4, "plain base64 base64url hex")
def env_production(rand, slots):
    name = rand.choice([".env.production", ".env.local", ".env.staging", "prod.env", ".env.dev", "config.env"])
    return f"{folder(rand)}/{name}", f"# {prose.project(rand)}\n" + "\n".join(env_lines(rand, slots)) + "\n"


@fmt("encoded_env", 0.8, 1, "base64", words=True)
def encoded_env(rand, slots):
    """A whole .env file as one base64 variable, the way CI systems are fed."""
    slot = slots[0]
    rows = [f"{p.exact or names.upper(p.words)}={p.value}" for p in slot.pieces]
    slot.envelope = "\n".join(["PORT=8080", *rows, "LOG_LEVEL=info"]) + "\n"
    for piece in slot.pieces[:-1]:
        piece.truth = False
    text = slot.wrap(base64.b64encode(slot.envelope.encode()).decode())
    name = rand.choice(["ENV_FILE_B64", "DOTENV_BASE64", "APP_CONFIG", "ENV_PRODUCTION"])
    if rand.chance(0.5):
        return f"{folder(rand)}/ci/{rand.text('lan', 4)}.env", f"CI=true\n{name}={text}\n"
    return (
        f"{folder(rand)}/.buildkite/pipeline_{rand.text('lan', 4)}.yml",
        f"env:\n  {name}: {text}\nsteps:\n  - command: echo ${name} | base64 -d > .env && make deploy\n",
    )


@fmt("envrc", 0.6, 2)
def envrc(rand, slots):
    return f"{folder(rand)}/.envrc", "layout python3\n" + "\n".join(env_lines(rand, slots, "export ", '"')) + "\n"


@fmt("properties", 1.2)
def properties(rand, slots):
    lines = ["# " + prose.sentence(rand)]
    for group in groups(rand, slots):
        for row in unique(group):
            name = rand.choice([names.dotted, names.dotted, names.kebab])(row.words)
            if row.slot is not None and row.slot.near:
                name = vendor_word(row.slot) + "." + name
            lines.append(name + rand.choice(["=", "=", " = ", ": "]) + row.text)
        lines.append("")
    path = rand.choice(
        [
            "src/main/resources/application.properties",
            "src/main/resources/application-prod.properties",
            "config/app.properties",
            "gradle.properties",
            "conf/server.properties",
        ]
    )
    return f"{folder(rand)}/{path}", "\n".join(lines)


@fmt("ini", 1)
def ini(rand, slots):
    lines = []
    for group in groups(rand, slots):
        slot = next((row.slot for row in group if row.slot is not None), None)
        lines.append(f"[{vendor_word(slot) if slot is not None and (slot.near or rand.chance(0.5)) else rand.choice(prose.NOUNS)}]")
        for row in unique(group):
            lines.append(
                names.lower(row.words)
                + rand.choice([" = ", "=", " = "])
                + row.text.replace("%", "%%" if row.slot is None and rand.chance(0) else "%")
            )
        lines.append("")
    path = rand.choice(["config.ini", "settings.ini", "app.cfg", "etc/service.conf", "setup.cfg", "alembic.ini", ".config/tool.conf"])
    return f"{folder(rand)}/{path}", "\n".join(lines)


@fmt("toml", 1.2)
def toml(rand, slots):
    lines, used = [f'title = "{prose.project(rand)}"', ""], set()
    for group in groups(rand, slots):
        slot = next((row.slot for row in group if row.slot is not None), None)
        section = vendor_word(slot) if slot is not None and (slot.near or rand.chance(0.4)) else rand.choice(prose.NOUNS)
        section = rand.choice(["", "tool.", "services.", ""]) + section
        while section in used:
            section += "2"
        used.add(section)
        lines.append(f"[{section}]")
        for row in unique(group):
            bare = row.slot is None and (row.text.isdigit() or row.text in ("true", "false"))
            lines.append(names.lower(row.words) + " = " + (row.text if bare else f'"{json_text(row.text)}"'))
        lines.append("")
    path = rand.choice(["config.toml", "settings.toml", ".streamlit/secrets.toml", "wrangler.toml", "fly.toml", "config/prod.toml", "pyproject.toml"])
    return f"{folder(rand)}/{path}", "\n".join(lines)


@fmt("patch", 0.8, 2)
def patch(rand, slots):
    """A diff that adds or removes the setting."""
    rows = env_lines(rand, slots, decoys=0.3)
    name = rand.choice([".env", "config/prod.env", "deploy/settings.env"])
    head = [
        f"diff --git a/{name} b/{name}",
        f"index {rand.text('hex', 7)}..{rand.text('hex', 7)} 100644",
        f"--- a/{name}",
        f"+++ b/{name}",
        f"@@ -1,{len(rows)} +1,{len(rows)} @@",
    ]
    return (
        f"{folder(rand)}/patches/{rand.randint(1, 99):04}-{rand.choice(prose.NOUNS)}.patch",
        "\n".join(head + [rand.choice("++++- ") + row for row in rows]) + "\n",
    )


@fmt("dockerfile", 1, 2)
def dockerfile(rand, slots):
    lines = [f"FROM {rand.choice(['python:3.12-slim', 'node:22-alpine', 'golang:1.23', 'eclipse-temurin:21-jre'])} AS build", "WORKDIR /app"]
    for group in groups(rand, slots, 1, 2):
        for row in unique(group):
            name = row.exact or names.upper(row.words)
            form = rand.choice(["ENV {n}={v}", "ENV {n} {v}", 'ENV {n}="{v}"', "ARG {n}={v}"]) if " " not in row.text else 'ENV {n}="{v}"'
            lines.append(form.format(n=name, v=row.text))
        lines.append(
            rand.choice(["COPY . .", "RUN pip install --no-cache-dir -r requirements.txt", "RUN npm ci --omit=dev", "RUN make build", "EXPOSE 8080"])
        )
    lines.append('CMD ["./run"]')
    return f"{folder(rand)}/{rand.choice(['Dockerfile', 'Dockerfile.prod', 'docker/api.Dockerfile'])}", "\n".join(lines) + "\n"


@fmt("systemd", 0.6, 2)
def systemd(rand, slots):
    lines = ["[Unit]", f"Description={prose.project(rand)}", "After=network.target", "", "[Service]", "ExecStart=/opt/app/bin/server", "User=app"]
    for group in groups(rand, slots, 1, 2):
        lines += [f'Environment="{row.exact or names.upper(row.words)}={row.text}"' for row in unique(group)]
    lines += ["Restart=always", "", "[Install]", "WantedBy=multi-user.target"]
    return f"deploy/systemd/{prose.project(rand)}-{rand.text('lan', 4)}.service", "\n".join(lines) + "\n"


@fmt("makefile", 0.6, 2)
def makefile(rand, slots):
    lines = [".PHONY: build test deploy", ""]
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            lines.append(rand.choice(["export {n} = {v}", "{n} := {v}", "{n} ?= {v}"]).format(n=row.exact or names.upper(row.words), v=row.text))
    lines += ["", "build:", "\tgo build ./...", "", "test: build", "\tgo test ./..."]
    return f"{folder(rand)}/Makefile", "\n".join(lines) + "\n"


@fmt("tfvars", 1)
def tfvars(rand, slots):
    lines = ['environment = "prod"']
    for group in groups(rand, slots):
        width = max(len(names.lower(row.words)) for row in group)
        for row in unique(group):
            bare = row.slot is None and row.text.isdigit()
            lines.append(names.lower(row.words).ljust(width) + " = " + (row.text if bare else f'"{json_text(row.text)}"'))
        lines.append("")
    return f"infra/{prose.project(rand)}/{rand.choice(['terraform.tfvars', 'prod.auto.tfvars', 'secrets.tfvars'])}", "\n".join(lines)


@fmt("csv", 0.5, 3)
def csv(rand, slots):
    lines = [rand.choice(["name,value,environment", "key,value,env", "setting,value,scope"])]
    for group in groups(rand, slots):
        for row in unique(group):
            note = row.slot is not None and row.slot.near
            name = names.lower(row.words) if not note else vendor_word(row.slot) + " " + names.lower(row.words)
            lines.append(
                f'{name},"{row.text}",{rand.choice(["prod", "staging"])}'
                if "," in row.text or rand.chance(0.3)
                else f"{name},{row.text},{rand.choice(['prod', 'dev'])}"
            )
    return f"docs/exports/{prose.project(rand)}-{rand.text('lan', 3)}.csv", "\n".join(lines) + "\n"


__all__ = ["Row", "host", "env_lines"]
