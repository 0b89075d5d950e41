"""Files with a format of their own that hold a vendor's token. PREFERRED says which kinds people keep there."""

from .. import names, prose
from ..decoys import inline
from ..mark import mark
from ..slot import json_text
from .base import fmt, folder, vendor_word

AWS = ["aws.access_key", "aws.session", "aws.access_key_abia", "aws.access_key_acca", "aws.access_key_a3t"]
PREFERRED = {
    **{kind: ["aws_credentials", "tf_provider", "boto3", "aws_sdk_js", "aws_java", "aws_go", "s3cfg"] for kind in AWS},
    "npm.granular": ["npmrc"],
    "npm.legacy": ["npmrc"],
    "pypi.token": ["token_pypirc"],
    "pypi.test": ["token_pypirc"],
    "github.pat_classic": ["token_git_config", "token_netrc", "gh_hosts", "npmrc", "git_clone", "token_docker_config"],
    "github.oauth": ["gh_hosts", "token_git_config"],
    "github.app_server": ["git_clone"],
    "github.pat_fine": ["token_git_config", "git_clone"],
    "gitlab.pat": ["token_git_config", "token_netrc", "git_clone", "npmrc"],
    "gitlab.deploy": ["git_clone", "token_docker_config"],
    "gitlab.runner": ["runner_toml"],
    "gitlab.runner_routable": ["runner_toml"],
    "docker.pat": ["token_docker_config", "docker_login"],
    "docker.oat": ["docker_login"],
    "terraform.cloud": ["terraform_rc"],
    "crates.token": ["cargo_credentials"],
    "rubygems.key": ["gem_credentials"],
    "anthropic.oat01": ["claude_credentials"],
    "anthropic.ort01": ["claude_credentials"],
    "digitalocean.dop": ["tf_provider_token"],
    "cloudflare.cfut": ["tf_provider_token"],
    "cloudflare.token_old": ["tf_provider_token"],
    "datadog.api_key": ["tf_provider_token"],
    "hetzner.token": ["tf_provider_token"],
    "linode.token": ["tf_provider_token"],
    "telegram.bot": ["telegram_url"],
    "gcp.hmac": ["s3cfg"],
    "github.copilot_session": ["copilot_json"],
    "slack.webhook_services": ["webhook_curl"],
    "discord.webhook": ["webhook_curl"],
    "teams.webhook": ["webhook_curl"],
    "heroku.legacy": ["heroku_netrc"],
}


@fmt("npmrc", 0, 1)
def npmrc(rand, slots):
    registry = {"github": "npm.pkg.github.com", "gitlab": "gitlab.com/api/v4/packages/npm"}.get(slots[0].kind.id.split(".")[0], "registry.npmjs.org")
    return (
        f"{folder(rand)}/.npmrc",
        f"registry=https://registry.npmjs.org/\n@acme:registry=https://{registry}/\n//{registry}/:_authToken={slots[0].main.text}\n//npm.acme-corp.io/:_authToken=${{NPM_TOKEN}}\nsave-exact=true\n",
    )


@fmt("token_pypirc", 0, 1)
def token_pypirc(rand, slots):
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.pypirc",
        f"[distutils]\nindex-servers =\n    pypi\n\n[pypi]\nusername = __token__\npassword = {slots[0].main.text}\n",
    )


@fmt("token_git_config", 0, 1)
def token_git_config(rand, slots):
    where = "gitlab.com" if slots[0].kind.id.startswith("gitlab") else "github.com"
    user = rand.choice(["", "x-access-token:", "oauth2:", "kim:"])
    return (
        f"repos/{prose.project(rand)}-{rand.text('lan', 4)}/.git/config",
        f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = https://{user}{slots[0].main.text}@{where}/acme/{prose.project(rand)}.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[branch "main"]\n\tremote = origin\n',
    )


@fmt("token_netrc", 0, 1)
def token_netrc(rand, slots):
    where = "gitlab.com" if slots[0].kind.id.startswith("gitlab") else "github.com"
    return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.netrc", f"machine {where}\n  login kim\n  password {slots[0].main.text}\n"


@fmt("heroku_netrc", 0, 1)
def heroku_netrc(rand, slots):
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.netrc",
        f"machine api.heroku.com\n  login kim@acme-corp.io\n  password {slots[0].main.text}\n",
    )


@fmt("gh_hosts", 0, 1)
def gh_hosts(rand, slots):
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.config/gh/hosts.yml",
        f"github.com:\n    user: kim\n    oauth_token: {slots[0].main.text}\n    git_protocol: https\n",
    )


@fmt("git_clone", 0, 2)
def git_clone(rand, slots):
    lines = ["FROM alpine:3.20", "RUN apk add git"]
    for slot in slots:
        where = "gitlab.com" if slot.kind.id.startswith("gitlab") else "github.com"
        lines.append(
            f"RUN git clone https://{rand.choice(['x-access-token', 'oauth2', 'deploy'])}:{slot.main.text}@{where}/acme/{prose.project(rand)}.git /src"
        )
    return f"{folder(rand)}/Dockerfile.{rand.text('lan', 3)}", "\n".join(lines) + "\n"


@fmt("token_docker_config", 0, 1)
def token_docker_config(rand, slots):
    import base64

    slot = slots[0]
    where = {"github": "ghcr.io", "gitlab": "registry.gitlab.com"}.get(slot.kind.id.split(".")[0], "https://index.docker.io/v1/")
    slot.encoding, slot.envelope = "base64", f"acmebot:{slot.main.value}"
    text = slot.wrap(base64.b64encode(slot.envelope.encode()).decode())
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.docker/config.json",
        f'{{\n\t"auths": {{\n\t\t"{where}": {{\n\t\t\t"auth": "{text}"\n\t\t}}\n\t}}\n}}\n',
    )


@fmt("docker_login", 0, 2)
def docker_login(rand, slots):
    lines = ["#!/bin/sh", "set -e"]
    for slot in slots:
        lines += [
            rand.choice([f"docker login -u acmebot -p {slot.main.text}", f"echo {slot.main.text} | docker login -u acmebot --password-stdin"]),
            "docker push acme/api:latest",
        ]
    return f"{folder(rand)}/push_{rand.text('lan', 3)}.sh", "\n".join(lines) + "\n"


@fmt("terraform_rc", 0, 1)
def terraform_rc(rand, slots):
    if rand.chance(0.5):
        return (
            f"home/ops-{rand.text('lan', 4)}/.terraform.d/credentials.tfrc.json",
            f'{{\n  "credentials": {{\n    "app.terraform.io": {{\n      "token": "{slots[0].main.text}"\n    }}\n  }}\n}}\n',
        )
    return f"home/ops-{rand.text('lan', 4)}/.terraformrc", f'credentials "app.terraform.io" {{\n  token = "{slots[0].main.text}"\n}}\n'


@fmt("cargo_credentials", 0, 1)
def cargo_credentials(rand, slots):
    return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.cargo/credentials.toml", f'[registry]\ntoken = "{slots[0].main.text}"\n'


@fmt("gem_credentials", 0, 1)
def gem_credentials(rand, slots):
    return f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.gem/credentials", f"---\n:rubygems_api_key: {slots[0].main.text}\n"


@fmt("runner_toml", 0, 1)
def runner_toml(rand, slots):
    return (
        f"etc/gitlab-runner-{rand.text('lan', 4)}/config.toml",
        f'concurrent = 4\n\n[[runners]]\n  name = "build-01"\n  url = "https://gitlab.com/"\n  id = {rand.randint(1000, 90000)}\n  token = "{slots[0].main.text}"\n  executor = "docker"\n',
    )


@fmt("claude_credentials", 0, 1)
def claude_credentials(rand, slots):
    key = "refreshToken" if "ort" in slots[0].kind.id else "accessToken"
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.claude/.credentials.json",
        f'{{"claudeAiOauth":{{"{key}":"{slots[0].main.text}","expiresAt":17{rand.text("dig", 11)},"scopes":["user:inference","user:profile"],"subscriptionType":"max"}}}}\n',
    )


@fmt("copilot_json", 0, 1)
def copilot_json(rand, slots):
    return (
        f"home/{rand.choice(prose.PEOPLE)}-{rand.text('lan', 4)}/.cache/copilot/token.json",
        f'{{"expires_at":17{rand.text("dig", 8)},"refresh_in":1500,"token":"{json_text(slots[0].main.text)}","endpoints":{{"api":"https://api.githubcopilot.com"}}}}\n',
    )


@fmt("tf_provider_token", 0, 1)
def tf_provider_token(rand, slots):
    slot = slots[0]
    vendor = slot.kind.id.split(".")[0]
    name = {"datadog": "api_key", "cloudflare": "api_token"}.get(vendor, "token")
    vendor = {"hetzner": "hcloud"}.get(vendor, vendor)
    return (
        f"infra/{prose.project(rand)}-{rand.text('lan', 3)}/{vendor}.tf",
        f'provider "{vendor}" {{\n  {name} = "{slot.main.text}"\n}}\n\nvariable "region" {{\n  default = "fra1"\n}}\n',
    )


@fmt("telegram_url", 0, 1)
def telegram_url(rand, slots):
    return (
        f"{folder(rand)}/notify_{rand.text('lan', 3)}.sh",
        f'#!/bin/sh\ncurl -s "https://api.telegram.org/bot{slots[0].main.text}/sendMessage" -d chat_id=-100{rand.text("dig", 10)} -d text="$1"\n',
    )


@fmt("webhook_curl", 0, 2)
def webhook_curl(rand, slots):
    lines = ["#!/bin/sh"]
    for slot in slots:
        lines.append(f"curl -X POST -H 'Content-type: application/json' --data '{{\"text\":\"build done\"}}' {slot.main.text}")
    return f"{folder(rand)}/notify_{rand.text('lan', 3)}.sh", "\n".join(lines) + "\n"


@fmt("terraform", 1.2, 3)
def terraform(rand, slots):
    lines = ["terraform {", '  required_version = ">= 1.6"', "}", ""]
    for slot in slots:
        if slot.near:
            lines += [f'provider "{vendor_word(slot)}" {{', *[f'  {names.lower(p.words)} = "{json_text(p.text)}"' for p in slot.pieces], "}", ""]
        elif rand.chance(0.5):
            for p in slot.pieces:
                lines += [f'variable "{names.lower(p.words)}" {{', "  type    = string", f'  default = "{json_text(p.text)}"', "}", ""]
        else:
            lines += [
                'resource "kubernetes_secret" "app" {',
                "  metadata {",
                '    name = "app"',
                "  }",
                "  data = {",
                *[f'    {names.upper(p.words)} = "{json_text(p.text)}"' for p in slot.pieces],
                "  }",
                "}",
                "",
            ]
        words, value, kind = inline.setting(rand)
        lines += [
            f'variable "{names.lower(list(words))}" {{',
            f'  default = "{json_text(mark("d:" + kind, value))}"',
            "}",
            "",
            'resource "aws_db_instance" "main" {',
            '  identifier = "orders"',
            "  password   = var.db_password",
            "}",
            "",
        ]
    return f"infra/{prose.project(rand)}-{rand.text('lan', 3)}/main.tf", "\n".join(lines)


@fmt("jenkinsfile", 0.5, 2)
def jenkinsfile(rand, slots):
    lines = ["pipeline {", "  agent any", "  environment {", "    DEPLOY_CREDS = credentials('deploy-creds')"]
    for slot in slots:
        words = [vendor_word(slot)] if slot.near else []
        lines += [f"    {names.upper(words + p.words)} = '{p.text}'" for p in slot.pieces]
    return (
        f"{folder(rand)}/Jenkinsfile",
        "\n".join([*lines, "  }", "  stages {", "    stage('Build') {", "      steps { sh 'make' }", "    }", "  }", "}"]) + "\n",
    )


@fmt("registry_file", 0.3, 2)
def registry_file(rand, slots):
    """A .reg export: always UTF-16 in the wild."""
    lines = ["Windows Registry Editor Version 5.00", ""]
    for slot in slots:
        lines += [
            f"[HKEY_CURRENT_USER\\Software\\Acme\\{vendor_word(slot).capitalize() if slot.near else 'Agent'}]",
            *[f'"{names.pascal(p.words)}"="{p.text}"' for p in slot.pieces],
            f'"InstallId"="{mark("d:uuid", rand.uuid())}"',
            "",
        ]
    return f"windows/{prose.project(rand)}_{rand.text('lan', 4)}.reg", "\n".join(lines)
