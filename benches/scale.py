"""Plan and apply of generated projects on the embedded sandbox: calls, seconds and memory for each size."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from common import manifest, project, run

SECRETS_IN_A_FILE = 20


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000]
    print(f"{'secrets':>8}  {'what':<22}{'seconds':>8}  {'MiB':>6}  calls")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            project(root)
            for first in range(0, size, SECRETS_IN_A_FILE):
                documents = [
                    manifest(
                        f"team_{first:06}/secret_{number:06}",
                        f"  description: Secret number {number}\n  tags: {{ team: team-{first}, tier: gold }}\n",
                    )
                    for number in range(first, min(first + SECRETS_IN_A_FILE, size))
                ]
                (root / f"secrets/manifests/{first:06}.yaml").write_text("---\n".join(documents))
            for what, arguments in [
                ("validate", ["validate"]),
                ("apply, all to create", ["apply", "--yes", "--sandbox", "-v"]),
                ("plan, nothing to do", ["plan", "--sandbox", "-v"]),
            ]:
                seconds, memory, printed = run(*arguments, "--project", str(root))
                calls = re.search(r"API calls: (.*)", printed)
                print(f"{size:>8}  {what:<22}{seconds:>8.2f}  {memory:>6.0f}  {calls.group(1) if calls else '-'}")


main()
