"""What it costs a plan when 2 % of its calls fail once: seconds without and with, over HTTP, 30 ms away.

The same plan is made three times of each, and the best of each is compared. With --policies every secret declares a
policy, so that there is a call for each of them.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from common import ACCOUNT, calls, generated, run
from fleet import LATENCY, served

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
            profile = {"latency": LATENCY, "failing": share, "seed": 7}
            server, address = served(sandbox, folder, profile)
            environment = {
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "bench",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            arguments = ["plan", "-v", "--endpoint-url", address, "--project", str(root)]
            try:
                done = [run(*arguments, **environment) for _ in range(RUNS)]
            finally:
                server.terminate()
                server.wait()
            best[share] = min(seconds for seconds, _, _ in done)
            print(f"| {size:,} | {share:.0%} | {best[share]:.2f} | {calls(done[-1][2])} |", flush=True)
        print(f"{best[SHARE] / best[0.0] - 1:+.0%}", flush=True)


def main() -> None:
    policies = "--policies" in sys.argv
    sizes = [int(size) for size in sys.argv[1:] if size != "--policies"] or [10_000]
    print("| secrets | failing | seconds | calls |\n|---|---|---|---|")
    for size in sizes:
        measure(size, policies)


if __name__ == "__main__":
    main()
