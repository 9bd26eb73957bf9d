"""The wheel: the binary as a script, and nothing of Python (https://packaging.python.org/specifications/binary-distribution-format/).

Made here and not by maturin, so that it is the binary of the release, byte for byte, and its tags are what that binary says it needs.
"""

from __future__ import annotations

import base64
import hashlib
import re

from . import Refused
from .archive import Files, zipped
from .contents import Contents

# Completions and pages where a prefix such as /usr/local or ~/.local has them.
SHARED = {
    "bash": "bash-completion/completions/keywright", "fish": "fish/vendor_completions.d/keywright.fish",
    "zsh": "zsh/site-functions/_keywright",
}  # fmt: skip


def version(of_crate: str) -> str:
    """A version of Cargo as PEP 440 writes it: 1.0.0-rc.1 is 1.0.0rc1."""
    number, _, pre = of_crate.partition("-")
    if not pre:
        return number
    kind, _, count = pre.partition(".")
    if kind not in ("alpha", "beta", "rc") or not count.isdigit():
        raise Refused(f"{of_crate} is no version that a wheel can have: alpha, beta or rc with a number")
    return f"{number}{ {'alpha': 'a', 'beta': 'b', 'rc': 'rc'}[kind] }{count}"


def platforms(contents: Contents) -> list[str]:
    """Where the binary runs, from what it needs."""
    binary = contents.binary
    if binary.system == "windows":
        return [{"x86_64": "win_amd64", "aarch64": "win_arm64"}[binary.machine]]
    if binary.system == "macos":
        assert binary.macos
        machine = {"x86_64": "x86_64", "aarch64": "arm64"}[binary.machine]
        # Since macOS 11 a tag has no minor release.
        major, minor = binary.macos if binary.macos < (11, 0) else (binary.macos[0], 0)
        return [f"macosx_{major}_{minor}_{machine}"]
    if binary.static:
        # It needs no C library, so any will do. pip knows these tags since 2014, 2021 (manylinux_x_y) and 2021 (musllinux).
        return [f"manylinux2014_{binary.machine}", f"manylinux_2_17_{binary.machine}", f"musllinux_1_1_{binary.machine}"]
    if binary.glibc is None:
        raise Refused(f"{binary.path} is linked with a C library that is not glibc: no wheel can say so")
    major, minor = max(binary.glibc, (2, 17))
    return [f"manylinux_{major}_{minor}_{binary.machine}"]


def wheel(contents: Contents) -> tuple[str, bytes]:
    """The wheel and its name."""
    crate = contents.crate
    at = version(crate.version)
    tags = platforms(contents)
    info, data = f"keywright-{at}.dist-info", f"keywright-{at}.data"
    metadata = "\n".join(
        [
            "Metadata-Version: 2.4",
            "Name: keywright",
            f"Version: {at}",
            f"Summary: {crate.description}",
            "Description-Content-Type: text/markdown",
            f"Keywords: {','.join(crate.keywords)}",
            f"License-Expression: {crate.licence}",
            "License-File: LICENSE",
            "License-File: THIRD-PARTY-LICENSES.txt",
            f"Project-URL: Repository, {crate.repository}",
            f"Project-URL: Changelog, {crate.repository}/blob/v{crate.version}/CHANGELOG.md",
            "Classifier: Environment :: Console",
            "Classifier: Programming Language :: Rust",
            "Classifier: Topic :: System :: Systems Administration",
            "Requires-Python: >=3.8",
            "",
            "",
        ]
    )
    files: Files = {f"{data}/scripts/{contents.program}": (contents.bytes, True)}
    if contents.binary.system != "windows":
        for shell, path in SHARED.items():
            files[f"{data}/data/share/{path}"] = (contents.completions[shell], False)
        for page, text in contents.pages.items():
            files[f"{data}/data/share/man/man1/{page}"] = (text, False)
    files[f"{info}/METADATA"] = (metadata.encode() + absolute(contents), False)
    lines = ["Wheel-Version: 1.0", "Generator: keywright packaging/make", "Root-Is-Purelib: false", *(f"Tag: py3-none-{tag}" for tag in tags)]
    files[f"{info}/WHEEL"] = ("\n".join(lines).encode() + b"\n", False)
    files[f"{info}/licenses/LICENSE"] = (contents.licence, False)
    files[f"{info}/licenses/THIRD-PARTY-LICENSES.txt"] = (contents.third_party, False)
    # Bills of materials: PEP 770.
    files[f"{info}/sboms/keywright.cdx.json"] = (contents.sbom, False)
    record = "".join(f"{path},sha256={digest(content)},{len(content)}\n" for path, (content, _) in files.items())
    files[f"{info}/RECORD"] = (f"{record}{info}/RECORD,,\n".encode(), False)
    return f"keywright-{at}-py3-none-{'.'.join(sorted(tags))}.whl", zipped(files, contents.epoch)


def absolute(contents: Contents) -> bytes:
    """The README with links that work elsewhere: PyPI shows it beside no other file of the repository."""
    place = f"{contents.crate.repository}/blob/v{contents.crate.version}/"
    return re.sub(rb"\]\((?!https?:|#|mailto:)", b"](" + place.encode(), contents.readme)


def digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
