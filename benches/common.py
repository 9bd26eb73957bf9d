"""What the benchmarks share: the binary, a measured run, generated projects."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BINARY = Path(os.environ.get("KEYWRIGHT_BIN", ROOT / "target/release/keywright"))
ACCOUNT = "111111111111"


def run(*arguments: str, **environment: str) -> tuple[float, float, str]:
    """Runs keywright; returns seconds, the largest resident size of any child so far in MiB, and what it printed."""
    begun = time.monotonic()
    done = subprocess.run([BINARY, *arguments], env={**os.environ, **environment}, capture_output=True, text=True)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        raise SystemExit(f"keywright {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, done.stdout + done.stderr


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
