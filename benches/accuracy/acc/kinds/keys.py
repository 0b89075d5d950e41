"""Private keys in their many wrappings, age, JWK, WireGuard, and signed tokens of no particular vendor."""
import json

from .. import der
from ..checksum import bech32
from ..kind import b64, b64url, jwt, one, rs256, several

PEM_FILES = "pem_file yaml_block env_escaped json_escaped py_triple js_template go_raw tf_heredoc k8s_secret_pem compose_block readme_block"


def pem_kind(name, make, **more):
    more.setdefault("vendor", "private_key")
    one("private_key." + name, "P workload", make, "PRIVATE_KEY SIGNING_KEY TLS_KEY SSH_KEY JWT_PRIVATE_KEY", "", "",
        multiline=True, only=more.pop("only", PEM_FILES), encodings=False, **more)


def jwk(rand, _):
    key = der.rsa(rand)
    def number(value):
        return b64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
    return json.dumps({"kty": "RSA", "kid": rand.text("url", 16), "use": "sig", "alg": "RS256", "n": number(key["n"]), "e": "AQAB",
                       "d": number(key["d"]), "p": number(key["p"]), "q": number(key["q"]), "dp": number(key["dp"]),
                       "dq": number(key["dq"]), "qi": number(key["qi"])}, indent=2)


def scalar(rand):
    return rand.randrange(1, der.P256["n"])


def wireguard(rand):
    raw = bytearray(rand.randbytes(32))
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return b64(bytes(raw))


pem_kind("rsa", lambda r, _: der.pem("RSA PRIVATE KEY", der.pkcs1(der.rsa(r))), share=1.5)
pem_kind("pkcs8_rsa", lambda r, _: der.pem("PRIVATE KEY", der.pkcs8(der.rsa_algorithm(), der.pkcs1(der.rsa(r)))), share=1.5)
pem_kind("ec", lambda r, _: der.pem("EC PRIVATE KEY", der.sec1(scalar(r))))
pem_kind("pkcs8_ec", lambda r, _: der.pem("PRIVATE KEY", der.pkcs8(der.ec_algorithm(), der.sec1(scalar(r), False))))
pem_kind("pkcs8_ed25519", lambda r, _: der.pem("PRIVATE KEY", der.pkcs8(der.sequence(der.ED25519_OID), der.tlv(4, r.randbytes(32)))), share=0.7)
pem_kind("dsa", lambda r, _: der.pem("DSA PRIVATE KEY", der.dsa(r)), share=0.4)
pem_kind("openssh_ed25519", lambda r, _: der.openssh(r, "deploy@build-01"), share=1.5)
pem_kind("openssh_rsa", lambda r, _: der.openssh(r, "deploy@build-01", der.rsa(r)))
pem_kind("pgp", lambda r, _: der.pgp(r, "PRIVATE KEY BLOCK", der.rsa(r)), share=0.7, only="pem_file yaml_block")
pem_kind("spiffe_x509_svid", lambda r, _: svid(r), share=0.7, only="pem_file")
pem_kind("encrypted", lambda r, _: der.pem("ENCRYPTED PRIVATE KEY", der.encrypted_pkcs8(r)), neutral=True, share=0.5)
pem_kind("openssh_encrypted", lambda r, _: der.openssh(r, "kim@laptop", None, b"aes256-ctr"), neutral=True, share=0.5)


def svid(rand):
    """What SPIRE's `x509 fetch -write` leaves: the certificate with its SPIFFE id, then the key."""
    key = scalar(rand)
    cert = der.certificate(rand, "spire", der.point(key), der.ec_algorithm(), "spiffe://prod.acme.io/ns/payments/sa/api")
    return der.pem("CERTIFICATE", cert) + der.pem("PRIVATE KEY", der.pkcs8(der.ec_algorithm(), der.sec1(key, False)))


several("github.app_key", "P workload", [("id?", "{dig:6}", "GITHUB_APP_ID"), ("key", lambda r, _: der.pem("RSA PRIVATE KEY", der.pkcs1(der.rsa(r))), "GITHUB_APP_PRIVATE_KEY")],
        "", "", multiline=True, only="yaml_block env_escaped json_escaped", encodings=False, share=0.7)
one("age.secret_key", "P workload", lambda r, _: bech32("age-secret-" + "key-", r.randbytes(32)).upper(), "SOPS_AGE_KEY AGE_KEY", "", "")
one("jwk.private", "P workload", jwk, "", "", "", multiline=True, only="jwk_json", encodings=False, vendor="jwk", share=0.7)
one("wireguard.private_key", "U workload", lambda r, _: wireguard(r), "PrivateKey", "", "", only="wireguard", encodings=False, share=0.7)
one("ethereum.private_key", "U workload", ["0x{hex:64}", "{hex:64}"], "ETH_PRIVATE_KEY DEPLOYER_PRIVATE_KEY WALLET_PRIVATE_KEY", "", "", share=0.7)
one("jwt.hs256", "P workload", lambda r, _: jwt(r, {"iss": "https://auth.acme-corp.io", "sub": r.uuid(), "scope": "orders:write", "iat": 1780000000 + r.randrange(10**6), "exp": 1890000000 + r.randrange(10**6)}),
    "SERVICE_JWT ACCESS_TOKEN AUTH_TOKEN JWT", "https://api.acme-corp.io/v1/orders", vendor="jwt", share=1.5)
one("jwt.rs256", "P workload", lambda r, _: rs256(r, {"iss": "https://acme.eu.auth0.com/", "sub": r.text("an", 32) + "@clients", "aud": "https://api.acme-corp.io", "exp": 1890000000 + r.randrange(10**6)}),
    "BEARER_TOKEN ID_TOKEN MACHINE_TOKEN", "https://api.acme-corp.io/v1/orders", vendor="jwt", encodings=False)
one("k8s.kubeconfig_client_key", "P workload", lambda r, _: der.pem("RSA PRIVATE KEY", der.pkcs1(der.rsa(r))), "client-key-data", "", "",
    multiline=True, only="kubeconfig", encodings=False, vendor="kubernetes", share=0.7)
