"""The texts of the licences of everything that is in a binary, in one file. A crate without a text stops the release."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections import defaultdict
from pathlib import Path

from . import Refused
from .binary import Binary
from .crate import ROOT, Crate, Dependency

OWN = ROOT / "packaging/licences"
NAMES = re.compile(r"(?i)^(licen[sc]e|copying|copyright|notice|unlicense)([._-].*)?$")
RULE = "=" * 100


def texts_of(dependency: Dependency) -> list[str]:
    """The texts that the crate was published with; for those without any, what packaging/licences/missing.json says."""
    files = [file for file in dependency.folder.iterdir() if file.is_file() and NAMES.match(file.name)]
    if dependency.licence_file:
        files.append(dependency.folder / dependency.licence_file)
    if files:
        return [normal(file) for file in sorted(set(files))]
    known = json.loads((OWN / "missing.json").read_text(encoding="utf-8")).get(dependency.name)
    if known is None or known["expression"] != dependency.licence:
        raise Refused(
            f"{dependency.key} ({dependency.licence}) has no text of its licence: see packaging/README.md for what to do then"
        )
    if known["taken"] == "Apache-2.0":
        return [normal(ROOT / "LICENSE")]
    # Published without any notice: the authors as far as the crate names them.
    holders = ", ".join(re.sub(r" <.*", "", author) for author in dependency.authors) or f"the authors of {dependency.name}"
    return [f"Copyright (c) {holders} ({dependency.repository})\n\n{normal(OWN / 'MIT.txt')}"]


def normal(file: Path) -> str:
    """A text without what differs between checkouts: ends of lines, blanks at them, lines at both ends."""
    text = file.read_text(encoding="utf-8", errors="replace")
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip("\n\f\ufeff").split("\n")) + "\n"


def standard_library() -> str:
    """What the toolchain says of its standard library, which is in every binary: a page that Rust makes for this."""
    done = subprocess.run([os.environ.get("RUSTC", "rustc"), "--print", "sysroot"], cwd=ROOT, capture_output=True, text=True)
    page = Path(done.stdout.strip()) / "share/doc/rust/COPYRIGHT-library.html"
    if done.returncode or not page.is_file():
        raise Refused(f"the toolchain has no {page}: the licences of Rust's standard library cannot be told")
    text = re.sub(r"<(style|script|head)\b.*?</\1>", "", page.read_text(encoding="utf-8"), flags=re.S)
    text = re.sub(r"<[^>]+>", "", text)
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return re.sub(r"\n\s*\n\s*\n+", "\n\n", text).strip() + "\n"


def third_party(crate: Crate, binary: Binary) -> str:
    """One text for all: first who is in it, then each distinct text once, with those that it is for."""
    inside = [dependency for dependency in crate.dependencies if not dependency.build_only]
    by_text: dict[str, list[str]] = defaultdict(list)
    for dependency in inside:
        for text in dict.fromkeys(texts_of(dependency)):
            by_text[text].append(f"{dependency.name} {dependency.version}")
    parts = [
        f"keywright {crate.version} contains the crates below, Rust's standard library"
        + (" and a C library" if binary.static else "")
        + ". keywright itself is under Apache-2.0, see LICENSE.\n",
        "".join(f"{d.name} {d.version}: {d.licence or 'see its text'}, {d.repository}\n" for d in inside),
    ]
    parts += [f"{RULE}\n{', '.join(names)}\n{RULE}\n\n{text}" for text, names in by_text.items()]
    if binary.static:
        parts.append(f"{RULE}\nThe C library\n{RULE}\n\n{c_library(binary)}")
    parts.append(f"{RULE}\nRust's standard library\n{RULE}\n\n{standard_library()}")
    return "\n".join(parts)


def c_library(binary: Binary) -> str:
    """The C library in a static binary. glibc names itself in every one: its versions of system tables are looked up by name."""
    if b"GNU C Library" in binary.path.read_bytes() or b"libnss_" in binary.path.read_bytes():
        return (
            "The GNU C Library, under LGPL-2.1-or-later (https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html). Whoever passes this\n"
            "binary on has to offer what is needed to link it with another version of that library. Releases are linked with musl.\n"
        )
    return normal(OWN / "musl.txt")
