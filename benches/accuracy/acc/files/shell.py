"""Shell scripts and histories, with curl calls and exports."""

from .. import names, prose
from ..decoys import inline
from ..mark import mark, plain
from .base import fmt, folder, header_of, in_query, near_row


def quoted(text):
    return f"'{text}'" if "'" not in plain(text) else f'"{text}"'


def curl(rand, slot):
    """A curl call that sends the value to its own host, or None when it goes nowhere by HTTP."""
    if not slot.kind.url.startswith("http") or len(slot.pieces) > 1:
        return None
    url = slot.kind.url
    parameter = in_query(slot)
    if slot.encoding == "percent":
        parameter = parameter or rand.choice(["token", "access_token", "api_key", "key"])
    if parameter:
        return f"curl -s '{url}{'&' if '?' in url else '?'}{parameter}={slot.main.text}'"
    if slot.kind.auth.startswith("basic:"):
        user = slot.kind.auth[6:] or ""
        return f"curl -s -u {quoted(f'{user}:{slot.main.text}')} {url}" if user else f"curl -s -u {quoted(slot.main.text + ':')} {url}"
    header = header_of(slot)
    if header:
        flags = rand.choice(["-s", "-sS -X GET", "--fail", "-X POST"])
        return f"curl {flags} {url} \\\n  -H {quoted(f'{header[0]}: {header[1]}{slot.main.text}')} \\\n  -H 'Content-Type: application/json'"
    return None


def exports(rand, slot, word="export "):
    lines = []
    if slot.near:
        row = near_row(rand, slot)
        lines.append(f"{word}{names.upper(row.words)}={row.text}")
    for piece in slot.pieces:
        name = piece.exact or names.upper(piece.words)
        if piece is slot.main and slot.encoding == "split":
            value = slot.main.value
            at = rand.randint(len(value) // 3, 2 * len(value) // 3)
            lines.append(f"{word}{name}=" + slot.wrap(f'"{value[:at]}\\\n{value[at:]}"'))
        elif piece is slot.main and slot.encoding in ("base64", "base64url") and rand.chance(0.6):
            lines.append(f"{word}{name}=$(echo {quoted(piece.text)} | base64 -d)")
        else:
            lines.append(f"{word}{name}={quoted(piece.text) if rand.chance(0.5) else chr(34) + piece.text + chr(34)}")
    return lines


@fmt("shell", 2.5, 3, "plain split base64 base64url percent")
def shell(rand, slots):
    lines = ["#!/usr/bin/env bash", "set -euo pipefail", "# " + prose.sentence(rand), ""]
    for slot in slots:
        call = curl(rand, slot)
        if call and (slot.encoding == "percent" or (slot.encoding == "plain" and rand.chance(0.5))):
            lines.append(call)
        else:
            lines += exports(rand, slot)
        lines += [
            "",
            rand.choice(
                [
                    'echo "deploying $VERSION"',
                    "make build",
                    'docker push "$IMAGE"',
                    'read -rsp "Password: " PASSWORD',
                    'export API_KEY="${API_KEY:?set it first}"',
                    "kubectl rollout status deploy/api",
                    "PASSWORD=$(openssl rand -hex 16)",
                    "TOKEN=$(vault read -field=token auth/token/lookup-self)",
                ]
            ),
        ]
        words, value, kind = inline.setting(rand)
        lines += [f"{names.upper(list(words))}={quoted(mark('d:' + kind, value))}", ""]
    return f"{folder(rand)}/{rand.choice(['deploy', 'run', 'setup', 'bootstrap', 'entrypoint'])}_{rand.text('lan', 3)}.sh", "\n".join(lines) + "\n"


@fmt("bash_history", 1, 4)
def bash_history(rand, slots):
    lines = []
    for slot in slots:
        lines += rand.some(
            [
                "ls -la",
                "git status",
                "cd /srv/app",
                "vim .env",
                "docker ps",
                "kubectl get pods -A",
                "htop",
                "git push origin main",
                "passwd",
                "ssh-keygen -t ed25519",
                "export TOKEN=$(cat token.txt)",
                "sudo systemctl restart api",
            ],
            2,
            5,
        )
        call = curl(rand, slot)
        if call and rand.chance(0.5):
            lines.append(call.replace(" \\\n ", ""))
        else:
            lines += (
                exports(rand, slot)
                if rand.chance(0.7) or slot.near or len(slot.pieces) > 1
                else [f"{p.exact or names.upper(p.words)}={p.text} ./run.sh" for p in slot.pieces]
            )
        lines.append(f"git checkout {mark('d:git-sha', rand.text('hex', 40))}")
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/{rand.choice(['.bash_history', '.zsh_history', '.bashrc', '.profile'])}",
        "\n".join(lines) + "\n",
    )
