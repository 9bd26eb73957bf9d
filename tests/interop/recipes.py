"""Runs the recipes of examples/ci as their CI does: the shell of a job's steps, one after the other, in a checkout.

GitHub is a file here: `gh`, `docker` and the actions that workflows use are played by fake_gh.py and by this module.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from aws import Endpoint
from command import LIMIT, Keywright, Result

CI = Path(__file__).resolve().parents[2] / "examples" / "ci"
WORKFLOWS = sorted((CI / "github/workflows").glob("*.yml"))
SCRIPTS = sorted((CI / "github/keywright").glob("*.sh"))
REPOSITORY = "octo/secrets"
IMAGE = "registry.example.com/keywright@sha256:" + "0" * 64


def run_script(shell: list[str], script: str, folder: Path, environment: dict[str, str]) -> Result:
    """Runs a script with a shell, and waits for its end."""
    done = subprocess.run(
        [*shell, script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    return Result([script], done.returncode, done.stdout, done.stderr)


PROJECT = """apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets/]
  targets: [{ name: dev, account: "111111111111", region: eu-west-1 }]
  scope: { namePrefixes: [dev/shop/] }
"""


def manifest(name: str, description: str) -> str:
    return f"""apiVersion: keywright/v1
kind: Secret
metadata: {{ name: dev/shop/{name} }}
spec: {{ description: {description} }}
"""


@dataclass
class GitHub:
    """What GitHub knows; fake_gh.py reads and writes it."""

    file: Path

    def read(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())

    def write(self, **changes: Any) -> None:
        known = self.read() if self.file.exists() else {
            "comments": {}, "issues": [], "pulls": {}, "artifacts": [], "next": 100, "calls": [],
        }  # fmt: skip
        self.file.write_text(json.dumps(known | changes, indent=1))

    def store(self, name: str, files: Path, head: str, fork: bool = False) -> None:
        """An artifact, as a run on that commit uploads it; `fork` for the run of a fork's pull request."""
        known = self.read()
        kept = self.file.parent / f"artifact-{len(known['artifacts']) + 1}"
        if files.is_dir():
            shutil.copytree(files, kept)
        elif files.exists():
            kept.mkdir()
            shutil.copy(files, kept)
        artifact = {
            "name": name,
            "expired": False,
            "created_at": f"2026-01-01T00:00:{len(known['artifacts']):02}Z",
            "workflow_run": {
                "id": len(known["artifacts"]) + 1,
                "head_sha": head,
                "repository_id": 1,
                "head_repository_id": 2 if fork else 1,
            },
        }
        self.write(artifacts=[*known["artifacts"], artifact])


@dataclass
class Runner:
    """A machine that runs jobs in a checkout of the repository, with an endpoint in AWS's place."""

    keywright: Keywright
    endpoint: Endpoint
    folder: Path
    # Where the project is in the repository.
    project: str = "."
    github: GitHub = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "temp").mkdir()
        self.github = GitHub(self.folder / "github.json")
        self.github.write()
        programs = self.folder / "programs"
        programs.mkdir()
        gh = Path(__file__).with_name("fake_gh.py")
        # `docker create` names a container, `docker cp CONTAINER:/keywright FILE` takes the binary out of it.
        docker = f'case $1 in create) echo c1;; cp) [ "$2" = c1:/keywright ] && cp "{self.keywright.binary}" "$3";; esac'
        for name, line in {"gh": f'exec "{sys.executable}" "{gh}" "$@"', "docker": docker}.items():
            (programs / name).write_text(f"#!/bin/sh\n{line}\n")
            (programs / name).chmod(0o755)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", self.folder / "origin.git", cwd=self.folder)
        self.git("clone", "--quiet", self.folder / "origin.git", self.checkout, cwd=self.folder)
        shutil.copytree(CI / "github", self.checkout / ".github")
        (self.checkout / "keywright.yaml").write_text(PROJECT)
        (self.checkout / "secrets").mkdir()
        self.commit("the project", db=manifest("db", "The database"), api=manifest("api", "The API"))
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/main")

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    def git(self, *arguments: object, cwd: Path | None = None) -> str:
        words = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *map(str, arguments)]
        done = subprocess.run(words, cwd=cwd or self.checkout, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, message: str, **manifests: str) -> str:
        """Commits manifests, each named by its file, and returns the commit."""
        for name, text in manifests.items():
            (self.checkout / self.project / f"secrets/{name}.yaml").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def environment(self, **more: str) -> dict[str, str]:
        path = f"{self.folder / 'programs'}:{self.keywright.binary.parent}:{os.environ['PATH']}"
        return self.keywright.environment(
            PATH=path,
            AWS_ENDPOINT_URL=self.endpoint.url,
            FAKE_GITHUB=str(self.github.file),
            PYTHONPATH=os.environ.get("PYTHONPATH", ""),
            RUNNER_TEMP=str(self.temp),
            GITHUB_REPOSITORY=REPOSITORY,
            GITHUB_RUN_ID="42",
            GITHUB_STEP_SUMMARY=str(self.temp / "summary.md"),
            GITHUB_OUTPUT=str(self.temp / "output"),
            GITHUB_PATH=str(self.temp / "path"),
            **more,
        )

    def shell(self, script: str, **environment: str) -> Result:
        """A step's `run`, with the shell that GitHub gives it."""
        return run_script(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"], script, self.checkout, self.environment(**environment))

    def script(self, name: str, *arguments: object, **environment: str) -> Result:
        words = " ".join(f"'{argument}'" for argument in arguments)
        return self.shell(f".github/keywright/{name} {words}", **environment)

    def job(self, workflow: str, job: str, known: dict[str, str]) -> Result:
        """Runs the steps of a job. `known` are the expressions of the workflow and what they come to here; a step whose
        condition is none of them, or the empty text, is left out. Ends at the first step that fails, but for those that
        run even then."""
        document = yaml.safe_load((CI / "github/workflows" / workflow).read_text())
        known = {
            "vars.KEYWRIGHT_IMAGE": IMAGE,
            "vars.KEYWRIGHT_PROJECT || '.'": self.project,
            "github.token": "token",
            "runner.temp": str(self.temp),
        } | known

        def filled(value: object) -> str:
            return re.sub(r"\$\{\{ (.+?) \}\}", lambda match: known[match[1]], str(value))

        environment = {name: filled(value) for name, value in document["env"].items()}
        (self.temp / "output").write_text("")
        failed: Result | None = None
        last = Result([job], 0, "", "")
        for step in document["jobs"][job]["steps"]:
            condition = step.get("if", "")
            always = condition == "${{ !cancelled() }}"
            if (failed and not always) or (condition and not always and not known.get(condition)):
                continue
            if "run" in step:
                outputs = dict(line.split("=", 1) for line in (self.temp / "output").read_text().splitlines())
                known |= {f"steps.look.outputs.{name}": value for name, value in outputs.items()}
                extra = {name: filled(value) for name, value in step.get("env", {}).items()}
                last = self.shell(step["run"], **environment | extra)
                failed = failed or (last if last.code else None)
            else:
                self.action(step["uses"].split("@")[0], {n: filled(v) for n, v in step.get("with", {}).items()}, known)
        return failed or last

    def action(self, name: str, given: dict[str, str], known: dict[str, str]) -> None:
        if name == "actions/upload-artifact":
            self.github.store(given["name"], Path(given["path"]), known.get("github.event.pull_request.head.sha", ""))
        elif name == "actions/download-artifact":
            found = [a for a in self.github.read()["artifacts"] if a["name"] == given["name"]]
            assert found, f"there is no artifact {given['name']}"
            kept = self.github.file.parent / f"artifact-{found[-1]['workflow_run']['id']}"
            shutil.copytree(kept, given["path"], dirs_exist_ok=True)
        else:
            assert name in {"actions/checkout", "actions/cache", "aws-actions/configure-aws-credentials"}, name

    def forget(self) -> None:
        """What a new machine does not have."""
        shutil.rmtree(self.temp)
        self.temp.mkdir()
