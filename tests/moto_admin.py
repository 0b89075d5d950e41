"""Makes moto's administrator, then switches its authorisation on. Prints the key as two settings.

Before, moto takes any key and answers for all of them as one user; after, it knows the keys it made and evaluates
their policies. The switch is the server's, not a caller's, so it is made once, here, and stays: a test that reset moto
or switched it back would pull the floor from under the others. (In this mode body-less GET requests fail with
SignatureDoesNotMatch, and an inactive key is still accepted: moto is here for limits, last use and managed policies.)
"""

import json
import sys
import urllib.request

import boto3

endpoint = sys.argv[1]
iam = boto3.client(
    "iam",
    endpoint_url=endpoint,
    region_name="us-east-1",
    aws_access_key_id="bootstrap",
    aws_secret_access_key="bootstrap",
)
iam.create_user(UserName="staunch-test-admin")
allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="staunch-test-admin", PolicyName="all", PolicyDocument=json.dumps(allow))
key = iam.create_access_key(UserName="staunch-test-admin")["AccessKey"]

# text/plain, or the server's form parser eats the body and answers 500
request = urllib.request.Request(
    f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}, method="POST"
)
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).read()

print(f"STAUNCH_TEST_MOTO_KEY_ID={key['AccessKeyId']}")
print(f"STAUNCH_TEST_MOTO_SECRET={key['SecretAccessKey']}")
