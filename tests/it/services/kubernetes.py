"""What the tests of a real API server need of Python: `keys FOLDER` makes the pair that signs its tokens; `sign FOLDER` makes a token
of the claims on stdin with it, as its controller would; `ask URL CA TOKEN` sends the
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


def sign(folder):
    from base64 import urlsafe_b64encode

    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    key = serialization.load_pem_private_key((pathlib.Path(folder) / "sa.key").read_bytes(), None)
    part = lambda data: urlsafe_b64encode(data).rstrip(b"=")
    text = part(b'{"alg":"RS256","kid":""}') + b"." + part(sys.stdin.buffer.read())
    print((text + b"." + part(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))).decode(), end="")


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


{"keys": keys, "sign": sign, "ask": ask}[sys.argv[1]](*sys.argv[2:])
