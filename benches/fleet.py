"""Plan, drift and inventory of a whole fleet over HTTP, 30 ms away: calls, seconds, seconds of one core and memory for each size.

The secrets are made in a sandbox file first, which is then served with a latency. With --policies every secret declares a
policy, and a cold and a warm run with --cache are measured too; a policy is remembered only when the secret's last change
is ten minutes old, so that takes ten minutes of waiting.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from common import CREDENTIALS, Run, generated, latency, run, served

# Milliseconds of a call: --latency=150 stands for another continent.
LATENCY_MS = next((int(text.split("=")[1]) for text in sys.argv if text.startswith("--latency=")), 30)
SETTLED_AFTER_SECONDS = 11 * 60


def measure(size: int, policies: bool) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        root, sandbox = folder / "project", folder / "sandbox.redb"
        generated(root, size, policies)
        tell(size, "validate", run("validate", "--project", str(root)))
        run("apply", "--yes", f"--sandbox={sandbox}", "--project", str(root))
        made = time.monotonic()
        page = ["inventory", "--format", "html", "--out", str(folder / "page.html")]
        runs = [("plan", ["plan"]), ("drift", ["drift"]), ("inventory", ["inventory"]), ("inventory, a page", page)]
        if policies:
            cache = f"--cache={folder / 'cache.json'}"
            runs = [("plan, cold cache", ["plan", cache]), ("plan, warm cache", ["plan", cache])]
            time.sleep(max(0.0, made + SETTLED_AFTER_SECONDS - time.monotonic()))
        with served({"latency": latency(LATENCY_MS)}, f"--file={sandbox}") as address:
            for what, arguments in runs:
                done = run(*arguments, "-v", "--endpoint-url", address, "--project", str(root), **CREDENTIALS)
                tell(size, what, done)


def tell(size: int, what: str, done: Run) -> None:
    print(f"| {size:,} | {what} | {done.seconds:.2f} | {done.cpu:.2f} | {done.memory:.0f} | {done.calls} |", flush=True)


def main() -> None:
    policies = "--policies" in sys.argv
    sizes = [int(size) for size in sys.argv[1:] if size.isdigit()] or [100, 1_000, 10_000, 50_000]
    print(f"{os.cpu_count()} cores, {LATENCY_MS} ms latency{', a policy each' if policies else ''}\n")
    print("| secrets | what | seconds | CPU s | MiB | calls |\n|---:|---|---:|---:|---:|---|")
    for size in sizes:
        measure(size, policies)


if __name__ == "__main__":
    main()
