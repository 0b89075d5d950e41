"""Checksum files and build files full of digests."""

from . import values
from .locks import some, version
from .whole import decoy


@decoy("checksums")
def sha_sums(rand):
    size, name = rand.choice([(64, "SHA256SUMS"), (40, "checksums.sha1"), (32, "md5sums.txt"), (128, "SHA512SUMS")])
    return name, "".join(f"{rand.text('hex', size)}  {n}-{version(rand)}.tar.gz\n" for n in some(rand))


@decoy("checksums")
def homebrew(rand):
    return (
        "Formula/tool.rb",
        f'class Tool < Formula\n  desc "Password and token tool"\n  url "https://github.com/acme/tool/archive/v1.{rand.randint(0, 9)}.0.tar.gz"\n  sha256 "{rand.text("hex", 64)}"\n  license "MIT"\n\n  bottle do\n    sha256 cellar: :any, arm64_sonoma: "{rand.text("hex", 64)}"\n    sha256 x86_64_linux: "{rand.text("hex", 64)}"\n  end\nend\n',
    )


@decoy("checksums")
def conda(rand):
    return "conda-lock.yml", "version: 1\npackage:\n" + "".join(
        f"- name: {n}\n  version: {version(rand)}\n  url: https://conda.anaconda.org/conda-forge/linux-64/{n}-{version(rand)}-h{rand.text('hex', 7)}_0.conda\n  hash:\n    md5: {rand.text('hex', 32)}\n    sha256: {rand.text('hex', 64)}\n"
        for n in some(rand)
    )


@decoy("checksums")
def bazel(rand):
    return "WORKSPACE", "".join(
        f'http_archive(\n    name = "{n.replace("-", "_")}",\n    sha256 = "{rand.text("hex", 64)}",\n    integrity = "{values.integrity(rand, "sha256")}",\n    urls = ["https://github.com/{n}/{n}/archive/{rand.text("hex", 40)}.zip"],\n)\n\n'
        for n in some(rand, 4, 8)
    )
