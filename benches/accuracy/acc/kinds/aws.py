"""AWS: access keys, sessions, Bedrock API keys, SES passwords, MWS."""
import hashlib
import hmac
from urllib.parse import quote

from ..checksum import aws_id
from ..kind import b64, one, several

REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"]
ID_NAMES = "AWS_ACCESS_KEY_ID"
SECRET_NAMES = "AWS_SECRET_ACCESS_KEY"
SECRET = "{b64:40}"


def long_lived(rand, _):
    return aws_id(rand, "AK" + "IA")


def temporary(rand, _):
    return aws_id(rand, "AS" + "IA")


def session_token(rand, _):
    """Session tokens are base64 of a small header that names its origin, then opaque bytes."""
    head = b"!\n\torigin_ec" if rand.chance(0.8) else b"\x17\n\x06er/aws\x10"
    return b64(head + rand.randbytes(rand.randint(230, 640)))


def bedrock_long(user):
    def make(rand, _):
        account = rand.text("nz", 1) + rand.text("dig", 11)
        alias = user(rand) + "-at-" + account
        return "ABSK" + b64(f"{alias}:{b64(rand.randbytes(45))}")
    return make


def bedrock_short(rand, _):
    region = rand.choice(REGIONS)
    day = f"2026{rand.randint(1, 12):02}{rand.randint(1, 28):02}"
    scope = quote(f"{temporary(rand, None)}/{day}/{region}/bedrock/aws4_request", safe="")
    query = "&".join([
        "Action=CallWithBearerToken", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=" + scope,
        f"X-Amz-Date={day}T{rand.randint(0, 23):02}{rand.randint(0, 59):02}12Z", "X-Amz-Expires=43200",
        "X-Amz-Security-Token=" + quote(session_token(rand, None), safe=""), "X-Amz-Signature=" + rand.text("hex", 64),
        "X-Amz-SignedHeaders=host", "Version=1"])
    return "bedrock-api-key-" + b64("bedrock.amazonaws.com/?" + query)


def ses_password(rand, _):
    """Derived from a secret key as AWS documents it."""
    signature = ("AWS4" + rand.fill(SECRET)).encode()
    for step in ("11111111", rand.choice(REGIONS), "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, step.encode(), hashlib.sha256).digest()
    return b64(b"\x04" + signature)


for name, what, make_id, more in [
    ("aws.access_key", "P cloud", long_lived, dict(share=2)),
    ("aws.access_key_abia", "P cloud", lambda r, _: aws_id(r, "AB" + "IA"), dict(share=0.4)),
    ("aws.access_key_acca", "P cloud", lambda r, _: aws_id(r, "AC" + "CA"), dict(share=0.4)),
    ("aws.access_key_a3t", "P cloud", lambda r, _: "A3" + "T" + r.text("UP", 1) + r.text("UAN", 16), dict(share=0.4)),
]:
    several(name, what, [("id", make_id, ID_NAMES + " AWS_KEY AWS_ACCESS_KEY"), ("secret", SECRET, SECRET_NAMES + " AWS_SECRET AWS_SECRET_KEY")],
            "https://sts.amazonaws.com", "", **more)

several("aws.session", "P cloud",
        [("id", temporary, ID_NAMES), ("secret", SECRET, SECRET_NAMES), ("token", session_token, "AWS_SESSION_TOKEN")],
        "https://sts.amazonaws.com", "", share=1.5)
one("aws.secret_key_alone", "U cloud", SECRET, SECRET_NAMES + " AWS_SECRET_KEY AWS_SECRET", "https://s3.amazonaws.com", "")
one("aws.bedrock_long", "P llm", bedrock_long(lambda r: "Bedrock" + "APIKey-" + r.text("lan", 4)),
    "AWS_BEARER_TOKEN_BEDROCK BEDROCK_API_KEY", "https://bedrock.us-east-1.amazonaws.com/foundation-models", vendor="bedrock")
one("aws.bedrock_long_custom_user", "P llm", bedrock_long(lambda r: r.choice(["svc-llm-prod", "ml-team", "ci-bedrock", "agent-runner"])),
    "AWS_BEARER_TOKEN_BEDROCK", "https://bedrock-runtime.eu-west-1.amazonaws.com/model/invoke", vendor="bedrock")
one("aws.bedrock_short", "P llm", bedrock_short, "AWS_BEARER_TOKEN_BEDROCK BEDROCK_TOKEN",
    "https://bedrock.us-west-2.amazonaws.com/foundation-models", vendor="bedrock")
one("aws.mws", "P cloud", "amzn.mws.{uuid}", "MWS_AUTH_TOKEN AMAZON_MWS_TOKEN", "https://mws.amazonservices.com", "query:MWSAuthToken", vendor="mws")
several("aws.ses_smtp", "P cloud", [("id", long_lived, "SES_SMTP_USERNAME SMTP_USER"), ("secret", ses_password, "SES_SMTP_PASSWORD SMTP_PASSWORD")],
        "smtps://email-smtp.eu-west-1.amazonaws.com:465", "", vendor="ses")
