"""The release: its workflow by its schema and its rules, and each of its scripts, run with stand-ins for rustup, gh, cosign and docker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from command import LIMIT
from recipes import CI
from test_recipes import judge, program

ROOT = CI.parents[1]
WORKFLOW = ROOT / ".github/workflows/release.yml"
VERSION = "1.2.3"
TARGETS = [
    "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl", "x86_64-apple-darwin", "aarch64-apple-darwin", "x86_64-pc-windows-msvc",
]  # fmt: skip

CARGO = """[package]
name = "keywright"
version = "1.2.3"
license = "Apache-2.0"
description = "x"
edition = "2024"
repository = "https://github.com/octo/keywright"
"""
CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 1.2.3 (2026-12-01)\n\n### Added\n\n- Something.\n"


@dataclass
class Machine:
    """A checkout of a small crate with our packaging/, and stand-ins that write down how they are called."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "packaging", self.checkout / "packaging", ignore=shutil.ignore_patterns("__pycache__"))
        (self.checkout / "src").mkdir()
        (self.checkout / "src/lib.rs").touch()
        (self.folder / "bin").mkdir()
        self.write("Cargo.toml", CARGO)
        self.write("CHANGELOG.md", CHANGELOG)
        self.write("Cargo.lock", 'version = 4\n\n[[package]]\nname = "keywright"\nversion = "1.2.3"\n')
        if not shutil.which("jq"):
            self.program("jq", f'exec "{sys.executable}" "{Path(__file__).with_name("fake_jq.py")}" "$@"')

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def write(self, name: str, text: str) -> None:
        (self.checkout / name).write_text(text)

    def program(self, name: str, lines: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(f'#!/usr/bin/env bash\nset -eu\nlog="{self.folder / "calls"}"\n{lines}\n')
        file.chmod(0o755)

    def logged(self, name: str, lines: str = "") -> None:
        """A stand-in that writes its arguments down, in one line."""
        self.program(name, f'printf "%s\\n" "{name} $*" >>"$log"\n{lines}')

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, *words: object, **more: str) -> subprocess.CompletedProcess[str]:
        known = {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: os.environ[name] for name in ("CARGO_HOME", "RUSTUP_HOME") if name in os.environ},
        }
        return subprocess.run(
            list(map(str, words)), cwd=self.checkout, env=known | self.environment | more, capture_output=True, text=True, timeout=LIMIT
        )

    def release(self) -> Path:
        """A folder with a file for each that a release has."""
        dist = self.folder / "dist"
        dist.mkdir()
        for target in TARGETS:
            name = f"keywright-{VERSION}-{target}"
            (dist / f"{name}.cdx.json").write_text(target)
            if "windows" in target:
                (dist / f"{name}.zip").write_text(target)
                continue
            inside = self.folder / name
            inside.mkdir()
            for file in ("keywright", "LICENSE", "THIRD-PARTY-LICENSES.txt", "keywright.cdx.json"):
                (inside / file).write_text(f"{file} for {target}")
            with tarfile.open(dist / f"{name}.tar.gz", "w:gz") as archive:
                archive.add(inside, name)
        for machine in ("amd64", "arm64"):
            (dist / f"keywright_{VERSION}_{machine}.deb").write_text(machine)
        for tag in ("manylinux_2_17_x86_64", "manylinux_2_17_aarch64", "macosx_11_0_x86_64", "macosx_11_0_arm64", "win_amd64"):
            (dist / f"keywright-{VERSION}-py3-none-{tag}.whl").write_text(tag)
        return dist


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# The workflow


def test_the_workflow_by_its_schema_and_to_a_linter() -> None:
    for workflow in sorted((ROOT / ".github/workflows").glob("*.yml")):
        judge(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", workflow)
        judge(program("zizmor"), "--offline", "--persona", "pedantic", workflow)


def test_the_workflow_trusts_as_little_as_it_can() -> None:
    document = yaml.safe_load(WORKFLOW.read_text())
    assert document[True] == {"push": {"tags": ["v*"]}} and document["permissions"] == {}
    may: dict[str, set[str]] = {}
    for name, job in document["jobs"].items():
        may[name] = {permission for permission, level in job["permissions"].items() if level == "write"}
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step["uses"]), step
                # What a cache holds came from another run.
                assert "cache" not in step["uses"], step
                if step["uses"].startswith("actions/checkout@"):
                    assert step["with"] == {"persist-credentials": False}
            else:
                # What is run is a script that the tests below run, and what it gets stands in its environment.
                assert "${{" not in step["run"], step
                script = step["run"].split()[0]
                assert script in ("mkdir",) or os.access(ROOT / script, os.X_OK), step
        # Whoever can sign or publish is let in by an environment.
        assert not may[name] or job["environment"] in ("release", "pypi"), name
    assert may == {
        "check": set(), "build": set(), "sign": {"id-token", "attestations"}, "draft": {"contents"},
        "images": {"packages"}, "sign-images": {"packages", "id-token", "attestations"}, "pypi": {"id-token"}, "release": {"contents"},
    }  # fmt: skip
    # What can sign builds nothing: it runs scripts that sign, and actions of others are those that fetch, sign and attest.
    signs = {name: job for name, job in document["jobs"].items() if "attestations" in may[name]}
    assert set(signs) == {"sign", "sign-images"}
    for name, job in signs.items():
        runs = {step["run"].split()[0] for step in job["steps"] if "run" in step}
        assert runs == {f"packaging/release/{'collect' if name == 'sign' else 'sign-images'}"}, name
        for script in runs:
            assert not re.search(r"\b(docker|cargo|apt-get|packaging/build)\b", (ROOT / script).read_text()), script
        uses = {step["uses"].split("@")[0] for step in job["steps"] if "uses" in step}
        assert uses <= {
            "actions/checkout", "actions/download-artifact", "actions/upload-artifact", "actions/attest-build-provenance", "sigstore/cosign-installer",
        }, name  # fmt: skip
    # And what builds, or runs what others built, knows its images by digest.
    images = document["jobs"]["images"]
    [emulator] = [step for step in images["steps"] if step.get("uses", "").startswith("docker/setup-qemu-action@")]
    assert re.search(r"@sha256:[0-9a-f]{64}$", emulator["with"]["image"])
    # A job says its images' digests and not their names.
    assert set(images["outputs"]) == {"digest", "ci_digest"}
    built = {row["target"] for row in document["jobs"]["build"]["strategy"]["matrix"]["include"]}
    assert built == set(TARGETS)
    # Nothing is seen of a release until everything is there.
    assert set(document["jobs"]["release"]["needs"]) == {"draft", "sign-images", "pypi"}


def test_the_compiler_is_one_that_the_crate_builds_with() -> None:
    toolchain = yaml.safe_load(WORKFLOW.read_text())["jobs"]["build"]["env"]["RUSTUP_TOOLCHAIN"]
    least = re.search(r'^rust-version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    assert re.fullmatch(r"\d+\.\d+\.\d+", toolchain) and toolchain.startswith(f"{least}.")


# What may be released


def check(machine: Machine, tag: str = "v1.2.3", *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return machine.run("packaging/release/check", *more, tag, **environment)


def test_a_release_that_agrees_with_itself(machine: Machine) -> None:
    here = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "octo/Keywright", "GITHUB_ACTIONS": "true"}
    done = check(machine, **here)
    assert (done.returncode, done.stdout) == (0, "version=1.2.3\nprerelease=false\n"), done
    assert check(machine, "v1.2.3", "--notes").stdout == "### Added\n\n- Something.\n"


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("Cargo.toml", 'version = "1.2.3"', 'version = "1.2.4"', "the tag is v1.2.3, and Cargo.toml has the version 1.2.4"),
        ("Cargo.lock", "1.2.3", "1.2.2", "Cargo.lock"),
        ("CHANGELOG.md", "1.2.3", "1.2.2", "the newest section of CHANGELOG.md is 1.2.2"),
        ("CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Forgotten.\n", "entries under Unreleased"),
        ("CHANGELOG.md", " (2026-12-01)", "", "has no date"),
        ("Cargo.toml", "octo/keywright", "OWNER/keywright", "a placeholder"),
        ("Cargo.toml", 'repository = "https://github.com/octo/keywright"\n', "", "the repository in Cargo.toml is missing"),
        ("Cargo.toml", "octo/keywright", "mallory/keywright", "and this is https://github.com/octo/keywright"),
    ],
)
def test_a_release_that_does_not_is_refused(machine: Machine, name: str, old: str, new: str, says: str) -> None:
    text = (machine.checkout / name).read_text()
    assert old in text
    machine.write(name, text.replace(old, new))
    done = check(machine, GITHUB_SERVER_URL="https://github.com", GITHUB_REPOSITORY="octo/keywright")
    assert done.returncode == 1 and says in done.stderr and done.stdout == "", done
    assert "Traceback" not in done.stderr


def test_this_repository_cannot_be_released_by_accident() -> None:
    """Its address is a placeholder until somebody writes one."""
    done = subprocess.run([ROOT / "packaging/release/check", "v0.0.0"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1 and "the tag is v0.0.0" in done.stderr


def test_the_page_says_whether_anything_is_published() -> None:
    """While the address is a placeholder nobody may take a package of that name elsewhere for this one."""
    unpublished = "/OWNER/" in (ROOT / "Cargo.toml").read_text()
    page = (ROOT / "docs/install.md").read_text()
    assert ("**Nothing is published yet**" in page) == unpublished
    assert not unpublished or page.index("Nothing is published yet") < page.index("pipx install")


def test_what_the_same_bytes_need_is_named() -> None:
    job = yaml.safe_load(WORKFLOW.read_text())["jobs"]["build"]
    [linux] = {row["runner"].removesuffix("-arm") for row in job["strategy"]["matrix"]["include"] if "linux" in row["target"]}
    page = " ".join((ROOT / "docs/install.md").read_text().split())
    assert "musl-gcc" in page and f"Ubuntu {linux.removeprefix('ubuntu-')}" in page and "RUSTUP_TOOLCHAIN" in page


# Building


def test_a_build_with_any_compiler_is_refused(machine: Machine) -> None:
    for toolchain in ("", "stable", "1.95"):
        done = machine.run("packaging/release/build", TARGETS[0], "dist", RUSTUP_TOOLCHAIN=toolchain)
        assert done.returncode == 1 and "no exact version" in done.stderr, done


@pytest.mark.parametrize("flags", ["-static", ""], ids=["static", "dynamic"])
def test_a_build_makes_packages_of_a_static_binary_alone(machine: Machine, flags: str) -> None:
    machine.logged("rustup")
    machine.logged("sudo")
    (machine.folder / "a.c").write_text("int main(void) { return 0; }\n")
    cc = shutil.which("cc")
    # Cargo, with what the build tells it; the linker is real, so that the binary is what it says.
    machine.program(
        "cargo",
        f'printf "cargo %s|%s|%s|%s\\n" "$*" "$(tr "\\037" " " <<<"$CARGO_ENCODED_RUSTFLAGS")" "$SOURCE_DATE_EPOCH" "$TARGET_CC" >>"$log"\n'
        f'mkdir -p target/{TARGETS[0]}/dist\n{cc} {flags} -o target/{TARGETS[0]}/dist/keywright "{machine.folder}/a.c"',
    )
    machine.program("rustc", 'if [ "$1" = -vV ]; then echo rustc 1.95.0; else echo /sysroot; fi')
    machine.program("musl-gcc", 'echo "musl-gcc 13.3.0 $1"')
    machine.program("dpkg-query", 'echo "$2 gcc 4:13.2.0"')
    machine.logged("python3")
    done = machine.run("packaging/release/build", TARGETS[0], "dist", RUSTUP_TOOLCHAIN="1.95.0", SOURCE_DATE_EPOCH="7", CARGO_HOME="/cargo home")
    install, *apt, cargo = [call for call in machine.calls if not call.startswith("python3")]
    assert install == f"rustup toolchain install 1.95.0 --profile minimal --target {TARGETS[0]} --no-self-update"
    assert apt[-1] == "sudo apt-get install -qq --yes --no-install-recommends musl-tools"
    words, rustflags, epoch, compiler = cargo.split("|")
    assert words == f"cargo build --profile dist --locked --bin keywright --target {TARGETS[0]}"
    assert (epoch, compiler) == ("7", "musl-gcc")
    assert rustflags == (
        f"--remap-path-prefix={machine.checkout}=/keywright --remap-path-prefix=/cargo home=/cargo "
        "--remap-path-prefix=/sysroot=/rust -C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs"
    )
    # With what it was built is told: other compilers make other bytes.
    built_with = done.stdout.partition("Built with:\n")[2]
    assert all(f"{said}\n" in built_with for said in ("rustc 1.95.0", "gcc gcc 4:13.2.0", "musl-gcc 13.3.0 --version")), done
    packed = [call for call in machine.calls if call.startswith("python3")]
    if flags:
        assert done.returncode == 0 and packed == [f"python3 packaging/make target/{TARGETS[0]}/dist/keywright {TARGETS[0]} dist"], done
    else:
        assert done.returncode == 1 and "is not static" in done.stderr and packed == [], done


# Signing


def collected(machine: Machine) -> Path:
    dist = machine.release()
    machine.logged("cosign", '[ "$1" = sign-blob ] && [ -s "$5" ] && echo signed >"$4"')
    done = machine.run("packaging/release/collect", VERSION, dist)
    assert done.returncode == 0, done
    return dist


def test_every_file_has_a_checksum_that_is_signed(machine: Machine) -> None:
    dist = collected(machine)
    assert machine.calls == ["cosign sign-blob --yes --bundle SHA256SUMS.sigstore.json SHA256SUMS"]
    judge("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=dist)
    named = {line.split("  ")[1] for line in (dist / "SHA256SUMS").read_text().splitlines()}
    assert named == {file.name for file in dist.iterdir()} - {"SHA256SUMS", "SHA256SUMS.sigstore.json"}
    # Again, as a run that is run again does: the same.
    before = (dist / "SHA256SUMS").read_text()
    machine.run("packaging/release/collect", VERSION, dist)
    assert (dist / "SHA256SUMS").read_text() == before


def test_a_release_without_one_of_its_files_is_not_signed(machine: Machine) -> None:
    machine.logged("cosign")
    dist = machine.release()
    for file in sorted(dist.iterdir()):
        kept = file.read_bytes()
        file.unlink()
        done = machine.run("packaging/release/collect", VERSION, dist)
        assert done.returncode == 1 and "::error::the release has" in done.stdout, (file, done)
        file.write_bytes(kept)
    assert machine.calls == [] and not (dist / "SHA256SUMS").exists()


def test_every_file_has_a_name_that_the_hosting_site_keeps(machine: Machine) -> None:
    machine.logged("cosign")
    dist = machine.release()
    for strange in ("keywright_1.2.3~rc.1_amd64.deb", "a b", "keywright-1.2.3+x.whl"):
        (dist / strange).touch()
        done = machine.run("packaging/release/collect", VERSION, dist)
        assert done.returncode == 1 and f"hosting site changes: {strange}" in done.stdout and machine.calls == [], done
        (dist / strange).unlink()
    # A package of another version is none of this release.
    (dist / f"keywright_{VERSION}_amd64.deb").rename(dist / "keywright_1.2.4_amd64.deb")
    done = machine.run("packaging/release/collect", VERSION, dist)
    assert done.returncode == 1 and f"has no keywright_{VERSION}_amd64.deb" in done.stdout and machine.calls == [], done


def test_the_formula_has_the_checksums_of_the_archives(machine: Machine) -> None:
    dist = collected(machine)
    formula = (dist / "keywright.rb").read_text()
    sums = dict(reversed(line.split("  ")) for line in (dist / "SHA256SUMS").read_text().splitlines())
    found = re.findall(r'url "https://github.com/octo/keywright/releases/download/v1.2.3/(\S+)"\n +sha256 "([0-9a-f]{64})"', formula)
    assert dict(found) == {f"keywright-{VERSION}-{target}.tar.gz": sums[f"keywright-{VERSION}-{target}.tar.gz"] for target in TARGETS[:4]}
    assert formula.startswith("# Made by") and 'version "1.2.3"' in formula and 'license "Apache-2.0"' in formula
    if ruby := shutil.which("ruby"):
        judge(ruby, "-c", dist / "keywright.rb")


# Images


def test_images_are_made_of_the_archives_and_pushed(machine: Machine) -> None:
    dist = collected(machine)
    digest = "sha256:" + "a" * 64
    # The last word is the context, which is gone afterwards.
    machine.logged(
        "docker",
        'if [ "$1" = login ]; then cat >"$log.token"; fi\n'
        'while [ $# -gt 1 ]; do if [ "$1" = --metadata-file ]; then metadata="$2"; fi; shift; done\n'
        'if [ -n "${metadata:-}" ]; then rm -rf "$log.context"; cp -R "$1" "$log.context"; '
        f'echo \'{{"containerimage.digest": "{digest}"}}\' >"$metadata"; fi',
    )
    machine.logged("cosign")
    (machine.folder / "calls").unlink()
    (machine.folder / "certificates").write_text("certificates")
    output = machine.folder / "output"
    known = {
        "GH_TOKEN": "token", "GITHUB_REPOSITORY": "Octo/Keywright", "GITHUB_ACTOR": "ada", "GITHUB_OUTPUT": str(output),
        "KEYWRIGHT_CERTIFICATES": str(machine.folder / "certificates"),
    }  # fmt: skip
    done = machine.run("packaging/release/images", VERSION, dist, **known)
    assert done.returncode == 0, done
    login, create, *built = machine.calls
    assert login == "docker login ghcr.io --username ada --password-stdin" and (machine.folder / "calls.token").read_text() == "token"
    assert "token" not in " ".join(machine.calls) and create.startswith("docker buildx create")
    assert re.search(r" image=moby/buildkit@sha256:[0-9a-f]{64}$", create)
    images = ["ghcr.io/octo/keywright", "ghcr.io/octo/keywright-ci"]
    for image, build in zip(images, built, strict=True):
        assert "--platform linux/amd64,linux/arm64" in build and f"--tag {image}:1.2.3 --tag {image}:latest --push" in build
        assert ("--target ci" in build) == image.endswith("-ci")
    assert output.read_text() == f"digest={digest}\nci_digest={digest}\n"
    context = machine.folder / "calls.context"
    assert (context / "amd64/keywright").read_text() == "keywright for x86_64-unknown-linux-musl"
    assert (context / "arm64/keywright").read_text() == "keywright for aarch64-unknown-linux-musl"
    assert (context / "ca-certificates.crt").read_text() == "certificates"
    # Everything that the Dockerfile copies is there, for both.
    copied = re.findall(r"^COPY (?:--\S+ )?(.*) \S+$", (ROOT / "packaging/release/Dockerfile").read_text(), re.M)
    for name in " ".join(copied).split():
        for arch in ("amd64", "arm64"):
            assert (context / name.replace("$TARGETARCH", arch)).is_file(), name
    # An archive that is not the one with the checksum makes no image.
    (dist / f"keywright-{VERSION}-{TARGETS[0]}.tar.gz").write_text("another")
    assert machine.run("packaging/release/images", VERSION, dist, **known).returncode != 0


def test_images_are_signed_by_digest_under_the_names_of_this_repository(machine: Machine) -> None:
    machine.logged("cosign", f'if [ "$1" = login ]; then cat >"{machine.folder}/token"; fi')
    output = machine.folder / "output"
    known = {"GH_TOKEN": "token", "GITHUB_REPOSITORY": "Octo/Keywright", "GITHUB_ACTOR": "ada", "GITHUB_OUTPUT": str(output)}
    one, other = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    for strange in ("", "latest", one[:-1], f"{one} --key x", "sha256:" + "A" * 64):
        for digests in ((one, strange), (strange, one)):
            assert machine.run("packaging/release/sign-images", *digests, **known).returncode == 1 and machine.calls == [], digests
    assert machine.run("packaging/release/sign-images", one, other, **known).returncode == 0
    assert machine.calls == [
        "cosign login ghcr.io --username ada --password-stdin",
        f"cosign sign --yes ghcr.io/octo/keywright@{one}",
        f"cosign sign --yes ghcr.io/octo/keywright-ci@{other}",
    ]
    assert (machine.folder / "token").read_text() == "token"
    assert output.read_text() == "image=ghcr.io/octo/keywright\nci_image=ghcr.io/octo/keywright-ci\n"


def test_a_version_before_a_release_is_not_the_latest(machine: Machine) -> None:
    dist = machine.release()
    for file in list(dist.iterdir()):
        file.rename(dist / file.name.replace(VERSION, "1.2.3-rc.1"))
    for target in TARGETS[:2]:
        name = f"keywright-{VERSION}-{target}"
        with tarfile.open(dist / f"keywright-1.2.3-rc.1-{target}.tar.gz", "w:gz") as archive:
            archive.add(machine.folder / name, f"keywright-1.2.3-rc.1-{target}")
    judge("bash", "-c", "sha256sum -- * >SHA256SUMS", cwd=dist)
    machine.logged("cosign")
    machine.logged(
        "docker",
        'while [ $# -gt 1 ]; do if [ "$1" = --metadata-file ]; then '
        f'echo \'{{"containerimage.digest": "sha256:{"a" * 64}"}}\' >"$2"; fi; shift; done\ncat >/dev/null',
    )
    known = {"GH_TOKEN": "token", "GITHUB_REPOSITORY": "octo/keywright", "GITHUB_ACTOR": "ada", "KEYWRIGHT_CERTIFICATES": str(machine.checkout / "Cargo.toml")}
    done = machine.run("packaging/release/images", "1.2.3-rc.1", dist, **known)
    assert done.returncode == 0, done
    assert any(":1.2.3-rc.1" in call for call in machine.calls) and not any(":latest" in call for call in machine.calls)


def test_an_image_has_the_binary_the_certificates_and_nobody_special() -> None:
    text = (ROOT / "packaging/release/Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    assert last.startswith("scratch\n") and "\nUSER 65532:65532\n" in last and 'ENTRYPOINT ["/keywright"]' in last and "\nRUN " not in last
    assert text.count("USER 65532:65532") == 2
    # What is built on is known by its bytes, and nothing else takes part.
    assert all(re.fullmatch(r"scratch|\S+@sha256:[0-9a-f]{64}(?: AS \w+)?", base) for base in re.findall(r"^FROM (.*)$", text, re.M))
    assert "# syntax" not in text


# Publishing


@pytest.fixture
def github(machine: Machine) -> Machine:
    """gh with one release at most, whose state is in a file: draft or released."""
    machine.logged(
        "gh",
        f'state="{machine.folder / "state"}"\ncase "$1 $2" in\n'
        '"release view") [ -e "$state" ] || { echo "release not found" >&2; exit 1; }; if [ "$(cat "$state")" = draft ]; then echo true; else echo false; fi ;;\n'
        '"release delete") rm "$state" ;;\n'
        '"release create") [ ! -e "$state" ] || exit 1; echo draft >"$state"; while [ $# -gt 0 ]; do [ "$1" != --notes-file ] || cp "$2" "$state.notes"; shift; done ;;\n'
        '"release edit") echo released >"$state" ;;\n*) exit 1 ;;\nesac',
    )
    return machine


def test_a_release_is_a_draft_until_it_is_whole(github: Machine) -> None:
    dist = collected(github)
    done = github.run("packaging/release/publish", "draft", "v1.2.3", dist)
    assert done.returncode == 0 and (github.folder / "state").read_text() == "draft\n", done
    [create] = [call for call in github.calls if call.startswith("gh release create")]
    assert "--draft --verify-tag --title keywright 1.2.3" in create and "--prerelease" not in create
    uploaded = {Path(word).name for word in create.split() if word.startswith(str(dist))}
    assert uploaded == {file.name for file in dist.iterdir()} and {"SHA256SUMS", "SHA256SUMS.sigstore.json", "keywright.rb"} <= uploaded
    assert (github.folder / "state.notes").read_text() == "### Added\n\n- Something.\n"
    # A run that is run again makes the draft anew; then it is released, once and for all.
    assert github.run("packaging/release/publish", "draft", "v1.2.3", dist).returncode == 0
    assert github.run("packaging/release/publish", "release", "v1.2.3").returncode == 0
    assert (github.folder / "state").read_text() == "released\n"
    for again in (("draft", "v1.2.3", dist), ("release", "v1.2.3")):
        done = github.run("packaging/release/publish", *again)
        assert done.returncode == 1 and "is released already" in done.stdout, done


def test_what_was_changed_after_it_was_signed_is_not_published(github: Machine) -> None:
    dist = collected(github)
    (dist / f"keywright-{VERSION}-{TARGETS[0]}.tar.gz").write_text("another")
    assert github.run("packaging/release/publish", "draft", "v1.2.3", dist).returncode != 0
    assert github.run("packaging/release/publish", "release", "v1.2.3").returncode == 1
    assert not [call for call in github.calls if "create" in call or "edit" in call]


def test_the_notes_are_those_of_the_tag(github: Machine) -> None:
    dist = collected(github)
    github.write("CHANGELOG.md", CHANGELOG.replace("1.2.3", "1.2.4"))
    assert github.run("packaging/release/publish", "draft", "v1.2.3", dist).returncode != 0
    assert not [call for call in github.calls if "create" in call]
