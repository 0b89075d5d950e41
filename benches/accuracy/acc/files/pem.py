"""Private keys and other values of several lines."""

import json

from .. import names, prose
from ..mark import mark
from ..slot import json_text
from .base import around, fmt, folder, unique


def lines_of(slot):
    return slot.main.value.rstrip("\n").split("\n")


def indented(slot, indent):
    """The value with each line indented; the mark starts at the first BEGIN."""
    rows = lines_of(slot)
    return indent + slot.wrap(("\n" + indent).join(rows))


def beside(rand, slot):
    return [f"{names.upper(p.words)}: {p.text}" for p in slot.pieces[:-1]]


@fmt("pem_file", 0, 1)
def pem_file(rand, slots):
    slot = slots[0]
    kind = slot.kind.id.split(".")[1]
    names_for = {"openssh": ["id_ed25519", "id_rsa", "deploy_key", "bastion.key"], "pgp": ["release.asc", "signing-key.asc"], "spiffe": ["svid.pem"]}
    name = rand.choice(names_for.get(kind.split("_")[0], ["server.key", "tls.key", "private.pem", "jwtRS256.key", "key.pem", "client-key.pem"]))
    return (
        f"{rand.choice(['certs', 'home/deploy/.ssh', 'config/keys', 'ssl', 'secrets'])}-{rand.text('lan', 4)}/{name}",
        slot.wrap(slot.main.value.rstrip("\n")) + "\n",
    )


@fmt("yaml_block", 0, 1)
def yaml_block(rand, slots):
    slot = slots[0]
    lines = [
        f"app: {prose.project(rand)}",
        *(row.lower() for row in beside(rand, slot)),
        f"{rand.choice([names.camel, names.lower])(slot.main.words)}: {rand.choice(['|', '|-'])}",
        indented(slot, "  "),
        "replicas: 2",
    ]
    return f"{folder(rand)}/config/keys_{rand.text('lan', 3)}.yaml", "\n".join(lines) + "\n"


@fmt("compose_block", 0, 1)
def compose_block(rand, slots):
    return (
        f"{folder(rand)}/docker-compose.override.yml",
        "services:\n  api:\n    image: ghcr.io/acme/api\n    environment:\n      LOG_LEVEL: info\n      "
        + names.upper(slots[0].main.words)
        + ": |\n"
        + indented(slots[0], "        ")
        + "\n",
    )


@fmt("env_escaped", 0, 1)
def env_escaped(rand, slots):
    slot = slots[0]
    rows = [f"{names.upper(row.words)}={row.text if ' ' not in row.text else chr(34) + row.text + chr(34)}" for row in unique(around(rand))]
    own = [f"{names.upper(p.words)}={p.text}" for p in slot.pieces[:-1]]
    form = rand.choice(["escaped", "escaped", "raw"])
    text = slot.wrap("\\n".join(lines_of(slot)) + "\\n") if form == "escaped" else slot.wrap(slot.main.value.rstrip("\n"))
    return (
        f"{folder(rand)}/{rand.choice(['.env', '.env.local'])}",
        "\n".join([*rows, *own, f'{names.upper(slot.main.words)}="{text}"', "PORT=8080"]) + "\n",
    )


@fmt("json_escaped", 0, 1)
def json_escaped(rand, slots):
    slot = slots[0]
    own = "".join(f'  "{names.camel(p.words)}": "{p.text}",\n' for p in slot.pieces[:-1])
    return (
        f"{folder(rand)}/config/keys_{rand.text('lan', 3)}.json",
        f'{{\n  "env": "prod",\n{own}  "{names.camel(slot.main.words)}": "{slot.wrap(json_text(slot.main.value))}",\n  "kid": "{mark("d:uuid", rand.uuid())}"\n}}\n',
    )


@fmt("py_triple", 0, 1)
def py_triple(rand, slots):
    slot = slots[0]
    return (
        f"{folder(rand)}/keys_{rand.text('lan', 3)}.py",
        f'import jwt\n\n{names.upper(slot.main.words)} = """{slot.wrap(slot.main.value.rstrip(chr(10)))}\n"""\n\n\ndef sign(claims):\n    return jwt.encode(claims, {names.upper(slot.main.words)}, algorithm="RS256")\n',
    )


@fmt("js_template", 0, 1)
def js_template(rand, slots):
    slot = slots[0]
    name = names.camel(slot.main.words)
    if rand.chance(0.5):
        body = f"`{slot.wrap(slot.main.value.rstrip(chr(10)))}\n`"
    else:
        body = slot.wrap(" +\n  ".join(f'"{row}\\n"' for row in lines_of(slot)))
    return (
        f"{folder(rand)}/src/keys_{rand.text('lan', 3)}.js",
        f'const jwt = require("jsonwebtoken");\n\nconst {name} = {body};\n\nmodule.exports.sign = (claims) => jwt.sign(claims, {name}, {{ algorithm: "RS256" }});\n',
    )


@fmt("go_raw", 0, 1)
def go_raw(rand, slots):
    slot = slots[0]
    return (
        f"{folder(rand)}/internal/keys_{rand.text('lan', 3)}.go",
        f"package keys\n\nvar {names.camel(slot.main.words)} = []byte(`{slot.wrap(slot.main.value.rstrip(chr(10)))}\n`)\n",
    )


@fmt("tf_heredoc", 0, 1)
def tf_heredoc(rand, slots):
    slot = slots[0]
    return (
        f"infra/{prose.project(rand)}-{rand.text('lan', 3)}/main.tf",
        f'resource "tls_self_signed_cert" "main" {{\n  validity_period_hours = 8760\n}}\n\nlocals {{\n  {names.lower(slot.main.words)} = <<-EOT\n{indented(slot, "    ")}\n  EOT\n}}\n',
    )


@fmt("k8s_secret_pem", 0, 1)
def k8s_secret_pem(rand, slots):
    import base64

    slot = slots[0]
    text = base64.b64encode(slot.main.value.encode()).decode()
    slot.encoding = "base64"
    cert = mark(
        "d:certificate",
        base64.b64encode(b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(rand.randbytes(600)) + b"\n-----END CERTIFICATE-----\n").decode(),
    )
    return (
        f"deploy/k8s/tls/{rand.text('lan', 5)}-tls.yaml",
        f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {prose.project(rand)}-tls\ntype: kubernetes.io/tls\ndata:\n  tls.crt: {cert}\n  tls.key: {slot.wrap(text)}\n",
    )


@fmt("readme_block", 0, 1)
def readme_block(rand, slots):
    return (
        f"{folder(rand)}/docs/keys_{rand.text('lan', 3)}.md",
        f"# Access\n\nThe bastion takes this key:\n\n```\n{slots[0].wrap(slots[0].main.value.rstrip(chr(10)))}\n```\n\n{prose.sentence(rand)}\n",
    )


@fmt("sa_json", 0, 1)
def sa_json(rand, slots):
    slot = slots[0]
    form = rand.choice(["file", "file", "env", "python"])
    compact = json.dumps(json.loads(slot.main.value))
    if form == "env":
        return f"{folder(rand)}/.env", f"PORT=8080\nGOOGLE_APPLICATION_CREDENTIALS_JSON='{slot.wrap(compact)}'\nLOG_LEVEL=info\n"
    if form == "python":
        return (
            f"{folder(rand)}/gcp_{rand.text('lan', 3)}.py",
            f"from google.oauth2 import service_account\n\nINFO = {slot.wrap(json.dumps(json.loads(slot.main.value), indent=4))}\n\ncredentials = service_account.Credentials.from_service_account_info(INFO)\n",
        )
    return (
        f"{folder(rand)}/{rand.choice(['service-account', 'gcp-key', 'credentials', 'firebase-adminsdk'])}-{rand.text('lan', 4)}.json",
        slot.wrap(slot.main.value) + "\n",
    )


@fmt("adc_json", 0, 1)
def adc_json(rand, slots):
    rows = [f'  "{p.role if p.role != "client" else "client_id"}": "{p.text}"' for p in slots[0].pieces]
    rows = [row.replace('"secret"', '"client_secret"').replace('"refresh"', '"refresh_token"') for row in rows]
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.config/gcloud/application_default_credentials.json",
        '{\n  "account": "",\n' + ",\n".join(rows) + ',\n  "type": "authorized_user",\n  "universe_domain": "googleapis.com"\n}\n',
    )


@fmt("jwk_json", 0, 1)
def jwk_json(rand, slots):
    return f"{folder(rand)}/config/jwk_{rand.text('lan', 3)}.json", slots[0].wrap(slots[0].main.value) + "\n"


@fmt("kubeconfig", 0, 1)
def kubeconfig(rand, slots):
    import base64

    from ..der import certificate, ec_algorithm, point

    cluster = rand.choice(["prod", "staging", "ml"])
    cert = base64.b64encode(certificate(rand, "kubernetes", point(rand.getrandbits(250) | 1), ec_algorithm())).decode()
    user = [f"    token: {slots[0].main.text}"]
    if slots[0].kind.multiline:
        slots[0].encoding = "base64"
        user = [
            f"    client-certificate-data: {mark('d:certificate', cert)}",
            "    client-key-data: " + slots[0].wrap(base64.b64encode(slots[0].main.value.encode()).decode()),
        ]
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.kube/config",
        "\n".join(
            [
                "apiVersion: v1",
                "kind: Config",
                "clusters:",
                "- cluster:",
                f"    certificate-authority-data: {mark('d:certificate', cert)}",
                f"    server: https://{cluster}.k8s.acme-corp.io:6443",
                f"  name: {cluster}",
                "contexts:",
                "- context:",
                f"    cluster: {cluster}",
                "    user: deployer",
                f"  name: {cluster}",
                f"current-context: {cluster}",
                "users:",
                "- name: deployer",
                "  user:",
                *user,
            ]
        )
        + "\n",
    )


@fmt("wireguard", 0, 1)
def wireguard(rand, slots):
    return (
        f"etc/wireguard-{rand.text('lan', 4)}/wg0.conf",
        f"[Interface]\nAddress = 10.8.0.2/24\nPrivateKey = {slots[0].main.text}\nDNS = 1.1.1.1\n\n[Peer]\nPublicKey = {mark('d:public-key', rand.text('b64', 43) + '=')}\nEndpoint = vpn.acme-corp.io:51820\nAllowedIPs = 0.0.0.0/0\n",
    )
