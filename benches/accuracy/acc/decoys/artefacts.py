"""Binary and generated files: images, archives, encoded blobs, infrastructure ids."""

import base64
import gzip
import io
import json

from ..mark import mark
from .whole import decoy


@decoy("binary")
def png(rand):
    return "assets/icon.png", b"\x89PNG\r\n\x1a\n" + rand.randbytes(4000)


@decoy("binary")
def compiled(rand):
    return "lib/native.so", b"\x7fELF\x02\x01\x01" + rand.randbytes(3000) + b"password\0token\0api_key\0get_secret\0" + rand.randbytes(3000)


@decoy("binary", 0.5)
def archive(rand):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as file:
        file.write(b"order,amount\n" + b"1,2\n" * 500)
    return "data/orders.csv.gz", out.getvalue()


@decoy("base64-blob")
def blob(rand):
    raw = base64.b64encode(rand.randbytes(3000)).decode()
    rows = [raw[i : i + 76] for i in range(0, len(raw), 76)]
    return (
        "mail/attachment.eml",
        "Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n" + mark("d:base64-blob", "\n".join(rows)) + "\n",
    )


@decoy("base64-text")
def encoded_text(rand):
    """Encoded, but harmless: configuration, prose, a protobuf descriptor."""
    rows = {
        "config_b64": base64.b64encode(b"log_level: info\nworkers: 4\nregion: eu-west-1\n").decode(),
        "user_data": base64.b64encode(b"#!/bin/bash\napt-get update && apt-get install -y docker.io\nsystemctl enable docker\n").decode(),
        "descriptor": base64.b64encode(b"\n\x0borders.proto" + rand.randbytes(200)).decode(),
        "welcome_text": base64.b64encode("Welcome! Please set your password at first login.".encode()).decode(),
        "state": base64.b64encode(json.dumps({"page": rand.randint(1, 99), "sort": "created", "id": rand.uuid()}).encode()).decode(),
    }
    return "launch-template.json", json.dumps({k: v for k, v in rows.items()}, indent=2) + "\n"


@decoy("tfstate-ids")
def state(rand):
    def attributes():
        return {
            "id": "i-0" + rand.text("hex", 16),
            "arn": f"arn:aws:ec2:eu-west-1:{rand.text('dig', 12)}:instance/i-0{rand.text('hex', 16)}",
            "subnet_id": "subnet-0" + rand.text("hex", 16),
            "key_name": "deploy-key",
            "password_data": "",
            "etag": rand.text("hex", 32),
            "kms_key_id": f"arn:aws:kms:eu-west-1:{rand.text('dig', 12)}:key/{rand.uuid()}",
            "source_code_hash": base64.b64encode(rand.randbytes(32)).decode(),
            "unique_id": "AROA" + rand.text("b32", 17),
            "version_id": rand.text("url", 32),
        }

    return (
        "terraform.tfstate",
        json.dumps(
            {
                "version": 4,
                "serial": rand.randint(1, 99),
                "lineage": rand.uuid(),
                "resources": [{"type": "aws_instance", "name": f"n{i}", "instances": [{"attributes": attributes()}]} for i in range(5)],
            },
            indent=2,
        )
        + "\n",
    )


@decoy("k8s-objects")
def objects(rand):
    return "cluster-dump.yaml", "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: api-{rand.text('hex', 10)}-{rand.text('b32l', 5)}\n  uid: {rand.uuid()}\n  resourceVersion: \"{rand.randint(10**6, 10**8)}\"\n  annotations:\n    checksum/secret: {rand.text('hex', 64)}\nspec:\n  containers:\n    - image: registry.acme-corp.io/api@sha256:{rand.text('hex', 64)}\n      env:\n        - name: DB_PASSWORD\n          valueFrom:\n            secretKeyRef: {{name: db, key: password}}\n  serviceAccountName: api\n  volumes:\n    - secret:\n        secretName: api-token-{rand.text('b32l', 5)}\n"
        for _ in range(4)
    )


@decoy("manifest-digests")
def digests(rand):
    return (
        "oci-index.json",
        json.dumps(
            {
                "schemaVersion": 2,
                "manifests": [
                    {
                        "mediaType": "application/vnd.oci.image.manifest.v1+json",
                        "digest": "sha256:" + rand.text("hex", 64),
                        "size": rand.randint(400, 9000),
                    }
                    for _ in range(8)
                ],
            },
            indent=2,
        )
        + "\n",
    )


@decoy("model-card")
def model_card(rand):
    return (
        "model/config.json",
        json.dumps(
            {
                "_commit_hash": rand.text("hex", 40),
                "pad_token": "<pad>",
                "eos_token": "</s>",
                "bos_token_id": 1,
                "unk_token": "<unk>",
                "max_new_tokens": 512,
                "tokenizer_class": "LlamaTokenizerFast",
                "special_tokens_map": {"mask_token": "[MASK]", "cls_token": "[CLS]"},
                "secret_level": 0,
                "key_dim": 64,
                "num_key_value_heads": 8,
            },
            indent=2,
        )
        + "\n",
    )


@decoy("tokenizer")
def tokenizer(rand):
    return (
        "model/vocab.json",
        json.dumps(
            {
                ("Ġ" if rand.chance(0.5) else "")
                + rand.choice(["password", "token", "secret", "key", "api"])
                + rand.text("low", rand.randint(0, 5)): i
                for i in range(120)
            },
            ensure_ascii=False,
        )
        + "\n",
    )
