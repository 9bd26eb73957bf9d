"""What it costs a plan when 2 % of its calls fail once: seconds without and with, over HTTP, 30 ms away.

The same plan is made three times of each, and the best of each is compared. With --policies every secret declares a
policy, so that there is a call for each of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import CREDENTIALS, generated, latency, run, served

SHARE = 0.02
RUNS = 3


def measure(size: int, policies: bool) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        root, sandbox = folder / "project", folder / "sandbox.redb"
        generated(root, size, policies)
        run("apply", "--yes", f"--sandbox={sandbox}", "--project", str(root))
        best = {}
        for share in (0.0, SHARE):
            profile = {"latency": latency(30), "failing": share, "seed": 7}
            with served(profile, f"--file={sandbox}") as address:
                arguments = ["plan", "-v", "--endpoint-url", address, "--project", str(root)]
                done = [run(*arguments, **CREDENTIALS) for _ in range(RUNS)]
            best[share] = min(one.seconds for one in done)
            print(f"| {size:,} | {share:.0%} | {best[share]:.2f} | {done[-1].calls} |", flush=True)
        print(f"{best[SHARE] / best[0.0] - 1:+.0%}", flush=True)


def main() -> None:
    policies = "--policies" in sys.argv
    sizes = [int(size) for size in sys.argv[1:] if size != "--policies"] or [10_000]
    print("| secrets | failing | seconds | calls |\n|---|---|---|---|")
    for size in sizes:
        measure(size, policies)


if __name__ == "__main__":
    main()
