"""Plan, drift and inventory of a whole fleet over HTTP, 30 ms away: calls, seconds and memory for each size.

The secrets are made in a sandbox file first, which is then served with a latency. With --policies every secret declares a
policy, and a cold and a warm run with --cache are measured too; a policy is remembered only when the secret's last change
is ten minutes old, so that takes ten minutes of waiting.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ACCOUNT, BINARY, calls, generated, run

# Milliseconds of a call: --latency=150 stands for another continent.
LATENCY_MS = next((int(text.split("=")[1]) for text in sys.argv if text.startswith("--latency=")), 30)
LATENCY = f"PT{LATENCY_MS / 1000}S"
SETTLED_AFTER_SECONDS = 11 * 60


def served(
    sandbox: Path, folder: Path, profile: dict[str, object] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """Serves a sandbox file with a fault profile, the latency alone by default; returns the server and its address."""
    faults = folder / "faults.json"
    faults.write_text(json.dumps({"profile": profile or {"latency": LATENCY}}))
    server = subprocess.Popen(
        [BINARY, "sandbox", "serve", "--port", "0", f"--file={sandbox}", "--faults", str(faults)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    return server, server.stdout.readline().rsplit(" ", 1)[-1].strip()


def measure(size: int, policies: bool) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        root, sandbox = folder / "project", folder / "sandbox.redb"
        generated(root, size, policies)
        seconds, memory, _ = run("validate", "--project", str(root))
        tell(size, "validate", seconds, memory, "none")
        run("apply", "--yes", f"--sandbox={sandbox}", "--project", str(root))
        made = time.monotonic()
        server, address = served(sandbox, folder)
        environment = {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        page = ["inventory", "--format", "html", "--out", str(folder / "page.html")]
        runs = [("plan", ["plan"]), ("drift", ["drift"]), ("inventory", ["inventory"]), ("inventory, a page", page)]
        if policies:
            cache = f"--cache={folder / 'cache.json'}"
            runs = [("plan, cold cache", ["plan", cache]), ("plan, warm cache", ["plan", cache])]
            time.sleep(max(0.0, made + SETTLED_AFTER_SECONDS - time.monotonic()))
        try:
            for what, arguments in runs:
                seconds, memory, printed = run(
                    *arguments, "-v", "--endpoint-url", address, "--project", str(root), **environment
                )
                tell(size, what, seconds, memory, calls(printed))
        finally:
            server.terminate()
            server.wait()


def tell(size: int, what: str, seconds: float, memory: float, called: str) -> None:
    print(f"| {size:,} | {what} | {seconds:.2f} | {memory:.0f} | {called} |", flush=True)


def main() -> None:
    policies = "--policies" in sys.argv
    sizes = [int(size) for size in sys.argv[1:] if size.isdigit()] or [100, 1_000, 10_000, 50_000]
    print(f"{os.cpu_count()} cores, {LATENCY[2:-1]} s latency{', a policy each' if policies else ''}\n")
    print("| secrets | what | seconds | MiB | calls |\n|---:|---|---:|---:|---|")
    for size in sizes:
        measure(size, policies)


if __name__ == "__main__":
    main()
