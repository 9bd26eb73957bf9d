"""An apply over HTTP, against a sandbox that keeps AWS's request quotas: new secrets with a value and a policy; a tag on each
of as many without a policy (where they declare one, the plan reads it, at 50 a second); new secrets over ten accounts side by
side. Prints calls, seconds and memory.

    python3 benches/writes.py [SECRETS]              # 1,000 by default, 30 and 150 ms away
    python3 benches/writes.py --accounts [SECRETS]   # 500 in one account, then 500 in each of ten
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from common import BINARY, POLICY, SECRETS_IN_A_FILE, calls, run

LATENCIES = ["PT0.03S", "PT0.15S"]
ACCOUNTS = [f"{number:012}" for number in range(111111111111, 111111111121)]


def project(root: Path, accounts: list[str], size: int, tag: str, policy: str) -> None:
    """Writes a project with a target for each account, and so many secrets with a value in each."""
    (root / "secrets").mkdir(parents=True, exist_ok=True)
    targets = "".join(
        f'    - {{ name: "a{account}", account: "{account}", region: eu-west-1, profile: "a{account}" }}\n'
        for account in accounts
    )
    (root / "keywright.yaml").write_text(
        "apiVersion: keywright/v1\nkind: Project\nmetadata: { name: bench }\nspec:\n  manifests: [secrets]\n"
        f"  targets:\n{targets}  scope: {{ namePrefixes: [bench/] }}\n"
    )
    for first in range(0, size, SECRETS_IN_A_FILE):
        documents = [
            f"apiVersion: keywright/v1\nkind: Secret\nmetadata: {{ name: bench/secret-{number:06} }}\nspec:\n"
            f"  tags: {{ team: {tag} }}\n  value: {{ text: of-{number} }}\n{policy}"
            for number in range(first, min(first + SECRETS_IN_A_FILE, size))
        ]
        (root / f"secrets/{first:06}.yaml").write_text("---\n".join(documents))


def profiles(folder: Path) -> dict[str, str]:
    """Credentials for each account: the sandbox takes an access key id of twelve digits for the account."""
    config = folder / "config"
    config.write_text(
        "".join(
            f"[profile a{account}]\naws_access_key_id = {account}\naws_secret_access_key = bench\n"
            for account in ACCOUNTS
        )
    )
    return {"AWS_CONFIG_FILE": str(config), "AWS_EC2_METADATA_DISABLED": "true"}


def measure(what: list[tuple[str, list[str], int, str, str]], latency: str) -> list[float]:
    """Applies projects one after the other to one served sandbox; returns the seconds of each."""
    took = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        environment = profiles(folder)
        faults = folder / "faults.json"
        faults.write_text(json.dumps({"profile": {"latency": latency, "quotas": True}}))
        server = subprocess.Popen(
            [BINARY, "sandbox", "serve", "--port", "0", "--memory", "--faults", str(faults)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        address = server.stdout.readline().rsplit(" ", 1)[-1].strip()
        try:
            for said, accounts, size, tag, policy in what:
                root = folder / "project"
                project(root, accounts, size, tag, policy)
                seconds, memory, printed = run(
                    *["apply", "--yes", "-v", "--max-changes-percent", "100"],
                    *["--endpoint-url", address, "--project", str(root)],
                    **environment,
                )
                if not said:
                    continue
                print(f"| {said} | {latency[2:-1]} | {seconds:.1f} | {memory:.0f} | {calls(printed)} |", flush=True)
                took.append(seconds)
        finally:
            server.terminate()
            server.wait()
    return took


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    print(f"{os.cpu_count()} cores, AWS's request quotas kept by the sandbox\n")
    print("| apply | latency, s | seconds | MiB | calls |\n|---|---:|---:|---:|---|")
    if "--accounts" in sys.argv:
        size = numbers[0] if numbers else 500
        one = measure([(f"{size:,} new secrets in one account", ACCOUNTS[:1], size, "a", POLICY)], LATENCIES[0])
        ten = measure([(f"{size:,} in each of {len(ACCOUNTS)}", ACCOUNTS, size, "a", POLICY)], LATENCIES[0])
        print(f"\nratio {ten[0] / one[0]:.2f}")
        return
    size = numbers[0] if numbers else 1_000
    one = ACCOUNTS[:1]
    for latency in LATENCIES:
        measure([(f"{size:,} new secrets, value and policy", one, size, "a", POLICY)], latency)
        measure([("", one, size, "a", ""), (f"a tag on {size:,}", one, size, "b", "")], latency)


main()
