"""Look-alike values, by kind of decoy. Each maker is random but never makes a credential."""

import base64

from ..checksum import crc_base62

PLACEHOLDERS = [
    "your-api-key-here",
    "<your-token>",
    "<API_KEY>",
    "xxxxxxxxxxxxxxxx",
    "XXXXXXXXXXXXXXXXXXXX",
    "changeme",
    "CHANGE_ME",
    "replace-me",
    "REPLACE_WITH_YOUR_KEY",
    "your_secret_key_here",
    "insert-key-here",
    "********",
    "****************",
    "[REDACTED]",
    "<redacted>",
    "TODO",
    "...",
    "dummy",
    "example",
    "placeholder",
    "not-a-real-key",
    "none",
    "null",
    "your-256-bit-secret",
    "test",
    "{{ token }}",
    "%API_KEY%",
    "my-secret-token",
    "put_your_password_here",
    "enter your password",
    "sk-...",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_" + "x" * 36,
    "sk-your-key",
    "hf_your_token_here",
    "AKIA" + "X" * 16,
    "xoxb-your-token",
    "pk_test_your_key",
    "SG.your_key",
    "<paste here>",
    "0000000000000000",
    "secret-goes-here",
    "fake-key-for-tests",
    "YOUR_ACCESS_TOKEN",
    "super-secret-change-in-production",
]

REFERENCES = [
    "${%s}",
    "$%s",
    "{{ .Values.secrets.%s }}",
    "${env:%s}",
    "${{ secrets.%s }}",
    "%%(%s)s",
    "{{ lookup('env', '%s') }}",
    "!Ref %s",
    "#{%s}",
    "vault:secret/data/app#%s",
    "ref+awsssm://prod/%s",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/%s-AbCdEf",
    "op://Production/%s/credential",
    "${ssm:/prod/%s}",
    "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/%s/)",
    "projects/acme-prod/secrets/%s/versions/latest",
    "env.%s",
    "process.env.%s",
    "{{ op://vault/%s }}",
    "<%%= ENV['%s'] %%>",
    "/run/secrets/%s",
    "file:/etc/secrets/%s",
    "doppler://%s",
    "keyring://%s",
]


def placeholder(rand):
    return rand.choice(PLACEHOLDERS)


def reference(rand, name):
    return rand.choice(REFERENCES) % name


def bcrypt(rand):
    letters = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"$2{rand.choice('aby')}${rand.choice(['10', '12'])}$" + rand.text(letters, 53)


def argon2(rand):
    return f"$argon2id$v=19$m=65536,t=3,p=4${rand.text('b64', 22)}${rand.text('b64', 43)}"


def password_hash(rand):
    return rand.choice(
        [
            bcrypt(rand),
            bcrypt(rand),
            argon2(rand),
            f"pbkdf2_sha256$600000${rand.text('an', 22)}${rand.text('b64', 43)}=",
            "{SSHA}" + base64.b64encode(rand.randbytes(28)).decode(),
            f"$6$rounds=5000${rand.text('an', 16)}${rand.text('./' + 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', 86)}",
            f"scrypt:32768:8:1${rand.text('an', 16)}${rand.text('hex', 128)}",
            f"SCRAM-SHA-256$4096:{rand.text('b64', 22)}==${rand.text('b64', 43)}=:{rand.text('b64', 43)}=",
            f"$apr1${rand.text('an', 8)}${rand.text('an', 22)}",
        ]
    )


def integrity(rand, algorithm="sha512"):
    return f"{algorithm}-" + base64.b64encode(rand.randbytes({"sha512": 64, "sha384": 48, "sha256": 32, "sha1": 20}[algorithm])).decode()


def image(rand, low=300, high=900):
    """A data URI. The bytes after the header are noise, as compressed pixels are."""
    head, raw = rand.choice(
        [
            ("png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00 \x00\x00\x00 \x08\x06\x00\x00\x00szz\xf4\x00\x00"),
            ("jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01"),
            ("gif", b"GIF89a \x00 \x00\xf7\x00\x00"),
            ("webp", b"RIFF\x24\x03\x00\x00WEBPVP8 "),
        ]
    )
    return f"data:image/{head};base64," + base64.b64encode(raw + rand.randbytes(rand.randint(low, high))).decode()


def wrong_checksum(rand):
    """A GitHub or npm token whose checksum does not fit its body: nobody ever issued it."""
    body = rand.text("an", 30)
    right = crc_base62(body)
    while True:
        wrong = rand.text("an", 6)
        if wrong != right:
            return rand.choice(["gh" + "p_", "gh" + "o_", "gh" + "u_", "np" + "m_"]) + body + wrong


def wrong_length(rand):
    """A prefix everybody knows on a body that is too short or too long to be one."""
    return rand.choice(
        [
            lambda: "gh" + "p_" + rand.text("an", 22),
            lambda: "AK" + "IA" + rand.text("b32", 10),
            lambda: "gl" + "pat-" + rand.text("an", 9),
            lambda: "hf" + "_" + rand.text("let", 18),
            lambda: "gs" + "k_" + rand.text("an", 30),
            lambda: "SG" + "." + rand.text("an", 10) + "." + rand.text("an", 20),
            lambda: "AI" + "za" + rand.text("an", 20),
            lambda: "xoxb-" + rand.text("dig", 6),
            lambda: "dop" + "_v1_" + rand.text("hex", 40),
            lambda: "r8" + "_" + rand.text("an", 12),
            lambda: "pplx-" + rand.text("an", 20),
            lambda: "sk-ant-api03-" + rand.text("an", 20),
        ]
    )()


def documented(rand):
    """Samples from vendors' own documentation, put together here so that the source holds none of them whole."""
    return rand.choice(
        [
            "AKIA" + "IOSFODNN7" + "EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG" + "/bPxRfiCY" + "EXAMPLEKEY",
            "AKIA" + "I44QH8DHB" + "EXAMPLE",
            "ASIA" + "IOSFODNN7" + "EXAMPLE",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
            + "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ."
            + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
            "sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc",
            "Basic " + "QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ]
    )
