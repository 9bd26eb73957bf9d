"""Resolving one value from each of many SOPS files: version ids alone, and decryption; the program sops beside it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import manifest, project, run


def main() -> None:
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        project(root)
        key = Path(folder) / "key.txt"
        subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
        public = next(line.split()[-1] for line in key.read_text().splitlines() if "public key" in line)
        plain = Path(folder) / "plain.yaml"
        plain.write_text("db:\n    username: payments\n    password: not-a-secret\n")
        encrypted = subprocess.run(
            ["sops", "--config", "/dev/null", "encrypt", "--age", public, plain], check=True, capture_output=True, text=True
        ).stdout
        documents = []
        for number in range(files):
            (root / f"secrets/{number:05}.sops.yaml").write_text(encrypted)
            spec = f"  value: {{ sops: {{ file: ../{number:05}.sops.yaml, key: /db }} }}\n"
            documents.append(manifest(f"secret_{number:05}", spec))
        (root / "secrets/manifests/all.yaml").write_text("---\n".join(documents))

        here = ["--sandbox", "--project", str(root)]
        seconds = run("validate", "--project", str(root)).seconds
        print(f"version ids of {files} files, no key (validate):  {seconds:.2f} s")
        seconds = run("apply", "--yes", *here, SOPS_AGE_KEY_FILE=str(key)).seconds
        print(f"decrypted, checked and applied to the sandbox:   {seconds:.2f} s")
        seconds = run("plan", "--read-values", *here, SOPS_AGE_KEY_FILE=str(key)).seconds
        print(f"planned, nothing to do:                          {seconds:.2f} s")
        begun = time.monotonic()
        sample = min(files, 50)
        for number in range(sample):
            subprocess.run(
                ["sops", "--config", "/dev/null", "decrypt", root / f"secrets/{number:05}.sops.yaml"],
                check=True,
                capture_output=True,
                env={"SOPS_AGE_KEY_FILE": str(key), "SOPS_DISABLE_VERSION_CHECK": "1", "PATH": "/usr/local/bin:/usr/bin:/bin"},
            )
        each = (time.monotonic() - begun) / sample
        print(f"the program sops, one call a file:               {each * files:.2f} s ({sample} files measured)")


main()
