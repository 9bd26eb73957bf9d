"""What Cargo knows: the version, where the project is hosted, and the dependencies that come into a binary for a target."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import Refused

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Dependency:
    """A crate that a binary is made with."""

    name: str
    version: str
    # As it stands in its Cargo.toml; older crates write a slash for OR.
    licence: str
    authors: tuple[str, ...]
    repository: str
    description: str
    folder: Path
    # The file that its Cargo.toml names as the text of its licence, if any.
    licence_file: str | None
    # SHA-256 of its archive on crates.io, from Cargo.lock.
    checksum: str
    # Runs while others are compiled, and is no part of the binary.
    build_only: bool
    # name@version of those that it depends on, sorted.
    needs: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Crate:
    """keywright itself."""

    version: str
    description: str
    licence: str
    keywords: tuple[str, ...]
    rust_version: str
    # https://github.com/OWNER/keywright, without a slash at the end.
    repository: str
    needs: tuple[str, ...]
    dependencies: tuple[Dependency, ...]


def epoch() -> int:
    """SOURCE_DATE_EPOCH, in seconds; without it the time of the commit, so that the same commit gives the same packages."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Refused("set SOURCE_DATE_EPOCH: outside of git there is no commit to take the time from")
    return int(done.stdout)


def metadata(target: str | None) -> dict[str, Any]:
    """`cargo metadata`, with the dependencies when a target is named."""
    words = ["cargo", "metadata", "--locked", "--format-version", "1"]
    words += ["--filter-platform", target] if target else ["--no-deps"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise Refused(f"cargo metadata: {done.stderr.strip()}")
    return json.loads(done.stdout)


def reached(nodes: dict[str, Any], root: str, kinds: set[str | None]) -> set[str]:
    """What is reached from the root over dependencies of these kinds."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += [d["pkg"] for d in nodes[at]["deps"] if any(kind["kind"] in kinds for kind in d["dep_kinds"])]
    return found


def checksums() -> dict[tuple[str, str], str]:
    """The checksums in Cargo.lock. Its format is TOML that Cargo writes a line a key; tomllib is not in Python 3.10."""
    found, entry = {}, {}
    for line in [*(ROOT / "Cargo.lock").read_text(encoding="utf-8").splitlines(), "[[package]]"]:
        if line == "[[package]]":
            if "checksum" in entry:
                found[entry["name"], entry["version"]] = entry["checksum"]
            entry = {}
        elif " = " in line:
            name, value = line.split(" = ", 1)
            entry[name] = value.strip('"')
    return found


def crate(target: str) -> Crate:
    """keywright and what a binary for this target is made with. Dependencies of tests alone are left out."""
    known = metadata(target)
    packages = {package["id"]: package for package in known["packages"]}
    nodes = {node["id"]: node for node in known["resolve"]["nodes"]}
    root = known["resolve"]["root"]
    inside, everything = reached(nodes, root, {None}), reached(nodes, root, {None, "build"})
    sums = checksums()

    # The packages of the workspace are keywright itself: what any of them needs, keywright needs.
    ours = {at for at in everything if packages[at]["source"] is None}

    def needs(*of: str) -> tuple[str, ...]:
        deps = [d["pkg"] for at in of for d in nodes[at]["deps"] if any(kind["kind"] != "dev" for kind in d["dep_kinds"])]
        return tuple(sorted({f"{packages[d]['name']}@{packages[d]['version']}" for d in deps if d not in ours}))

    dependencies = []
    for at in everything - ours:
        package = packages[at]
        name, version = package["name"], package["version"]
        if (name, version) not in sums:
            raise Refused(f"{name} {version} has no checksum in Cargo.lock: only crates of crates.io come into a release")
        dependencies.append(
            Dependency(
                name=name,
                version=version,
                licence=package["license"] or "",
                authors=tuple(package["authors"]),
                repository=package["repository"] or "",
                description=(package["description"] or "").strip(),
                folder=Path(package["manifest_path"]).parent,
                licence_file=package["license_file"],
                checksum=sums[name, version],
                build_only=at not in inside,
                needs=needs(at),
            )
        )
    own = packages[root]
    return Crate(
        version=own["version"],
        description=own["description"],
        licence=own["license"],
        keywords=tuple(own["keywords"]),
        rust_version=own["rust_version"],
        repository=(own["repository"] or "").rstrip("/"),
        needs=needs(*ours),
        dependencies=tuple(sorted(dependencies, key=lambda d: (d.name, [int(n) if n.isdigit() else 0 for n in d.version.split(".")], d.version))),
    )
