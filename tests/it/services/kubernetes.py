"""What the tests of a real API server need of Python: `keys FOLDER` makes the pair that signs its tokens; `ask URL CA TOKEN` sends the
requests on stdin, a JSON list of [method, path, body], and prints a JSON list of [status, body]. A path `wait` waits for it."""

import json
import pathlib
import ssl
import sys
import time
import urllib.error
import urllib.request


def keys(folder):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pair, pem = rsa.generate_private_key(65537, 2048), serialization.Encoding.PEM
    private = pair.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = pair.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    (pathlib.Path(folder) / "sa.key").write_bytes(private)
    (pathlib.Path(folder) / "sa.pub").write_bytes(public)


def ask(url, authority, token):
    context = ssl.create_default_context(cafile=authority)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))

    def send(method, path, body):
        data = None if body is None else json.dumps(body).encode()
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"authorization": f"Bearer {token}", "content-type": kind}
        request = urllib.request.Request(url + path, data=data, method=method, headers=headers)
        try:
            with opener.open(request, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        try:
            return [status, json.loads(text)]
        except ValueError:
            return [status, text.decode(errors="replace")]

    def wait():
        for _ in range(600):
            try:
                if send("GET", "/readyz", None)[0] == 200:
                    return [200, None]
            except OSError:
                pass
            time.sleep(0.2)
        return [0, None]

    print(json.dumps([wait() if path == "wait" else send(method, path, body) for method, path, body in json.load(sys.stdin)]))


{"keys": keys, "ask": ask}[sys.argv[1]](*sys.argv[2:])
