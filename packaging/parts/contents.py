"""What is in every package beside the binary: completions, manual pages, licences, the bill of materials, and what is new."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import Refused, licences, sbom
from .binary import Binary
from .crate import ROOT, Crate

# How each shell calls its file.
COMPLETIONS = {
    "bash": "keywright.bash", "elvish": "keywright.elv", "fish": "keywright.fish", "powershell": "_keywright.ps1", "zsh": "_keywright",
}  # fmt: skip


@dataclass(frozen=True)
class Contents:
    crate: Crate
    binary: Binary
    target: str
    # Seconds since 1970: the time of every file in every package.
    epoch: int
    # By shell, and by page (keywright-plan.1).
    completions: dict[str, bytes]
    pages: dict[str, bytes]
    licence: bytes
    third_party: bytes
    sbom: bytes
    readme: bytes
    changelog: bytes

    @property
    def program(self) -> str:
        return "keywright.exe" if self.binary.system == "windows" else "keywright"

    @property
    def bytes(self) -> bytes:
        return self.binary.path.read_bytes()


def run(binary: Binary, *words: str) -> bytes:
    done = subprocess.run([binary.path.resolve(), *words], cwd=ROOT, capture_output=True)
    if done.returncode:
        raise Refused(f"{binary.path} {' '.join(words)} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def gather(crate: Crate, binary: Binary, target: str, epoch: int) -> Contents:
    """Asks the binary itself for its pages and completions, so that they are its own. It has to run on this machine."""
    said = run(binary, "--version").decode().strip()
    if said != f"keywright {crate.version}":
        raise Refused(f"{binary.path} calls itself {said!r}, and Cargo.toml has {crate.version}")
    if f"{binary.machine}-" not in target or binary.system not in target.replace("darwin", "macos"):
        raise Refused(f"{binary.path} is for {binary.system} on {binary.machine}, which is not {target}")
    with tempfile.TemporaryDirectory() as folder:
        run(binary, "man", "--dir", folder)
        pages = {page.name: page.read_bytes().replace(b"\r\n", b"\n") for page in sorted(Path(folder).iterdir())}

    def text(name: str) -> bytes:
        return (ROOT / name).read_bytes().replace(b"\r\n", b"\n")

    return Contents(
        crate=crate,
        binary=binary,
        target=target,
        epoch=epoch,
        completions={shell: run(binary, "completions", shell).replace(b"\r\n", b"\n") for shell in COMPLETIONS},
        pages=pages,
        licence=text("LICENSE"),
        third_party=licences.third_party(crate, binary).encode(),
        sbom=sbom.sbom(crate, target, epoch).encode(),
        readme=text("README.md"),
        changelog=text("CHANGELOG.md"),
    )
