"""Where AWS keys are kept: credentials files, SDK constructors, Terraform, rclone and s3cmd."""

from .. import prose
from .base import fmt, folder


@fmt("aws_credentials", 0, 2)
def aws_credentials(rand, slots):
    lines = []
    for i, slot in enumerate(slots):
        lines.append("[default]" if i == 0 else f"[{rand.choice(['prod', 'staging', 'ml', 'backup'])}]")
        keys = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"]
        lines += [f"{key}{rand.choice([' = ', '='])}{p.text}" for key, p in zip(keys, slot.pieces)]
        lines += ["region = eu-west-1", ""]
    return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.aws/credentials", "\n".join(lines)


@fmt("s3cfg", 0, 1)
def s3cfg(rand, slots):
    a, b = slots[0].pieces[:2]
    if rand.chance(0.5):
        token = [f"session_token = {slots[0].pieces[2].text}"] if len(slots[0].pieces) > 2 else []
        return (
            f"home/ops-{rand.text('lan', 4)}/.config/rclone/rclone.conf",
            "\n".join(
                [
                    "[backup]",
                    "type = s3",
                    "provider = AWS",
                    f"access_key_id = {a.text}",
                    f"secret_access_key = {b.text}",
                    *token,
                    "region = eu-west-1",
                ]
            )
            + "\n",
        )
    token = [f"access_token = {slots[0].pieces[2].text}"] if len(slots[0].pieces) > 2 else ["access_token ="]
    return (
        f"home/ops-{rand.text('lan', 4)}/.s3cfg",
        "\n".join(["[default]", f"access_key = {a.text}", *token, "host_base = s3.amazonaws.com", f"secret_key = {b.text}", "use_https = True"])
        + "\n",
    )


@fmt("tf_provider", 0, 1)
def tf_provider(rand, slots):
    p = slots[0].pieces
    token = f'\n  token      = "{p[2].text}"' if len(p) > 2 else ""
    return (
        f"infra/{prose.project(rand)}-{rand.text('lan', 3)}/provider.tf",
        f'terraform {{\n  required_version = ">= 1.6"\n}}\n\nprovider "aws" {{\n  region     = "eu-west-1"\n  access_key = "{p[0].text}"\n  secret_key = "{p[1].text}"{token}\n}}\n',
    )


@fmt("boto3", 0, 1)
def boto3(rand, slots):
    p = slots[0].pieces
    token = f'\n    aws_session_token="{p[2].text}",' if len(p) > 2 else ""
    service = rand.choice(["s3", "bedrock-runtime", "sqs", "dynamodb"])
    return (
        f"{folder(rand)}/storage_{rand.text('lan', 3)}.py",
        f'import boto3\n\nclient = boto3.client(\n    "{service}",\n    region_name="eu-west-1",\n    aws_access_key_id="{p[0].text}",\n    aws_secret_access_key="{p[1].text}",{token}\n)\n\n\ndef list_all():\n    return client.list_buckets()\n',
    )


@fmt("aws_sdk_js", 0, 1)
def aws_sdk_js(rand, slots):
    p = slots[0].pieces
    token = f'\n    sessionToken: "{p[2].text}",' if len(p) > 2 else ""
    return (
        f"{folder(rand)}/src/s3_{rand.text('lan', 3)}.ts",
        f'import {{ S3Client }} from "@aws-sdk/client-s3";\n\nexport const s3 = new S3Client({{\n  region: "eu-west-1",\n  credentials: {{\n    accessKeyId: "{p[0].text}",\n    secretAccessKey: "{p[1].text}",{token}\n  }},\n}});\n',
    )


@fmt("aws_java", 0, 1)
def aws_java(rand, slots):
    p = slots[0].pieces
    kind = "BasicSessionCredentials" if len(p) > 2 else "BasicAWSCredentials"
    return (
        f"{folder(rand)}/src/main/java/S3{rand.text('UP', 2)}.java",
        "import com.amazonaws.auth.*;\n\nclass S3 {\n    AWSCredentials credentials = new "
        + kind
        + "("
        + ", ".join(f'"{x.text}"' for x in p)
        + ");\n}\n",
    )


@fmt("aws_go", 0, 1)
def aws_go(rand, slots):
    p = slots[0].pieces
    token = p[2].text if len(p) > 2 else ""
    return (
        f"{folder(rand)}/internal/s3_{rand.text('lan', 3)}.go",
        f'package s3\n\nimport "github.com/aws/aws-sdk-go/aws/credentials"\n\nvar creds = credentials.NewStaticCredentials("{p[0].text}", "{p[1].text}", "{token}")\n',
    )
