"""Files about secrets that hold none: references, sealed and encrypted secrets, public keys, hashes, examples, samples."""

import base64

from .. import der
from ..mark import mark
from . import values
from .whole import decoy

NAMES = [
    "DATABASE_PASSWORD",
    "OPENAI_API_KEY",
    "STRIPE_SECRET_KEY",
    "JWT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "SLACK_BOT_TOKEN",
    "GITHUB_TOKEN",
    "SMTP_PASSWORD",
    "REDIS_PASSWORD",
    "SENDGRID_API_KEY",
    "ANTHROPIC_API_KEY",
    "CLIENT_SECRET",
    "ENCRYPTION_KEY",
    "API_KEY",
]


@decoy("env-example", 2)
def env_example(rand):
    lines = [f"{n}={mark('d:placeholder', values.placeholder(rand)) if rand.chance(0.8) else ''}" for n in rand.some(NAMES, 6, 12)]
    return rand.choice([".env.example", ".env.sample", ".env.template", "env.dist"]), "# Copy to .env and fill in\n" + "\n".join(lines) + "\n"


@decoy("references", 2)
def references(rand):
    rows = rand.some(NAMES, 5, 9)
    form = rand.choice(["yaml", "env", "helm", "gha", "tf", "py", "js", "spring", "compose", "go"])
    ref = {
        "yaml": lambda n: f"  {n.lower()}: {mark('d:reference', values.reference(rand, n))!s}",
        "env": lambda n: f"{n}=${{{n}}}",
        "helm": lambda n: f'            - name: {n}\n              value: "{{{{ .Values.secrets.{n.lower()} }}}}"',
        "gha": lambda n: f"      {n}: ${{{{ secrets.{n} }}}}",
        "tf": lambda n: f"  {n.lower()} = var.{n.lower()}\n  {n.lower()}_arn = aws_secretsmanager_secret.{n.lower()}.arn",
        "py": lambda n: rand.choice(
            [
                f'{n} = os.environ["{n}"]',
                f'{n} = os.getenv("{n}", "")',
                f'{n} = config("{n}")',
                f"{n} = settings.{n.lower()}",
                f'{n} = boto3.client("secretsmanager").get_secret_value(SecretId="prod/{n.lower()}")["SecretString"]',
            ]
        ),
        "js": lambda n: rand.choice(
            [
                f"const {n} = process.env.{n};",
                f"export const {n.lower()} = import.meta.env.VITE_{n};",
                f'const {n} = await secrets.get("{n.lower()}");',
            ]
        ),
        "spring": lambda n: f"app.{n.lower().replace('_', '.')}=${{{n}:}}",
        "compose": lambda n: f"      {n}: ${{{n}:?missing}}",
        "go": lambda n: rand.choice([f'\t{n.lower()} := os.Getenv("{n}")', f'\t{n.lower()}, err := vault.Read("secret/data/{n.lower()}")']),
    }[form]
    head = {
        "yaml": "secrets:",
        "env": "",
        "helm": "          env:",
        "gha": "jobs:\n  build:\n    env:",
        "tf": 'module "app" {',
        "py": "import os\n",
        "js": "",
        "spring": "",
        "compose": "services:\n  api:\n    environment:",
        "go": "package main\n\nfunc main() {",
    }[form]
    tail = {"tf": "}", "go": "}"}.get(form, "")
    path = {
        "yaml": "config/secrets.yaml",
        "env": ".env",
        "helm": "templates/deployment.yaml",
        "gha": ".github/workflows/ci.yml",
        "tf": "main.tf",
        "py": "settings.py",
        "js": "src/env.js",
        "spring": "application.properties",
        "compose": "docker-compose.yml",
        "go": "main.go",
    }[form]
    return path, "\n".join(x for x in [head, *(ref(n) for n in rows), tail] if x) + "\n"


@decoy("sealed-secret")
def sealed(rand):
    return (
        "sealed-secret.yaml",
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: app\nspec:\n  encryptedData:\n"
        + "".join(f"    {n.lower()}: {mark('d:sealed', 'AgB' + base64.b64encode(rand.randbytes(330)).decode())}\n" for n in rand.some(NAMES, 2, 4))
        + "  template:\n    type: Opaque\n",
    )


@decoy("sops")
def sops(rand):
    def enc():
        return mark(
            "d:sealed",
            f"ENC[AES256_GCM,data:{base64.b64encode(rand.randbytes(24)).decode()},iv:{base64.b64encode(rand.randbytes(32)).decode()},tag:{base64.b64encode(rand.randbytes(16)).decode()},type:str]",
        )

    return (
        "secrets.enc.yaml",
        "".join(f"{n.lower()}: {enc()}\n" for n in rand.some(NAMES, 3, 6))
        + f"sops:\n    kms:\n        - arn: arn:aws:kms:eu-west-1:{rand.text('dig', 12)}:key/{rand.uuid()}\n          enc: AQICAH{rand.text('b64', 180)}==\n    age:\n        - recipient: age1{rand.text('qpzry9x8gf2tvdw0s3jn54khce6mua7l', 58)}\n    mac: {enc()}\n    version: 3.9.0\n",
    )


@decoy("ansible-vault")
def ansible_vault(rand):
    rows = "\n".join("          " + rand.text("36", 1) + rand.text("dig", 79) for _ in range(6))
    return (
        "group_vars/all/vault.yml",
        f"db_password: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n{mark('d:sealed', rows)}\napi_token: \"{{{{ vault_api_token }}}}\"\n",
    )


@decoy("external-secret")
def external_secret(rand):
    return (
        "external-secret.yaml",
        "apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\nmetadata:\n  name: app-secrets\nspec:\n  secretStoreRef:\n    name: vault-backend\n    kind: ClusterSecretStore\n  data:\n"
        + "".join(
            f"    - secretKey: {n.lower()}\n      remoteRef:\n        key: prod/app\n        property: {n.lower()}\n" for n in rand.some(NAMES, 3, 6)
        ),
    )


@decoy("empty-k8s-secret")
def empty_secret(rand):
    return "secret-template.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\n  annotations:\n    checksum/config: " + rand.text(
        "hex", 64
    ) + "\ntype: Opaque\nstringData:\n" + "".join(
        f'  {n.lower()}: "{mark("d:placeholder", rand.choice(["<fill in>", "REPLACE_ME", "${%s}" % n, "changeme", "{{ .Values.%s | quote }}" % n.lower()]))}"\n'
        for n in rand.some(NAMES, 3, 5)
    )


@decoy("certificate")
def certificate(rand):
    cert = der.pem("CERTIFICATE", der.certificate(rand, "acme", der.point(rand.getrandbits(250) | 1), der.ec_algorithm()))
    request = der.pem("CERTIFICATE REQUEST", rand.randbytes(500))
    return rand.choice(["ca.crt", "fullchain.pem", "server.csr", "bundle.pem"]), mark("d:certificate", cert + rand.choice(["", request, cert])) + "\n"


@decoy("public-key")
def public_key(rand):
    rsa = der.pem(
        "PUBLIC KEY",
        der.sequence(der.rsa_algorithm(), der.tlv(3, b"\x00" + der.sequence(der.integer(rand.getrandbits(2048) | 1 << 2047), der.integer(65537)))),
    )
    ssh = "".join(f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{rand.text('b64', 43)} {who}@acme-corp.io\n" for who in ("kim", "noor", "deploy"))
    known = "".join(
        f"|1|{base64.b64encode(rand.randbytes(20)).decode()}|{base64.b64encode(rand.randbytes(20)).decode()} ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{rand.text('b64', 342)}==\n"
        for _ in range(3)
    )
    dkim = f'mail._domainkey IN TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA{rand.text("b64", 200)}"\n'
    jwks = f'{{"keys":[{{"kty":"RSA","use":"sig","kid":"{rand.text("url", 43)}","alg":"RS256","n":"{rand.text("url", 342)}","e":"AQAB"}},{{"kty":"EC","crv":"P-256","x":"{rand.text("url", 43)}","y":"{rand.text("url", 43)}"}}]}}\n'
    return rand.choice(
        [
            ("public.pem", mark("d:public-key", rsa)),
            ("authorized_keys", mark("d:public-key", ssh)),
            ("known_hosts", mark("d:public-key", known)),
            ("zone.db", mark("d:public-key", dkim)),
            ("jwks.json", mark("d:public-key", jwks)),
        ]
    )


@decoy("pgp-public")
def pgp_public(rand):
    return "KEYS.asc", mark("d:public-key", der.pgp(rand, "PUBLIC KEY BLOCK", der.rsa(rand))) + "\n"


@decoy("password-hash", 1.5)
def password_hashes(rand):
    form = rand.choice(["sql", "json", "htpasswd", "shadow", "yaml", "py"])

    def h():
        return mark("d:password-hash", values.password_hash(rand))

    if form == "sql":
        return "seed_users.sql", "".join(
            f"INSERT INTO users (id, email, password) VALUES ('{rand.uuid()}', 'user{i}@acme-corp.io', '{h()}');\n" for i in range(8)
        )
    if form == "json":
        return (
            "fixtures/users.json",
            "[\n"
            + ",\n".join(f'  {{"id": "{rand.uuid()}", "password": "{h()}", "salt": "{rand.text("hex", 32)}", "token": null}}' for _ in range(6))
            + "\n]\n",
        )
    if form == "htpasswd":
        return ".htpasswd", "".join(
            f"user{i}:{mark('d:password-hash', rand.choice([values.bcrypt(rand), '$apr1$' + rand.text('an', 8) + '$' + rand.text('an', 22)]))}\n"
            for i in range(4)
        )
    if form == "shadow":
        return "etc/shadow", "".join(
            f"user{i}:{mark('d:password-hash', '$6$' + rand.text('an', 16) + '$' + rand.text('an', 86))}:19000:0:99999:7:::\n" for i in range(3)
        )
    if form == "yaml":
        return (
            "argocd-values.yaml",
            f'configs:\n  secret:\n    argocdServerAdminPassword: "{mark("d:password-hash", values.bcrypt(rand))}"\n    argocdServerAdminPasswordMtime: "2026-01-01T00:00:00Z"\ngrafana:\n  adminPassword: ""\n',
        )
    return "tests/test_hash.py", f'HASHED_PASSWORD = "{h()}"\n\n\ndef test_verify():\n    assert not hasher.verify("wrong", HASHED_PASSWORD)\n'


@decoy("wrong-checksum", 1.5)
def validator_tests(rand):
    rows = [mark("d:wrong-checksum", values.wrong_checksum(rand)) for _ in range(4)] + [
        mark("d:wrong-length", values.wrong_length(rand)) for _ in range(6)
    ]
    if rand.chance(0.5):
        return (
            "tests/test_token_format.py",
            "import pytest\n\nREJECTED = [\n"
            + "".join(f'    "{r}",\n' for r in rows)
            + ']\n\n\n@pytest.mark.parametrize("text", REJECTED)\ndef test_rejected(text):\n    assert not looks_like_token(text)\n',
        )
    return (
        "validator.test.ts",
        "describe('rejects', () => {\n  it.each([\n"
        + "".join(f"    '{r}',\n" for r in rows)
        + "  ])('%s', (text) => expect(isToken(text)).toBe(false));\n});\n",
    )


@decoy("documented", 1.5)
def documented(rand):
    sample = [mark("d:documented", values.documented(rand)) for _ in range(4)]
    return (
        "docs/authentication.md",
        "# Authentication\n\nReplace the samples with your own.\n\n```sh\n"
        + "\n".join(f"export SAMPLE_{i}={s}" for i, s in enumerate(sample))
        + "\ncurl https://api.example.com/v1/me -H 'Authorization: Bearer <token>'\ncurl -u username:password https://api.example.com\npsql postgres://user:password@localhost:5432/mydb\nexport OPENAI_API_KEY=sk-...\nexport ANTHROPIC_API_KEY=\"sk-ant-...\"\nexport GITHUB_TOKEN=ghp_" + "x" * 36 + "\n```\n",
    )


@decoy("placeholder-urls")
def placeholder_urls(rand):
    rows = [
        "postgres://user:password@localhost:5432/db",
        "mysql://root:root@localhost/test",
        "mongodb://<username>:<password>@<host>/<db>",
        "redis://:password@localhost:6379",
        "postgresql://${DB_USER}:${DB_PASS}@${DB_HOST}/app",
        "https://username:password@example.com/",
        "amqp://guest:guest@localhost:5672/",
        "jdbc:postgresql://localhost:5432/app?user=postgres&password=postgres",
        "mongodb+srv://user:<db_password>@cluster0.example.mongodb.net",
        "Server=localhost;Database=app;User Id=sa;Password=<password>;",
        "postgres://%s:%s@%s/%s",
        "ftp://anonymous:anonymous@ftp.example.com",
    ]
    return "docs/databases.md", "# Connection strings\n\n" + "".join(f"- `{mark('d:placeholder', r)}`\n" for r in rows)
