"""Puts a value into ministack's stores and into what refers to them. Arguments: endpoint, key id, secret, a unique name; the value
comes on standard input. Prints the secret's ARN."""

import json
import sys

import boto3

endpoint, key_id, secret, name = sys.argv[1:5]
value = sys.stdin.read().strip()


def client(service):
    return boto3.client(
        service, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key_id, aws_secret_access_key=secret
    )


stored = client("secretsmanager").create_secret(
    Name=name, SecretString=json.dumps({"key": value}), Tags=[{"Key": "Owner", "Value": "ann@corp.example"}]
)
client("ssm").put_parameter(Name=f"/{name}/key", Value=value, Type="SecureString")
role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
client("lambda").create_function(
    FunctionName=name,
    Runtime="python3.12",
    Role=role,
    Handler="a.b",
    Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
    Environment={"Variables": {"KEY": value}},
    Tags={"team": "payments"},
)
client("ecs").register_task_definition(
    family=name,
    containerDefinitions=[
        {"name": "app", "image": "x", "secrets": [{"name": "KEY", "valueFrom": stored["ARN"] + ":key::"}]},
        {"name": "side", "image": "x", "environment": [{"name": "KEY", "value": value}]},
        {"name": "other", "image": "x", "environment": [{"name": "KEY", "value": "something else"}]},
    ],
)
print(stored["ARN"])
