"""The Debian package: an ar archive with a control and a data archive (deb(5)), made without dpkg, so that it is the same everywhere."""

from __future__ import annotations

import hashlib

from . import Refused
from .archive import Files, gz, tar, xz
from .contents import Contents

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# Which package has a shared library that a binary may name; with another one the package could not say what it needs.
LIBRARIES = {
    "libc.so.6": "libc6", "libm.so.6": "libc6", "libpthread.so.0": "libc6", "libdl.so.2": "libc6",
    "ld-linux-x86-64.so.2": "libc6", "ld-linux-aarch64.so.1": "libc6", "libgcc_s.so.1": "libgcc-s1",
}  # fmt: skip


def version(of_crate: str) -> str:
    """A version of Cargo as Debian compares it: 1.0.0-rc.1 is before 1.0.0."""
    return of_crate.replace("-", "~", 1)


def depends(contents: Contents) -> list[str]:
    """What the binary needs, as it says itself."""
    packages = []
    for library in contents.binary.libraries:
        if library not in LIBRARIES:
            raise Refused(f"the binary needs {library}, and which package of Debian has that is not known here")
        packages.append(LIBRARIES[library])
    needed = contents.binary.glibc
    exact = {"libc6": f"libc6 (>= {needed[0]}.{needed[1]})"} if needed else {}
    return [exact.get(package, package) for package in sorted(set(packages))]


def member(name: str, data: bytes, epoch: int) -> bytes:
    header = f"{name:<16}{epoch:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    return header + data + b"\n" * (len(data) % 2)


def deb(contents: Contents) -> tuple[str, bytes]:
    """The package and its name."""
    crate, epoch = contents.crate, contents.epoch
    architecture = ARCHITECTURES[contents.binary.machine]
    copyright = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        f"Upstream-Name: keywright\nSource: {crate.repository}\n"
        "Comment: The texts for the crates that are in the binary are in THIRD-PARTY-LICENSES.gz beside this file.\n\n"
        "Files: *\nCopyright: the authors of keywright\nLicense: Apache-2.0\n"
        " On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.\n"
    )
    files: Files = {
        "usr/bin/keywright": (contents.bytes, True),
        "usr/share/bash-completion/completions/keywright": (contents.completions["bash"], False),
        "usr/share/fish/vendor_completions.d/keywright.fish": (contents.completions["fish"], False),
        "usr/share/zsh/vendor-completions/_keywright": (contents.completions["zsh"], False),
        "usr/share/doc/keywright/CHANGELOG.md.gz": (gz(contents.changelog), False),
        "usr/share/doc/keywright/copyright": (copyright.encode(), False),
        "usr/share/doc/keywright/THIRD-PARTY-LICENSES.gz": (gz(contents.third_party), False),
        "usr/share/doc/keywright/keywright.cdx.json": (contents.sbom, False),
    }
    files |= {f"usr/share/man/man1/{page}.gz": (gz(text), False) for page, text in contents.pages.items()}
    installed = sum((len(data) + 1023) // 1024 for data, _ in files.values())
    fields = [
        "Package: keywright",
        f"Version: {version(crate.version)}",
        f"Architecture: {architecture}",
        # The field needs an address, and there is none; questions go to the issues of the repository.
        "Maintainer: The authors of keywright <noreply@keywright.invalid>",
        f"Installed-Size: {installed}",
        *([f"Depends: {', '.join(needed)}"] if (needed := depends(contents)) else []),
        # Certificates, for AWS itself; the sandbox needs none. git tells which commit took a manifest away.
        "Recommends: ca-certificates",
        "Suggests: git",
        "Section: admin",
        "Priority: optional",
        f"Homepage: {crate.repository}",
        "Description: declarative config reconciler for AWS Secrets Manager",
        *(f" {line}" for line in wrapped(crate.description)),
    ]
    sums = "".join(f"{hashlib.md5(data).hexdigest()}  {path}\n" for path, (data, _) in sorted(files.items()))
    control: Files = {
        "control": ("\n".join(fields).encode() + b"\n", False),
        "md5sums": (sums.encode(), False),
    }
    package = b"!<arch>\n" + member("debian-binary", b"2.0\n", epoch)
    package += member("control.tar.gz", gz(tar(control, epoch, "./")), epoch)
    package += member("data.tar.xz", xz(tar(files, epoch, "./")), epoch)
    # The hosting site writes another character for `~`, and no checksum would name that file: the version of the crate has none.
    return f"keywright_{crate.version}_{architecture}.deb", package


def wrapped(text: str, width: int = 78) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
