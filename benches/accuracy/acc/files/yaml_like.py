"""YAML: application configuration, Helm, Kubernetes, compose, CI, Ansible."""

import base64
import re

from .. import encode, names, prose
from ..mark import mark, plain
from ..slot import json_text
from .base import Row, fmt, folder, groups, unique, vendor_word

STYLES = [names.camel, names.lower, names.lower, names.kebab]
NEEDS_QUOTES = set("{}[]&*#?|<>=!%@`:,\"' ")


def scalar(rand, text, force=None):
    """A YAML scalar: quoted where it must be, and sometimes where it need not."""
    bare = plain(text)
    must = (
        not bare
        or bare[0] in NEEDS_QUOTES
        or bare[0] in "-."
        or ": " in bare
        or " #" in bare
        or bare.endswith(":")
        or bare.isdigit()
        or bare in ("true", "false", "null", "none")
        or bare.startswith("0x")
    )
    quote = force if force is not None else rand.choice(["", "", '"', "'"])
    if must and not quote:
        quote = '"'
    if "\\" in bare or "'" in bare:
        quote = '"'
    return f'"{json_text(text)}"' if quote == '"' else f"{quote}{text}{quote}"


def cut(rand, slot):
    """A value over two lines of a double-quoted YAML scalar, joined by a trailing backslash."""
    value = slot.main.value
    at = rand.randint(len(value) // 3, 2 * len(value) // 3)
    return value[:at], value[at:]


@fmt("yaml_config", 2.5, 4, "plain base64 base64url split")
def yaml_config(rand, slots):
    style = rand.choice(STYLES)
    lines, used = ["# " + prose.sentence(rand), f"app: {prose.project(rand)}"], {"app"}
    for group in groups(rand, slots):
        slot = next((row.slot for row in group if row.slot is not None), None)
        named = slot is not None and (slot.near or rand.chance(0.4))
        section = vendor_word(slot) if named else rand.choice(prose.NOUNS)
        indent = "  "
        while section in used:
            section += "2"
        used.add(section)
        lines.append(f"{section}:")
        if rand.chance(0.15):
            lines.append("  auth:" if slot is not None else "  options:")
            indent = "    "
        for row in unique(group):
            name = style(row.words)
            if row.slot is not None and row.slot.encoding == "split" and row.text == row.slot.main.text:
                head, tail = cut(rand, row.slot)
                lines.append(f"{indent}{name}: " + row.slot.wrap(f'"{head}\\\n{indent}  {tail}"'))
            elif (
                row.slot is not None
                and len(plain(row.text)) > 160
                and re.fullmatch(r"[A-Za-z0-9+/=]+", plain(row.text))
                and row.slot.encoding in ("plain", "base64")
                and rand.chance(0.6)
            ):
                body = plain(row.text)
                folded = ("\n" + indent + "  ").join(body[i : i + 76] for i in range(0, len(body), 76))
                lines += [
                    f"{indent}{name}: {rand.choice(['>-', '|'])}",
                    f"{indent}  " + row.slot.wrap(folded, row.slot.pieces.index(next(p for p in row.slot.pieces if p.text == row.text))),
                ]
            else:
                lines.append(f"{indent}{name}: {scalar(rand, row.text)}")
    path = rand.choice(
        [
            "config/application.yml",
            "config.yaml",
            "config/production.yaml",
            "src/main/resources/application.yml",
            "settings.yaml",
            "conf/app.yaml",
            "serverless.yml",
        ]
    )
    return f"{folder(rand)}/{path}", "\n".join(lines) + "\n"


@fmt("helm_values", 1.5, 3, "plain base64")
def helm_values(rand, slots):
    lines = [
        "replicaCount: 2",
        "image:",
        "  repository: registry.acme-corp.io/" + prose.project(rand),
        f'  tag: "{rand.randint(1, 9)}.{rand.randint(0, 20)}.{rand.randint(0, 9)}"',
        "  pullPolicy: IfNotPresent",
    ]
    listed = rand.chance(0.4)
    lines.append("env:" if listed else rand.choice(["env:", "secrets:", "extraEnv:", "config:"]))
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            words = list(row.words)
            if row.slot is not None and row.slot.near:
                words = [vendor_word(row.slot), *words]
            if listed:
                lines += [f"  - name: {names.upper(words)}", f"    value: {scalar(rand, row.text)}"]
            else:
                lines.append(f"  {names.camel(words) if rand.chance(0.5) else names.upper(words)}: {scalar(rand, row.text)}")
    lines += ["resources:", "  limits:", "    memory: 512Mi", "serviceAccount:", "  create: true"]
    return f"charts/{prose.project(rand)}-{rand.text('low', 3)}/values{rand.choice(['', '-prod', '-staging'])}.yaml", "\n".join(lines) + "\n"


@fmt("k8s_env", 1.5, 3)
def k8s_env(rand, slots):
    name = prose.project(rand)
    lines = [
        "apiVersion: apps/v1",
        "kind: Deployment",
        "metadata:",
        f"  name: {name}",
        f"  uid: {mark('d:uuid', rand.uuid())}",
        "spec:",
        "  template:",
        "    spec:",
        "      containers:",
        f"        - name: {name}",
        f"          image: registry.acme-corp.io/{name}@{mark('d:digest', 'sha256:' + rand.text('hex', 64))}",
        "          env:",
    ]
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            words = list(row.words)
            if row.slot is not None and row.slot.near:
                words = [vendor_word(row.slot), *words]
            lines += [
                f"            - name: {row.exact if row.exact and not (row.slot and row.slot.near) else names.upper(words)}",
                f"              value: {scalar(rand, row.text)}",
            ]
    lines += [
        "            - name: PASSWORD_FROM_SECRET",
        "              valueFrom:",
        "                secretKeyRef:",
        "                  name: app-secrets",
        "                  key: db-password",
    ]
    return f"deploy/k8s/{name}-{rand.text('lan', 4)}.yaml", "\n".join(lines) + "\n"


def secret_head(rand, kind="Secret"):
    return [
        "apiVersion: v1",
        f"kind: {kind}",
        "metadata:",
        f"  name: {prose.project(rand)}-{rand.choice(['secrets', 'credentials', 'auth'])}",
        f"  namespace: {rand.choice(['default', 'payments', 'ml'])}",
    ] + (["type: Opaque"] if kind == "Secret" else [])


def key_of(rand, row):
    words = list(row.words)
    if row.slot is not None and row.slot.near:
        words = [vendor_word(row.slot), *words]
    return (
        row.exact
        if row.exact and rand.chance(0.6) and not (row.slot and row.slot.near)
        else rand.choice([names.upper, names.kebab, names.lower])(words)
    )


@fmt("k8s_secret_data", 0.4, 3, "base64 base64x2")
def k8s_secret_data(rand, slots):
    """Every value of `data` is base64, harmless ones too."""
    lines = [*secret_head(rand), "data:"]
    for group in groups(rand, slots, 0, 2, 0.25):
        for row in unique(group):
            text = row.text
            if row.slot is None or plain(text) == next((p.value for p in row.slot.pieces if p.text == text), None):
                kind = "d:base64-of-nothing"
                text = mark(kind, encode.encode("base64", plain(text)))
            lines.append(f"  {key_of(rand, row)}: {text}")
    return f"deploy/k8s/secrets/{rand.text('lan', 5)}-{rand.choice(['secret', 'credentials'])}.yaml", "\n".join(lines) + "\n"


@fmt("k8s_secret_string", 1.2, 3)
def k8s_secret_string(rand, slots):
    lines = [*secret_head(rand), "stringData:"]
    for group in groups(rand, slots, 0, 2, 0.25):
        lines += [f"  {key_of(rand, row)}: {scalar(rand, row.text)}" for row in unique(group)]
    return f"deploy/k8s/secrets/{rand.text('lan', 5)}-secret.yml", "\n".join(lines) + "\n"


@fmt("k8s_configmap", 0.7, 2)
def k8s_configmap(rand, slots):
    lines = [*secret_head(rand, "ConfigMap"), "data:"]
    for group in groups(rand, slots, 1, 3):
        lines += [f"  {key_of(rand, row)}: {scalar(rand, row.text)}" for row in unique(group)]
    return f"deploy/k8s/config/{rand.text('lan', 5)}-configmap.yaml", "\n".join(lines) + "\n"


@fmt("compose", 1.8, 3, "plain base64")
def compose(rand, slots):
    as_list = rand.chance(0.5)
    lines = ["services:"]
    for group in groups(rand, slots, 1, 3):
        slot = next((row.slot for row in group if row.slot is not None), None)
        service = (
            vendor_word(slot) + "-proxy" if slot is not None and slot.near else rand.choice(["api", "worker", "web", "db", "cache"]) + str(len(lines))
        )
        lines += [f"  {service}:", f"    image: {rand.choice(['postgres:16', 'redis:7', 'ghcr.io/acme/api:latest', 'mysql:8'])}", "    environment:"]
        for row in unique(group):
            name = row.exact or names.upper(row.words)
            lines.append(f"      - {name}={row.text}" if as_list else f"      {name}: {scalar(rand, row.text)}")
    lines += ["volumes:", "  data: {}"]
    return f"{folder(rand)}/{rand.choice(['docker-compose.yml', 'compose.yaml', 'docker-compose.prod.yml'])}", "\n".join(lines) + "\n"


@fmt("gha_workflow", 1.2, 2)
def gha(rand, slots):
    lines = [
        "name: deploy",
        "on:",
        "  push:",
        "    branches: [main]",
        "jobs:",
        "  deploy:",
        "    runs-on: ubuntu-latest",
        "    env:",
        "      CI: true",
    ]
    for group in groups(rand, slots, 1, 2):
        for row in unique(group):
            words = list(row.words) if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words]
            lines.append(f"      {names.upper(words)}: {scalar(rand, row.text)}")
    sha = mark("d:git-sha", rand.text("hex", 40))
    lines += [
        "    steps:",
        f"      - uses: actions/checkout@{sha} # v4",
        "      - run: make deploy",
        "        env:",
        "          GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}",
        "          NPM_TOKEN: ${{ secrets.NPM_TOKEN }}",
    ]
    return f"{folder(rand)}/.github/workflows/deploy-{rand.text('lan', 3)}.yml", "\n".join(lines) + "\n"


@fmt("gitlab_ci", 0.8, 2)
def gitlab_ci(rand, slots):
    lines = ["stages: [build, deploy]", "variables:"]
    for group in groups(rand, slots, 1, 2):
        for row in unique(group):
            words = list(row.words) if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words]
            lines.append(f"  {names.upper(words)}: {scalar(rand, row.text)}")
    lines += [
        "deploy:",
        "  stage: deploy",
        "  script:",
        "    - ./deploy.sh $CI_COMMIT_SHA",
        '    - docker login -u gitlab-ci-token -p "$CI_JOB_TOKEN" "$CI_REGISTRY"',
    ]
    return f"{folder(rand)}/.gitlab-ci.yml", "\n".join(lines) + "\n"


@fmt("ansible", 0.8, 2)
def ansible(rand, slots):
    lines = ["---", "# group variables"]
    for group in groups(rand, slots, 1, 3):
        for row in unique(group):
            words = list(row.words) if row.slot is None or not row.slot.near else [vendor_word(row.slot), *row.words]
            lines.append(f"{names.lower(names.identifier(words))}: {scalar(rand, row.text)}")
    return f"ansible/group_vars/{rand.text('low', 6)}/{rand.choice(['main', 'vars', 'secrets'])}.yml", "\n".join(lines) + "\n"


__all__ = ["Row", "base64"]
