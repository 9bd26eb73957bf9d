"""What the benchmarks share: the binary, a measured run, a served sandbox, generated projects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
BINARY = Path(os.environ.get("KEYWRIGHT_BIN", ROOT / "target/release/keywright"))
ACCOUNT = "111111111111"


# Credentials for a served sandbox, which takes an access key id of twelve digits for the account.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Run:
    """What one run of keywright took."""

    seconds: float
    # Seconds of one core, in the process and in the kernel for it.
    cpu: float
    # The largest resident size, in MiB.
    memory: float
    printed: str

    @property
    def calls(self) -> str:
        """What `-v` says of API calls."""
        found = re.search(r"API calls: (.*)", self.printed)
        return found.group(1) if found else "-"


def run(*arguments: str, **environment: str) -> Run:
    """Runs keywright to its end."""
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+") as printed:
        child = subprocess.Popen([BINARY, *arguments], env={**os.environ, **environment}, stdout=printed, stderr=printed)
        _, status, usage = os.wait4(child.pid, 0)
        # wait4 took the child's status: Popen must not wait for it again.
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begun
        printed.seek(0)
        text = printed.read()
    if child.returncode != 0:
        raise SystemExit(f"keywright {' '.join(arguments)} ended with {child.returncode}:\n{text[-4000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


@contextmanager
def served(profile: dict[str, object] | None, *arguments: str) -> Iterator[str]:
    """Serves a sandbox (`--memory`, or `--file=…`) with a fault profile; its address, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        faults = Path(folder) / "faults.json"
        faults.write_text(json.dumps({"profile": profile or {}}))
        server = subprocess.Popen(
            [BINARY, "sandbox", "serve", "--port", "0", "--faults", str(faults), *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            yield server.stdout.readline().rsplit(" ", 1)[-1].strip()
        finally:
            server.terminate()
            server.wait()


def latency(milliseconds: int) -> str:
    """A fault profile's way to write a time."""
    return f"PT{milliseconds / 1000}S"


def project(root: Path) -> None:
    """Writes a project file with one target."""
    (root / "secrets").mkdir(parents=True)
    (root / "keywright.yaml").write_text(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: bench }\nspec:\n"
        "  manifests: [secrets/manifests]\n"
        f'  targets: [{{ name: dev, account: "{ACCOUNT}", region: eu-west-1, vars: {{ env: dev }} }}]\n'
        '  defaults: { tags: { owner: platform, env: "${env}" } }\n'
        '  scope: { namePrefixes: ["${env}/bench/"] }\n'
    )
    (root / "secrets/manifests").mkdir()


def manifest(name: str, spec: str) -> str:
    return f'apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: "${{env}}/bench/{name}" }}\nspec:\n{spec}'


SECRETS_IN_A_FILE = 20

POLICY = (
    '  policy: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { AWS: "arn:aws:iam::'
    + ACCOUNT
    + ':role/app" }, Action: "secretsmanager:GetSecretValue", Resource: "*" }] }\n'
)


def generated(root: Path, size: int, policies: bool = False) -> None:
    """Writes a project of so many secrets, 20 to a file, with a policy each if wanted."""
    project(root)
    for first in range(0, size, SECRETS_IN_A_FILE):
        documents = [
            manifest(
                f"team_{first:06}/secret_{number:06}",
                f"  description: Secret number {number}\n  tags: {{ team: team-{first}, tier: gold }}\n"
                + (POLICY if policies else ""),
            )
            for number in range(first, min(first + SECRETS_IN_A_FILE, size))
        ]
        (root / f"secrets/manifests/{first:06}.yaml").write_text("---\n".join(documents))
