"""Lock and checksum files of package managers: nothing but hashes."""

import base64
import json

from . import values
from .whole import decoy

NAMES = [
    "left-pad",
    "react",
    "lodash",
    "express",
    "serde",
    "tokio",
    "requests",
    "urllib3",
    "numpy",
    "flask",
    "rails",
    "rack",
    "symfony",
    "guzzle",
    "zod",
    "jsonwebtoken",
    "passport",
    "bcrypt",
    "keyring",
    "oauth2",
    "secretstorage",
    "token-types",
    "api-key-auth",
    "password-hash",
]


def version(rand):
    return f"{rand.randint(0, 9)}.{rand.randint(0, 30)}.{rand.randint(0, 20)}"


def some(rand, low=8, high=20):
    return sorted(rand.some(NAMES, low, high))


@decoy("lockfile")
def package_lock(rand):
    packages = {
        f"node_modules/{n}": {
            "version": version(rand),
            "resolved": f"https://registry.npmjs.org/{n}/-/{n}-{version(rand)}.tgz",
            "integrity": values.integrity(rand),
        }
        for n in some(rand)
    }
    return "package-lock.json", json.dumps({"name": "app", "lockfileVersion": 3, "requires": True, "packages": packages}, indent=2) + "\n"


@decoy("lockfile")
def yarn_lock(rand):
    rows = [
        f'{n}@^{version(rand)}:\n  version "{version(rand)}"\n  resolved "https://registry.yarnpkg.com/{n}/-/{n}-{version(rand)}.tgz#{rand.text("hex", 40)}"\n  integrity {values.integrity(rand)}\n'
        for n in some(rand)
    ]
    return "yarn.lock", "# yarn lockfile v1\n\n\n" + "\n".join(rows)


@decoy("lockfile")
def pnpm_lock(rand):
    return "pnpm-lock.yaml", "lockfileVersion: '9.0'\n\npackages:\n\n" + "\n".join(
        f"  {n}@{version(rand)}:\n    resolution: {{integrity: {values.integrity(rand)}}}\n    engines: {{node: '>=18'}}\n" for n in some(rand)
    )


@decoy("lockfile")
def cargo_lock(rand):
    return "Cargo.lock", "version = 4\n\n" + "\n".join(
        f'[[package]]\nname = "{n}"\nversion = "{version(rand)}"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\nchecksum = "{rand.text("hex", 64)}"\n'
        for n in some(rand)
    )


@decoy("lockfile")
def go_sum(rand):
    def h1():
        return base64.b64encode(rand.randbytes(32)).decode()

    return "go.sum", "".join(
        f"github.com/{n}/{n} v{version(rand)} h1:{h1()}\ngithub.com/{n}/{n} v{version(rand)}/go.mod h1:{h1()}\n" for n in some(rand)
    )


@decoy("lockfile")
def poetry_lock(rand):
    return (
        "poetry.lock",
        "\n".join(
            f'[[package]]\nname = "{n}"\nversion = "{version(rand)}"\nfiles = [\n    {{file = "{n}-{version(rand)}.tar.gz", hash = "sha256:{rand.text("hex", 64)}"}},\n    {{file = "{n}-py3-none-any.whl", hash = "sha256:{rand.text("hex", 64)}"}},\n]\n'
            for n in some(rand)
        )
        + f'\n[metadata]\nlock-version = "2.0"\ncontent-hash = "{rand.text("hex", 64)}"\n',
    )


@decoy("lockfile")
def uv_lock(rand):
    return "uv.lock", "version = 1\n\n" + "\n".join(
        f'[[package]]\nname = "{n}"\nversion = "{version(rand)}"\nsdist = {{ url = "https://files.pythonhosted.org/packages/{rand.text("hex", 2)}/{rand.text("hex", 2)}/{rand.text("hex", 60)}/{n}.tar.gz", hash = "sha256:{rand.text("hex", 64)}", size = {rand.randint(900, 90000)} }}\n'
        for n in some(rand)
    )


@decoy("lockfile")
def pipfile_lock(rand):
    return (
        "Pipfile.lock",
        json.dumps(
            {
                "_meta": {"hash": {"sha256": rand.text("hex", 64)}},
                "default": {n: {"hashes": ["sha256:" + rand.text("hex", 64) for _ in range(2)], "version": "==" + version(rand)} for n in some(rand)},
            },
            indent=4,
        )
        + "\n",
    )


@decoy("lockfile")
def requirements(rand):
    return "requirements.txt", "".join(
        f"{n}=={version(rand)} \\\n    --hash=sha256:{rand.text('hex', 64)} \\\n    --hash=sha256:{rand.text('hex', 64)}\n" for n in some(rand)
    )


@decoy("lockfile")
def composer_lock(rand):
    return (
        "composer.lock",
        json.dumps(
            {
                "content-hash": rand.text("hex", 32),
                "packages": [
                    {
                        "name": f"{n}/{n}",
                        "version": version(rand),
                        "dist": {
                            "type": "zip",
                            "url": f"https://api.github.com/repos/{n}/{n}/zipball/{rand.text('hex', 40)}",
                            "reference": rand.text("hex", 40),
                            "shasum": "",
                        },
                    }
                    for n in some(rand)
                ],
            },
            indent=4,
        )
        + "\n",
    )


@decoy("lockfile")
def gemfile_lock(rand):
    return "Gemfile.lock", "GIT\n  remote: https://github.com/acme/tool.git\n  revision: " + rand.text(
        "hex", 40
    ) + "\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n" + "".join(
        f"    {n} ({version(rand)})\n" for n in some(rand)
    ) + "\nCHECKSUMS\n" + "".join(
        f"  {n} ({version(rand)}) sha256={rand.text('hex', 64)}\n" for n in some(rand)
    )


@decoy("lockfile")
def nuget_lock(rand):
    return (
        "packages.lock.json",
        json.dumps(
            {
                "version": 1,
                "dependencies": {
                    "net8.0": {
                        n: {"type": "Direct", "resolved": version(rand), "contentHash": base64.b64encode(rand.randbytes(64)).decode()}
                        for n in some(rand)
                    }
                },
            },
            indent=2,
        )
        + "\n",
    )


@decoy("lockfile")
def podfile_lock(rand):
    return (
        "Podfile.lock",
        "PODS:\n"
        + "".join(f"  - {n} ({version(rand)})\n" for n in some(rand))
        + "\nSPEC CHECKSUMS:\n"
        + "".join(f"  {n}: {rand.text('hex', 40)}\n" for n in some(rand))
        + f"\nPODFILE CHECKSUM: {rand.text('hex', 40)}\n",
    )


@decoy("lockfile")
def terraform_lock(rand):
    hashes = "".join(
        f'    "{h}",\n' for h in ["h1:" + base64.b64encode(rand.randbytes(32)).decode()] + ["zh:" + rand.text("hex", 64) for _ in range(8)]
    )
    return (
        ".terraform.lock.hcl",
        f'provider "registry.terraform.io/hashicorp/aws" {{\n  version     = "5.{rand.randint(0, 90)}.0"\n  constraints = "~> 5.0"\n  hashes = [\n{hashes}  ]\n}}\n',
    )


@decoy("lockfile")
def flake_lock(rand):
    return (
        "flake.lock",
        json.dumps(
            {
                "nodes": {
                    n: {
                        "locked": {
                            "lastModified": 17 * 10**8,
                            "narHash": values.integrity(rand, "sha256"),
                            "owner": n,
                            "repo": n,
                            "rev": rand.text("hex", 40),
                            "type": "github",
                        }
                    }
                    for n in some(rand, 3, 6)
                },
                "root": "root",
                "version": 7,
            },
            indent=2,
        )
        + "\n",
    )


@decoy("lockfile")
def pubspec_lock(rand):
    return "pubspec.lock", "packages:\n" + "".join(
        f'  {n}:\n    dependency: "direct main"\n    description:\n      name: {n}\n      sha256: "{rand.text("hex", 64)}"\n      url: "https://pub.dev"\n    source: hosted\n    version: "{version(rand)}"\n'
        for n in some(rand)
    )


@decoy("lockfile")
def mix_lock(rand):
    return (
        "mix.lock",
        "%{\n"
        + "".join(
            f'  "{n}": {{:hex, :{n.replace("-", "_")}, "{version(rand)}", "{rand.text("hex", 64)}", [:mix], [], "hexpm", "{rand.text("hex", 64)}"}},\n'
            for n in some(rand)
        )
        + "}\n",
    )


@decoy("lockfile")
def deno_lock(rand):
    return (
        "deno.lock",
        json.dumps(
            {
                "version": "4",
                "remote": {f"https://deno.land/std@{version(rand)}/{n}.ts": rand.text("hex", 64) for n in some(rand)},
                "npm": {f"{n}@{version(rand)}": {"integrity": values.integrity(rand)} for n in some(rand)},
            },
            indent=2,
        )
        + "\n",
    )


@decoy("lockfile")
def gradle_verification(rand):
    return (
        "gradle/verification-metadata.xml",
        '<?xml version="1.0" encoding="UTF-8"?>\n<verification-metadata>\n   <components>\n'
        + "".join(
            f'      <component group="io.{n}" name="{n}" version="{version(rand)}">\n         <artifact name="{n}.jar">\n            <sha256 value="{rand.text("hex", 64)}" origin="Generated by Gradle"/>\n         </artifact>\n      </component>\n'
            for n in some(rand)
        )
        + "   </components>\n</verification-metadata>\n",
    )
