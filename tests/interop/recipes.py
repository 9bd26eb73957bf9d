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
SCRIPTS = sorted([*(CI / "github/keywright").glob("*.sh"), *(CI / "gitlab/keywright").glob("*.sh")])
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
            "comments": {}, "issues": [], "pulls": {}, "reviews": {}, "permissions": {}, "statuses": {},
            "runs": [], "artifacts": [], "next": 100, "calls": [], "clock": 0,
        }  # fmt: skip
        self.file.write_text(json.dumps(known | changes, indent=1))

    def tick(self) -> str:
        """The next second."""
        clock = self.read()["clock"] + 1
        self.write(clock=clock)
        return f"2026-01-01T{clock // 3600:02}:{clock // 60 % 60:02}:{clock % 60:02}Z"

    def store(self, name: str, files: list[Path], run: int, overwrite: bool = False) -> None:
        """An artifact of a run. No two of a run have one name, unless one takes the other's place."""
        at, known = self.tick(), self.read()
        others = [artifact for artifact in known["artifacts"] if (artifact["run"], artifact["name"]) != (run, name)]
        assert overwrite or len(others) == len(known["artifacts"]), f"run {run} has an artifact {name}"
        kept = self.file.parent / f"artifact-{known['next'] + 1}"
        kept.mkdir()
        for file in files:
            if file.is_dir():
                shutil.copytree(file, kept, dirs_exist_ok=True)
            else:
                shutil.copy(file, kept)
        artifact = {"name": name, "expired": False, "created_at": at, "run": run, "folder": str(kept)}
        self.write(artifacts=[*others, artifact], next=known["next"] + 1)


@dataclass
class Checkout:
    """A repository with an origin, a developer's clone of it, and a folder of programs that stand in for others."""

    keywright: Keywright
    endpoint: Endpoint
    folder: Path
    # Where the project is in the repository.
    project: str = "."

    def __post_init__(self) -> None:
        self.folder.mkdir()
        (self.folder / "bin").mkdir()
        self.git("init", "--quiet", "--bare", "--initial-branch=main", self.folder / "origin.git", cwd=self.folder)
        self.git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=self.folder / "origin.git")
        self.git("clone", "--quiet", self.folder / "origin.git", self.checkout, cwd=self.folder)
        self.git("symbolic-ref", "HEAD", "refs/heads/main")
        (self.checkout / "secrets").mkdir()

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def programs(self) -> str:
        """A PATH with the stand-ins and keywright in front."""
        return f"{self.folder / 'bin'}:{self.keywright.binary.parent}:{os.environ['PATH']}"

    def program(self, name: str, line: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    def jq(self) -> None:
        """jq itself where there is one, else a stand-in over its library."""
        if not shutil.which("jq"):
            self.program("jq", f'exec "{sys.executable}" "{Path(__file__).with_name("fake_jq.py")}" "$@"')

    def python(self) -> dict[str, str]:
        """What stand-ins in Python need to find their packages."""
        return {"PYTHONPATH": os.environ.get("PYTHONPATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}

    def git(self, *arguments: object, cwd: Path | None = None) -> str:
        words = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", *map(str, arguments)]
        done = subprocess.run(words, cwd=cwd or self.checkout, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, f"{words}\n{done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str, **manifests: str) -> str:
        """Commits manifests, each named by its file, and returns the commit."""
        for name, text in manifests.items():
            (self.checkout / self.project / f"secrets/{name}.yaml").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@dataclass
class Runner(Checkout):
    """A machine that runs jobs in a checkout of the repository, with an endpoint in AWS's place."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.temp.mkdir()
        self.jq()
        (self.checkout / "keywright.yaml").write_text(PROJECT)
        self.commit("the project", db=manifest("db", "The database"), api=manifest("api", "The API"))
        self.git("push", "--quiet", "origin", "HEAD:refs/heads/main")

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    def environment(self, **more: str) -> dict[str, str]:
        return self.keywright.environment(
            **{"PATH": self.programs, "AWS_ENDPOINT_URL": self.endpoint.url, **self.python(), **more}
        )

    def shell(self, script: str, **environment: str) -> Result:
        """A script in Bash that ends at the first error."""
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
        return run_script(words, script, self.checkout, self.environment(**environment))
