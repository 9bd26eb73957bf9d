"""Validate, apply and plan of generated projects on the embedded sandbox: calls, seconds and memory for each size."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import generated, run


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000]
    print(f"{'secrets':>8}  {'what':<22}{'seconds':>8}  {'MiB':>6}  calls")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            generated(root, size)
            for what, arguments in [
                ("validate", ["validate"]),
                ("apply, all to create", ["apply", "--yes", "--sandbox", "-v"]),
                ("plan, nothing to do", ["plan", "--sandbox", "-v"]),
            ]:
                done = run(*arguments, "--project", str(root))
                print(f"{size:>8}  {what:<22}{done.seconds:>8.2f}  {done.memory:>6.0f}  {done.calls}", flush=True)


if __name__ == "__main__":
    main()
