"""Data: logs, ids, embeddings, dumps, histories."""

import json

from ..mark import mark
from . import ids, values
from .whole import decoy


@decoy("access-log", 1.5)
def access_log(rand):
    def row():
        return f'10.0.{rand.randint(0, 255)}.{rand.randint(1, 254)} - - [{rand.randint(10, 28)}/Mar/2026:1{rand.randint(0, 9)}:{rand.randint(10, 59)}:12 +0000] "GET /api/{rand.choice(["orders", "password-reset", "token/refresh", "keys"])}/{rand.uuid()}?cursor={rand.text("an", 24)}&v={rand.text("hex", 8)} HTTP/1.1" {rand.choice([200, 304, 401])} {rand.randint(100, 99999)} "-" "Mozilla/5.0" rid={rand.text("hex", 32)} etag="{rand.text("hex", 32)}"'

    return "var/log/nginx/access.log", "\n".join(row() for _ in range(40)) + "\n"


@decoy("trace-log")
def traces(rand):
    return "spans.jsonl", "".join(
        json.dumps(
            {
                "trace_id": rand.text("hex", 32),
                "span_id": rand.text("hex", 16),
                "parent_id": rand.text("hex", 16),
                "name": rand.choice(["verify_token", "hash_password", "load_secret"]),
                "request_id": rand.uuid(),
                "x-amzn-trace-id": f"Root=1-{rand.text('hex', 8)}-{rand.text('hex', 24)}",
                "cf_ray": rand.text("hex", 16) + "-FRA",
            }
        )
        + "\n"
        for _ in range(20)
    )


@decoy("llm-log")
def llm_log(rand):
    return "completions.jsonl", "".join(
        json.dumps(
            {
                "id": "chatcmpl-" + rand.text("an", 29),
                "request_id": "req_" + rand.text("hex", 32),
                "system_fingerprint": "fp_" + rand.text("hex", 10),
                "model": "gpt-4o-mini",
                "organization": "org-" + rand.text("an", 24),
                "tool_call_id": "call_" + rand.text("an", 24),
                "prompt_tokens": rand.randint(1, 900),
                "content": "How do I reset my password?",
            }
        )
        + "\n"
        for _ in range(16)
    )


@decoy("embeddings")
def embeddings(rand):
    return "vectors.json", json.dumps([{"id": rand.uuid(), "values": [round(rand.uniform(-1, 1), 8) for _ in range(64)]} for _ in range(6)]) + "\n"


@decoy("vendor-ids", 3)
def vendor_ids(rand):
    rows = [(*ids.vendor_id(rand), "vendor-id") for _ in range(9)] + [(*ids.same_shape(rand), "same-shape") for _ in range(6)]
    names = [f"{name}_{i}" for i, (name, _, _) in enumerate(rows)]
    texts = [mark("d:" + kind, value) for _, value, kind in rows]
    form = rand.choice(["json", "yaml", "py", "csv", "env", "ts"])
    one = {
        "json": '  "{n}": "{t}",\n',
        "yaml": "  {n}: {t}\n",
        "py": '{u} = "{t}"\n',
        "csv": "{n},{t}\n",
        "ts": '  {n}: "{t}",\n',
        "env": "{u}={t}\n",
    }[form]
    body = "".join(one.format(n=name, u=name.upper(), t=text) for name, text in zip(names, texts))
    if form == "json":
        return "fixtures/ids.json", "{\n" + body.rstrip(",\n") + "\n}\n"
    head, tail = {"yaml": ("ids:\n", ""), "csv": ("kind,id\n", ""), "ts": ("export const ids = {\n", "};\n")}.get(form, ("", ""))
    return {"yaml": "config/ids.yaml", "py": "constants.py", "csv": "ids.csv", "ts": "src/ids.ts", "env": "ids.env"}[form], head + body + tail


@decoy("uuids", 1.5)
def uuids(rand):
    if rand.chance(0.5):
        return "dump.sql", "".join(
            f"INSERT INTO orders (id, customer_id, session_id, etag, api_key_id) VALUES ('{rand.uuid()}', '{rand.uuid()}', '{rand.uuid()}', '{rand.text('hex', 32)}', {rand.randint(1, 999)});\n"
            for _ in range(20)
        )
    return "sessions.csv", "id,user_id,device_id,token_type,created\n" + "".join(
        f"{rand.uuid()},{rand.uuid()},{rand.text('hex', 16)},bearer,2026-03-{rand.randint(10, 28)}\n" for _ in range(20)
    )


@decoy("graph-ids")
def graph_ids(rand):
    import base64

    return (
        "graphql-response.json",
        json.dumps(
            {
                "data": {
                    "nodes": [
                        {
                            "id": base64.b64encode(f"Order:{rand.randint(10**6, 10**9)}".encode()).decode(),
                            "cursor": base64.b64encode(f'{{"created":"2026-03-01T00:00:00Z","id":"{rand.uuid()}"}}'.encode()).decode(),
                            "databaseId": rand.randint(10**6, 10**9),
                        }
                        for _ in range(12)
                    ]
                }
            },
            indent=2,
        )
        + "\n",
    )


@decoy("git-history")
def git_log(rand):
    return rand.choice(["CHANGELOG.md", "git-log.txt"]), "".join(
        f"commit {rand.text('hex', 40)}\nAuthor: Kim <kim@acme-corp.io>\n\n    {rand.choice(['Rotate the API key', 'Remove leaked password', 'Fix token refresh', 'Bump secret store client'])} (#{rand.randint(10, 999)})\n    Change-Id: I{rand.text('hex', 40)}\n\n"
        for _ in range(12)
    )


@decoy("chain-data")
def chain(rand):
    return (
        "contracts/deployments.json",
        json.dumps(
            {
                "chainId": 1,
                "contracts": {
                    n: {
                        "address": "0x" + rand.text("hex", 40),
                        "transactionHash": "0x" + rand.text("hex", 64),
                        "blockHash": "0x" + rand.text("hex", 64),
                        "bytecode": "0x6080604052" + rand.text("hex", 400),
                    }
                    for n in ("Token", "Vault", "SecretSanta")
                },
            },
            indent=2,
        )
        + "\n",
    )


@decoy("notebook-output")
def notebook(rand):
    return (
        "analysis.ipynb",
        '{\n "cells": [\n  {\n   "cell_type": "code",\n   "id": "'
        + rand.text("hex", 8)
        + '",\n   "outputs": [\n    {\n     "data": {\n      "image/png": "'
        + mark("d:base64-image", values.image(rand, 1200, 2500).split(",")[1])
        + '"\n     },\n     "output_type": "display_data"\n    }\n   ],\n   "source": [\n    "api_key = os.environ[\\"OPENAI_API_KEY\\"]\\n",\n    "client = OpenAI()"\n   ]\n  }\n ],\n "nbformat": 4\n}\n',
    )


@decoy("response-headers")
def http_dump(rand):
    import base64

    return (
        "response.txt",
        f"HTTP/2 200\ndate: Tue, 03 Mar 2026 10:11:12 GMT\netag: W/\"{rand.text('hex', 32)}\"\nx-request-id: {rand.uuid()}\nx-amz-request-id: {rand.text('UAN', 16)}\nx-amz-id-2: {base64.b64encode(rand.randbytes(56)).decode()}\nx-amz-version-id: {rand.text('url', 32)}\ncf-ray: {rand.text('hex', 16)}-FRA\nx-goog-hash: crc32c={base64.b64encode(rand.randbytes(4)).decode()}\ncontent-md5: {base64.b64encode(rand.randbytes(16)).decode()}\nx-github-request-id: {rand.text('HEX', 4)}:{rand.text('HEX', 6)}:{rand.text('HEX', 7)}\nvary: Authorization\n",
    )


@decoy("csv-people")
def people(rand):
    return "contacts.csv", "name,phone,iban,account\n" + "".join(
        f"Kim {i},+49 30 {rand.text('dig', 8)},DE{rand.text('dig', 20)},{rand.text('dig', 16)}\n" for i in range(20)
    )
