"""A job on GitHub that uses the action, with a folder in the place of the release's address; the GitLab component runs the same scripts."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aws import Endpoint
from command import Keywright, Result
from expressions import Scope, filled, holds
from fake_gh import served
from furnished import ACCOUNT, client
from recipes import CI, REPOSITORY, GitHub, Runner, run_script

ROOT = CI.parents[1]
ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates/keywright.yml"
RECIPE = CI / "github-action/keywright.yml"
VERSION = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]
MACHINE = {"x86_64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}[platform.machine()]
ARCHIVE = f"keywright-{VERSION}-{MACHINE}-unknown-linux-musl"


@dataclass
class Outcome:
    """A run of the action: how it ended, its log, its outputs, and what it uploaded."""

    code: int
    log: str
    outputs: dict[str, str]
    uploaded: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class Job(Runner):
    """A job on GitHub that uses the action, on a machine without keywright."""

    attested: bool = True
    may: dict[str, str] = field(default_factory=lambda: {"contents": "read", "pull-requests": "write"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.github = GitHub(self.folder / "github.json")
        self.github.write()
        self.releases = self.folder / "releases"
        self.publish(f'#!/bin/sh\nexec "{self.keywright.binary}" "$@"\n')

    @property
    def programs(self) -> str:
        return f"{self.folder / 'bin'}:{os.environ['PATH']}"

    def publish(self, program: str, version: str = VERSION) -> str:
        """A release that holds this as the binary; its checksum."""
        name = ARCHIVE.replace(VERSION, version)
        place = self.releases / f"v{version}"
        place.mkdir(parents=True, exist_ok=True)
        with tarfile.open(place / f"{name}.tar.gz", "w:gz") as archive:
            entry = tarfile.TarInfo(f"{name}/keywright")
            entry.size, entry.mode = len(program), 0o755
            archive.addfile(entry, io.BytesIO(program.encode()))
        return self.checksums(version)

    def checksums(self, version: str = VERSION) -> str:
        place = self.releases / f"v{version}"
        sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in place.glob("*.tar.gz")}
        (place / "SHA256SUMS").write_text("".join(f"{sum}  {name}\n" for name, sum in sums.items()))
        return sums[f"{ARCHIVE.replace(VERSION, version)}.tar.gz"]

    def gh(self, lines: str) -> None:
        """gh as fake_gh.py has it, with attestations beside; all of its calls for them are written down."""
        log = self.folder / "attestations"
        self.program("gh", f'if [ "$1" = attestation ]; then echo "$*" >>"{log}"; exec test -e "{self.folder}/attested"; fi\n{lines}')

    def use(self, event: dict[str, Any] | None = None, environment: dict[str, str] | None = None, **given: str) -> Outcome:
        """Runs the action with inputs (`plan_file` is plan-file), as a step of a job."""
        document = yaml.safe_load(ACTION.read_text())
        inputs = {name: str(known.get("default", "")) for name, known in document["inputs"].items()}
        token = "token " + json.dumps(self.may)
        contexts: dict[str, Any] = {"github": {"token": token}, "steps": {}}
        inputs = filled(inputs, Scope(contexts)) | {name.replace("_", "-"): value for name, value in given.items()}
        assert set(inputs) == set(document["inputs"]), "inputs that the action does not have"
        contexts["inputs"] = inputs
        marker = self.folder / "attested"
        marker.touch() if self.attested else marker.unlink(missing_ok=True)
        (self.temp / "event.json").write_text(json.dumps(event or {}))
        for name in ("path", "output", "summary"):
            (self.temp / name).write_text("")
        code, log, uploaded = 0, [], {}
        for number, step in enumerate(document["runs"]["steps"]):
            condition = step.get("if")
            # An `if` of an action may stand without braces, as that of a workflow may.
            if not holds(condition, Scope(contexts, code != 0)):
                continue
            if "uses" in step:
                assert step["uses"].startswith("actions/upload-artifact@")
                what = filled(step["with"], Scope(contexts))
                # What is not there is a mistake of the action, and no artifact that is left out.
                assert what["if-no-files-found"] == "warn" and Path(what["path"] or "/nowhere").is_dir(), what
                uploaded[what["name"]] = sorted(file.name for file in Path(what["path"]).iterdir())
                continue
            assert step["shell"] == "bash"
            done = self.step(step, filled(step.get("env", {}), Scope(contexts)) | (environment or {}))
            log.append(done.out + done.err)
            outputs = dict(line.split("=", 1) for line in (self.temp / "output").read_text().splitlines())
            (self.temp / "output").write_text("")
            contexts["steps"][step.get("id", f"_{number}")] = {"outputs": outputs}
            code = code or done.code
        told = {name: known["value"] for name, known in document["outputs"].items()}
        return Outcome(code, "".join(log), {n: v or "" for n, v in filled(told, Scope(contexts)).items()}, uploaded)

    def step(self, step: dict[str, Any], environment: dict[str, str]) -> Result:
        path = (self.temp / "path").read_text().split()
        known = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_EVENT_PATH": str(self.temp / "event.json"),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary"),
            "RUNNER_TEMP": str(self.temp),
            "KEYWRIGHT_RELEASES": f"file://{self.releases}",
            "PATH": ":".join([*path, self.programs]),
        }
        environment = {name: "" if value is None else str(value) for name, value in environment.items()}
        return run_script(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], step["run"], self.checkout, self.environment() | known | environment
        )


@contextmanager
def on_github(keywright: Keywright, sandbox: Endpoint, folder: Path) -> Iterator[Job]:
    """A job, and a stand-in for GitHub as long as it lasts."""
    job = Job(keywright.signed_in(ACCOUNT), sandbox, folder / "job")
    with served(job.github.file, REPOSITORY) as gh:
        job.gh(gh)
        yield job


def live(job: Job) -> dict[str, str]:
    return {secret["Name"]: secret["Description"] for secret in client(job.endpoint).list_secrets()["SecretList"]}


def by_hand(job: Job) -> None:
    client(job.endpoint).update_secret(SecretId="dev/shop/db", Description="By hand")
