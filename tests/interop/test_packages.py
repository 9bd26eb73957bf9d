"""What packaging/make makes of a binary: looked into, installed into folders, and held against what their formats ask for.

The binary is the one of the other tests, without its symbols. How packages do on a clean Debian is packaging/clean-root's to see."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.metadata import Metadata
from packaging.utils import parse_wheel_filename

from command import DONE, EXAMPLE, LIMIT, Keywright
from recipes import CI
from test_recipes import judge, program

ROOT = CI.parents[1]
sys.path.insert(0, str(ROOT / "packaging"))

from parts import Refused, archive, binary, changelog, contents, crate, deb, licences, sbom, wheel  # noqa: E402 (found by the line above)

EPOCH = 1_700_000_000


@pytest.fixture(scope="session")
def target() -> str:
    host = subprocess.run(["rustc", "-vV"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^host: (.*)$", host, re.M)[1]
    if "-linux-gnu" not in found:
        pytest.skip("packages are tried on Linux")
    return found


@pytest.fixture(scope="session")
def stripped(keywright_once: Keywright, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The binary without its symbols, which are most of it."""
    file = tmp_path_factory.mktemp("stripped") / "keywright"
    subprocess.run(["strip", "-o", file, keywright_once.binary], check=True, timeout=LIMIT)
    return file


def make(of: Path, target: str, folder: Path, **environment: str) -> list[Path]:
    done = subprocess.run(
        [ROOT / "packaging/make", of, target, folder],
        cwd=folder.parent,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH), "KEYWRIGHT_COMPRESSION": "1", "PYTHONDONTWRITEBYTECODE": "1"} | environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr
    return sorted(map(Path, done.stdout.split()))


@pytest.fixture(scope="session")
def made(stripped: Path, target: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages of this binary, by their ending."""
    files = make(stripped, target, tmp_path_factory.mktemp("made") / "dist")
    return {file.name.rsplit(".", 1)[1]: file for file in files}


@pytest.fixture(scope="session")
def own(target: str) -> crate.Crate:
    return crate.crate(target)


def works(program: Path, keywright: Keywright, folder: Path) -> None:
    """The main job with an installed program: everything is made, and then there is nothing to do."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".keywright"))
    installed = Keywright(program, keywright.home, key=EXAMPLE / "sandbox-age-key.txt")
    for expected in (True, False):
        done = installed.run("apply", "--sandbox", "--yes", "--project", folder)
        assert done.code == DONE and (("Applying to " in done.out + done.err) == expected), done


def test_a_package_for_everything(made: dict[str, Path], target: str, own: crate.Crate) -> None:
    names = {ending: file.name for ending, file in made.items()}
    assert names["gz"] == f"keywright-{own.version}-{target}.tar.gz"
    assert names["deb"] == f"keywright_{own.version}_{deb.ARCHITECTURES[target.split('-')[0]]}.deb"
    assert names["json"] == f"keywright-{own.version}-{target}.cdx.json"
    assert len(names) == 4 and names["whl"].startswith(f"keywright-{own.version}-py3-none-manylinux_")


def test_the_same_binary_makes_the_same_bytes(made: dict[str, Path], stripped: Path, target: str, tmp_path: Path) -> None:
    """At another hour of another zone, in another place, for somebody whose files are nobody else's to read."""
    again = tmp_path / "elsewhere"
    again.mkdir()
    os.chmod(again, 0o700)
    shutil.copy(stripped, again / "keywright")
    before = os.umask(0o077)
    try:
        files = make(again / "keywright", target, again / "dist", TZ="Pacific/Auckland", LC_ALL="C", PYTHONHASHSEED="7")
    finally:
        os.umask(before)
    assert {file.name: file.read_bytes() for file in files} == {file.name: file.read_bytes() for file in made.values()}


def test_the_archive(made: dict[str, Path], stripped: Path, target: str, own: crate.Crate, keywright: Keywright, tmp_path: Path) -> None:
    with tarfile.open(made["gz"]) as archive:
        members = archive.getmembers()
        archive.extractall(tmp_path / "opt", filter="data")
    assert all((m.uid, m.gid, m.mtime) == (0, 0, EPOCH) for m in members)
    assert [m.name for m in members if m.isfile() and m.mode & 0o111] == [f"keywright-{own.version}-{target}/keywright"]
    [inside] = (tmp_path / "opt").iterdir()
    assert (inside / "keywright").read_bytes() == stripped.read_bytes()
    for name in ("LICENSE", "README.md", "CHANGELOG.md"):
        assert (inside / name).read_bytes() == (ROOT / name).read_bytes()
    completions = {file.name: file.read_text() for file in (inside / "completions").iterdir()}
    assert set(completions) == {"keywright.bash", "keywright.elv", "keywright.fish", "_keywright.ps1", "_keywright"}
    assert all("inventory" in script for script in completions.values())
    pages = {page.name for page in (inside / "man/man1").iterdir()}
    assert {"keywright.1", "keywright-plan.1", "keywright-apply.1"} <= pages and len(pages) > 20
    assert json.loads((inside / "keywright.cdx.json").read_text()) == json.loads(made["json"].read_text())
    works(inside / "keywright", keywright, tmp_path / "project")


def test_what_cargo_binstall_looks_for_is_what_is_there(target: str) -> None:
    [package] = [package for package in crate.metadata(None)["packages"] if package["name"] == "keywright"]
    told = package["metadata"]["binstall"]
    gnu = target.replace("-musl", "-gnu")
    musl = gnu.replace("-gnu", "-musl")

    def filled(text: str, target: str, suffix: str) -> str:
        known = {"repo": package["repository"], "version": package["version"], "target": target, "archive-suffix": suffix, "bin": "keywright", "binary-ext": ""}
        return re.sub(r"\{ ([\w-]+) \}", lambda found: known[found[1]], text)

    place = f"{package['repository']}/releases/download/v{package['version']}"
    for asked, of in ((musl, told), (gnu, told["overrides"][gnu])):
        assert filled(of["pkg-url"], asked, ".tar.gz") == f"{place}/keywright-{package['version']}-{musl}.tar.gz"
        assert filled(of["bin-dir"], asked, "") == f"keywright-{package['version']}-{musl}/keywright"
    assert told["overrides"]["x86_64-pc-windows-msvc"] == {"pkg-fmt": "zip"} and told["pkg-fmt"] == "tgz"


def test_the_debian_package(made: dict[str, Path], stripped: Path, own: crate.Crate, keywright: Keywright, tmp_path: Path) -> None:
    if not shutil.which("dpkg-deb"):
        pytest.skip("there is no dpkg-deb")
    fields = dict(line.split(": ", 1) for line in judge("dpkg-deb", "--field", made["deb"]).splitlines() if line[0] != " ")
    assert fields["Package"] == "keywright" and fields["Version"] == own.version and fields["Homepage"] == own.repository
    needed = binary.read(stripped).glibc
    assert fields["Depends"] == f"libc6 (>= {needed[0]}.{needed[1]}), libgcc-s1" and fields["Recommends"] == "ca-certificates"
    judge("dpkg-deb", "--raw-extract", made["deb"], tmp_path / "root")
    root = tmp_path / "root"
    sums = dict(reversed(line.split("  ")) for line in (root / "DEBIAN/md5sums").read_text().splitlines())
    files = {str(file.relative_to(root)): file for file in root.rglob("*") if file.is_file() and "DEBIAN" not in file.parts}
    assert sums == {name: hashlib.md5(file.read_bytes()).hexdigest() for name, file in files.items()}
    assert {
        "usr/bin/keywright", "usr/share/bash-completion/completions/keywright", "usr/share/zsh/vendor-completions/_keywright",
        "usr/share/fish/vendor_completions.d/keywright.fish", "usr/share/man/man1/keywright-plan.1.gz",
        "usr/share/doc/keywright/copyright", "usr/share/doc/keywright/CHANGELOG.md.gz",
        "usr/share/doc/keywright/THIRD-PARTY-LICENSES.gz", "usr/share/doc/keywright/keywright.cdx.json",
    } <= set(files)  # fmt: skip
    judge("bash", "-c", f'source "{root}/usr/share/bash-completion/completions/keywright" && complete -p keywright')
    works(root / "usr/bin/keywright", keywright, tmp_path / "project")


def test_the_wheel_says_what_it_is(made: dict[str, Path], stripped: Path, target: str, own: crate.Crate) -> None:
    _, version, _, tags = parse_wheel_filename(made["whl"].name)
    major, minor = binary.read(stripped).glibc
    assert str(version) == own.version
    assert {str(tag) for tag in tags} == {f"py3-none-manylinux_{major}_{minor}_{target.split('-')[0]}"}
    with zipfile.ZipFile(made["whl"]) as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    info = f"keywright-{own.version}.dist-info"
    metadata = Metadata.from_email(inside[f"{info}/METADATA"], validate=True)
    assert metadata.name == "keywright" and metadata.license_expression == "Apache-2.0" and metadata.summary == own.description
    assert metadata.license_files == ["LICENSE", "THIRD-PARTY-LICENSES.txt"]
    # The page on PyPI has no other file of the repository beside it.
    links = re.findall(r"\]\(([^)]+)\)", metadata.description)
    assert links and all(link.startswith(("https://", "#")) for link in links)
    assert {f"Tag: {tag}" for tag in tags} == {line for line in inside[f"{info}/WHEEL"].decode().splitlines() if line.startswith("Tag: ")}
    assert json.loads(inside[f"{info}/sboms/keywright.cdx.json"]) == json.loads(made["json"].read_text())
    record = {row[0]: row[1:] for row in csv.reader(io.StringIO(inside.pop(f"{info}/RECORD").decode()))}
    assert record.pop(f"{info}/RECORD") == ["", ""]
    told = {
        name: [f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()}", str(len(data))]
        for name, data in inside.items()
    }
    assert record == told


def test_pip_installs_the_wheel_and_takes_it_off_again(made: dict[str, Path], keywright: Keywright, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    prefix = tmp_path / "prefix"
    judge(*pip, "install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", "--prefix", prefix, made["whl"])
    found = [file for file in prefix.rglob("keywright") if file.parent.name == "bin"]
    assert len(found) == 1 and list(prefix.rglob("man/man1/keywright-plan.1"))
    assert list(prefix.rglob("THIRD-PARTY-LICENSES.txt")) and list(prefix.rglob("sboms/keywright.cdx.json"))
    works(found[0], keywright, tmp_path / "project")


# Licences


def test_every_crate_in_the_binary_has_its_licence(made: dict[str, Path], own: crate.Crate) -> None:
    with tarfile.open(made["gz"]) as archive:
        [name] = [name for name in archive.getnames() if name.endswith("THIRD-PARTY-LICENSES.txt")]
        text = archive.extractfile(name).read().decode()
    inside = [dependency for dependency in own.dependencies if not dependency.build_only]
    assert len(inside) > 200
    for dependency in inside:
        # In the list, and above a text.
        assert text.count(f"{dependency.name} {dependency.version}") >= 2, dependency.key
    for phrase in ("Apache License", "Permission is hereby granted", "Permission to use, copy, modify", "UNICODE LICENSE V3", "Rust's standard library"):
        assert phrase in text, phrase
    assert "The Rust Project Developers" in text


def test_a_crate_without_a_text_stops_the_release(own: crate.Crate, tmp_path: Path) -> None:
    known = own.dependencies[0]
    (tmp_path / "README.md").write_text("no licence")
    with pytest.raises(Refused, match=f"{known.key} .* has no text of its licence"):
        licences.texts_of(replace(known, folder=tmp_path, licence_file=None))
    # Nor is one taken for another when a later version of the crate has changed it.
    missing = next(d for d in own.dependencies if d.name == "vsimd")
    assert "Permission is hereby granted" in licences.texts_of(missing)[0]
    with pytest.raises(Refused, match="has no text of its licence"):
        licences.texts_of(replace(missing, licence="GPL-3.0-only"))
    # What is listed is used: no entry outlives its crate.
    listed = json.loads((ROOT / "packaging/licences/missing.json").read_text())
    assert set(listed) <= {d.name for d in own.dependencies}


# The bill of materials


def test_the_bill_of_materials_is_one_by_its_schema(made: dict[str, Path]) -> None:
    from cyclonedx.schema import SchemaVersion

    schemas = Path(sys.modules["cyclonedx.schema"].__file__).parent / "_res"
    import jsonschema
    from referencing import Registry, Resource

    documents = [json.loads(file.read_text()) for file in schemas.glob("*.schema.json")]
    [bom] = [d for d in documents if d.get("$id") == "http://cyclonedx.org/schema/bom-1.6.schema.json"]
    assert SchemaVersion.V1_6.to_version() == "1.6"
    registry = Registry().with_resources((d["$id"], Resource.from_contents(d)) for d in documents if "$id" in d)
    validator = jsonschema.Draft7Validator(bom, registry=registry)
    document = json.loads(made["json"].read_text())
    assert [error.message for error in validator.iter_errors(document)] == []
    # The judge judges.
    assert list(validator.iter_errors(document | {"components": [{"type": "nonsense"}]}))


def test_the_bill_of_materials_is_what_cargo_says(made: dict[str, Path], target: str, own: crate.Crate) -> None:
    document = json.loads(made["json"].read_text())
    of, how = ("--package", "keywright", "--target", target), ("--edges", "normal", "--prefix", "none", "--format", "{p}")
    tree = judge("cargo", "tree", "--locked", *of, *how, cwd=ROOT)
    # The packages of the workspace are keywright itself.
    ours = {f"{package['name']} v{own.version}" for package in crate.metadata(None)["packages"]}
    expected = {" ".join(line.split()[:2]) for line in tree.splitlines()} - ours
    required = {f"{c['name']} v{c['version']}" for c in document["components"] if c["scope"] == "required"}
    # `cargo tree` knows which features are on, and so leaves out what none of them needs; nothing of it may be missing.
    assert expected <= required and len(expected) > 200
    refs = {component["bom-ref"] for component in document["components"]} | {document["metadata"]["component"]["bom-ref"]}
    assert len(refs) == len(document["components"]) + 1
    assert {d["ref"] for d in document["dependencies"]} == refs
    assert all(set(d["dependsOn"]) <= refs for d in document["dependencies"])
    lock = (ROOT / "Cargo.lock").read_text()
    assert all(component["hashes"][0]["content"] in lock for component in document["components"])
    # Every licence is an expression that SPDX knows.
    assert all(part.get("expression") for component in document["components"] for part in component["licenses"])
    assert document["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"


def test_a_licence_that_spdx_does_not_know_is_a_name() -> None:
    assert sbom.licences("MIT/Apache-2.0") == [{"expression": "MIT OR Apache-2.0"}]
    assert sbom.licences("Apache-2.0 WITH LLVM-exception OR MIT") == [{"expression": "Apache-2.0 WITH LLVM-exception OR MIT"}]
    assert sbom.licences("Beerware-42") == [{"license": {"name": "Beerware-42"}}] and sbom.licences("") == []


# What binaries say


def compiled(folder: Path, *flags: str) -> binary.Binary:
    (folder / "a.c").write_text('#include <stdio.h>\nint main(void) { puts("a"); return 0; }\n')
    name = f"a{''.join(flags)}"
    subprocess.run(["cc", *flags, "-o", name, "a.c"], cwd=folder, check=True, timeout=LIMIT)
    return binary.read(folder / name)


def test_what_an_elf_binary_needs(tmp_path: Path, stripped: Path) -> None:
    for flag in ("-static", "-static-pie"):
        found = compiled(tmp_path, flag)
        assert (found.system, found.static, found.glibc, found.libraries) == ("linux", True, None, ()), flag
    found = compiled(tmp_path)
    assert not found.static and found.libraries == ("libc.so.6",) and found.glibc >= (2, 2)
    if shutil.which("readelf"):
        versions = re.findall(r"Name: GLIBC_(\d+)\.(\d+)", judge("readelf", "--version-info", stripped))
        assert binary.read(stripped).glibc == max((int(a), int(b)) for a, b in versions)


def test_what_other_binaries_need(tmp_path: Path) -> None:
    """Their headers by hand: there is none to be had here."""
    file = tmp_path / "keywright"
    command = struct.pack("<IIIIII", 0x32, 24, 1, 11 << 16, 15 << 16, 0)
    file.write_bytes(struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 2, 1, len(command), 0, 0) + command)
    mac = binary.read(file)
    assert (mac.system, mac.machine, mac.macos) == ("macos", "aarch64", (11, 0))
    file.write_bytes(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", 0x8664))
    windows = binary.read(file)
    assert (windows.system, windows.machine) == ("windows", "x86_64")
    tags = {"mac": mac, "windows": windows, "static": replace(mac, system="linux", static=True), "old": replace(mac, macos=(10, 12))}
    found = {name: wheel.platforms(type("C", (), {"binary": of})()) for name, of in tags.items()}
    assert found == {
        "mac": ["macosx_11_0_arm64"],
        "windows": ["win_amd64"],
        "static": ["manylinux2014_aarch64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"],
        "old": ["macosx_10_12_arm64"],
    }
    for nonsense in (b"", b"#!/bin/sh\n", b"\x7fELF" + b"\2\1" + b"\0" * 10, b"\xcf\xfa\xed\xfe"):
        file.write_bytes(nonsense)
        with pytest.raises(Refused):
            binary.read(file)


def test_a_binary_is_only_packed_for_what_it_is(keywright: Keywright, target: str, tmp_path: Path) -> None:
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[target.split("-")[0]]
    for wrong, says in ((f"{other}-unknown-linux-gnu", "is for linux on"), ("x86_64-apple-darwin", "is for linux on")):
        done = subprocess.run([ROOT / "packaging/make", keywright.binary, wrong, tmp_path / "dist"], capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr and not list((tmp_path / "dist").iterdir()), done


def test_no_name_of_a_file_is_changed_by_the_hosting_site(tmp_path: Path) -> None:
    (tmp_path / "keywright").write_bytes(b"x")
    own = crate.Crate("1.0.0-rc.1", "A tool", "Apache-2.0", (), "1.95", "https://github.com/octo/keywright", (), ())
    linux = binary.Binary(tmp_path / "keywright", "linux", "x86_64", static=True)
    inside = contents.Contents(own, linux, "x86_64-unknown-linux-musl", EPOCH, dict.fromkeys(contents.COMPLETIONS, b""), {}, *[b""] * 5)
    made = {deb.deb(inside)[0]: deb.deb(inside)[1], wheel.wheel(inside)[0]: b"", archive.archive(inside)[0]: b""}
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in made), set(made)
    if shutil.which("dpkg-deb"):
        (tmp_path / "a.deb").write_bytes(made["keywright_1.0.0-rc.1_amd64.deb"])
        # Inside it is the version as Debian compares it.
        assert judge("dpkg-deb", "--field", tmp_path / "a.deb", "Version").strip() == "1.0.0~rc.1"


def test_versions_before_a_release_sort_before_it() -> None:
    assert [wheel.version(v) for v in ("1.0.0", "1.0.0-rc.1", "1.0.0-alpha.2")] == ["1.0.0", "1.0.0rc1", "1.0.0a2"]
    with pytest.raises(Refused):
        wheel.version("1.0.0-nightly")
    if shutil.which("dpkg"):
        judge("dpkg", "--compare-versions", deb.version("1.0.0-rc.1"), "lt", deb.version("1.0.0"))


# The changelog


def test_notes_are_cut_out_of_the_changelog() -> None:
    text = "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-12-01)\n\n### Added\n\n- A.\n\n## 0.1.0 (2026-01-01)\n\n- B.\n"
    assert changelog.release(text, "0.2.0") == "### Added\n\n- A."
    for broken, says in (
        (text.replace("## Unreleased\n", "## Unreleased\n\n- C.\n"), "under Unreleased"),
        (text.replace(" (2026-12-01)", ""), "has no date"),
        (text.replace("### Added\n\n- A.\n\n", ""), "is empty"),
        (text.replace("0.1.0", "0.2.0"), "two sections"),
        (text.replace("0.2.0", "0.3.0"), "newest section of CHANGELOG.md is 0.3.0"),
    ):
        with pytest.raises(Refused, match=re.escape(says) if "." in says else says):
            changelog.release(broken, "0.2.0")
    # This repository's own is one that can be read.
    known: dict[str, Any] = changelog.sections((ROOT / "CHANGELOG.md").read_text())
    assert next(iter(known))


def test_the_scripts_are_clean() -> None:
    folder = ROOT / "packaging"
    scripts = [file for file in folder.rglob("*") if file.is_file() and file.read_bytes().startswith(b"#!/usr/bin/env bash")]
    assert len(scripts) == 11 and all(os.access(file, os.X_OK) for file in scripts)
    judge(program("shellcheck"), *scripts)
    judge(program("hadolint"), folder / "release/Dockerfile")
