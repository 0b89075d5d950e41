"""Prose about credentials, and configuration that names them."""

from ..mark import mark
from . import inline, values
from .whole import decoy


@decoy("guide", 1.5)
def guide(rand):
    return (
        rand.choice(["SECURITY.md", "docs/secrets.md", "CONTRIBUTING.md"]),
        f"""# Secrets

Never commit a password, an API key or a token. Keys start with a prefix such as `sk-`, `ghp_`, `AKIA` or `xoxb-`.

| variable | meaning |
| --- | --- |
| `OPENAI_API_KEY` | {mark("d:placeholder", "your OpenAI key")} |
| `DB_PASSWORD` | {mark("d:placeholder", "password of the database user")} |
| `JWT_SECRET` | at least 32 random bytes: `openssl rand -base64 32` |

1. Create a token at https://github.com/settings/tokens/new?scopes=repo
2. `export GITHUB_TOKEN={mark("d:placeholder", rand.choice(["<your token>", "ghp_...", "ghp_" + "X" * 36, "your_github_token"]))}`
3. password: ask Kim; token: see the vault; secret: rotate it every 90 days.

The default password is set at first login. API key rotation: see runbook `{rand.uuid()}`.
""",
    )


@decoy("values-yaml", 2)
def values_yaml(rand):
    rows = []
    for _ in range(12):
        words, value, kind = inline.setting(rand)
        rows.append(f'  {"_".join(words)}: "{mark("d:" + kind, value)}"')
    return (
        f"charts/app/{rand.choice(['values.yaml', 'values-dev.yaml'])}",
        "global:\n"
        + "\n".join(dict.fromkeys(rows))
        + "\nauth:\n  existingSecret: app-auth\n  existingSecretPasswordKey: postgres-password\n  passwordSecretRef:\n    name: db\n    key: password\n",
    )


@decoy("settings", 3)
def settings(rand):
    form = rand.choice(["env", "json", "toml", "ini", "properties"])
    rows = [inline.setting(rand) for _ in range(10)]
    if form == "json":
        return (
            "config/settings.json",
            "{\n" + ",\n".join(f'  "{"_".join(w)}_{i}": "{mark("d:" + k, v.replace(chr(34), ""))}"' for i, (w, v, k) in enumerate(rows)) + "\n}\n",
        )
    if form == "toml":
        return "config.toml", "[app]\n" + "".join(f'{"_".join(w)}_{i} = "{mark("d:" + k, v)}"\n' for i, (w, v, k) in enumerate(rows))
    if form == "ini":
        return "config.ini", "[app]\n" + "".join(f'{"_".join(w)}_{i} = {mark("d:" + k, v)}\n' for i, (w, v, k) in enumerate(rows))
    if form == "properties":
        return "app.properties", "".join(f'{".".join(w)}={mark("d:" + k, v)}\n' for w, v, k in rows)
    return "app.env", "".join(f'{"_".join(w).upper()}_{i}="{mark("d:" + k, v)}"\n' for i, (w, v, k) in enumerate(rows))


@decoy("detector-rules")
def rules(rand):
    return (
        "secret-scan-rules.yml",
        "rules:\n  - id: github\n    regex: 'ghp_[A-Za-z0-9]{36}'\n  - id: openai\n    regex: 'sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}'\n  - id: aws\n    regex: '(AKIA|ASIA)[A-Z2-7]{16}'\n  - id: private\n    regex: '-----BEGIN [A-Z ]*PRIVATE KEY-----'\n  - id: slack\n    regex: 'xox[bp]-[0-9-]{20,}'\nallow:\n  - "
        + mark("d:documented", values.documented(rand))
        + "\n",
    )


@decoy("pem-talk")
def pem_talk(rand):
    begin, end = ("-----%s PRIVATE KEY-----" % word for word in ("BEGIN", "END"))
    return "src/pem.ts", (
        f'const BEGIN = "{begin}";\nconst END = "{end}";\nexport const isPem = (text: string) => text.includes(BEGIN) && text.includes(END);\n'
        f'export const sample = "{begin}\\n...\\n{end}";\n'
    )


@decoy("ci-with-secrets-refs")
def ci(rand):
    return (
        ".github/workflows/release.yml",
        f"jobs:\n  release:\n    steps:\n      - uses: actions/checkout@{rand.text('hex', 40)}\n      - uses: aws-actions/configure-aws-credentials@{rand.text('hex', 40)}\n        with:\n          role-to-assume: arn:aws:iam::{rand.text('dig', 12)}:role/ci\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{{{ secrets.NPM_TOKEN }}}}\n          PASSWORD: ${{{{ secrets.DEPLOY_PASSWORD }}}}\n      - uses: docker/login-action@{rand.text('hex', 40)}\n        with:\n          username: acme\n          password: ${{{{ secrets.DOCKERHUB_TOKEN }}}}\n",
    )
