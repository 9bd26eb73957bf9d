"""An apply over HTTP, against a sandbox that keeps AWS's request quotas: new secrets with a value and a policy; a tag on each
of as many without a policy (where they declare one, the plan reads it, at 50 a second); new secrets over ten accounts side by
side. Prints calls, seconds and memory.

    python3 benches/writes.py [SECRETS]              # 1,000 by default, 30 and 150 ms away
    python3 benches/writes.py --accounts [SECRETS]   # 500 in one account, then 500 in each of ten
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from common import POLICY, SECRETS_IN_A_FILE, Run, latency, run, served

# Milliseconds of a call.
LATENCIES = [30, 150]
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


def measure(what: list[tuple[str, list[str], int, str, str]], milliseconds: int) -> list[Run]:
    """Applies projects one after the other to one served sandbox; those that have a name are returned."""
    done = []
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        environment = profiles(folder)
        with served({"latency": latency(milliseconds), "quotas": True}, "--memory") as address:
            for said, accounts, size, tag, policy in what:
                root = folder / "project"
                project(root, accounts, size, tag, policy)
                applied = run(
                    *["apply", "--yes", "-v", "--max-changes-percent", "100"],
                    *["--endpoint-url", address, "--project", str(root)],
                    **environment,
                )
                if said:
                    done.append(applied)
    return done


def tell(what: list[tuple[str, list[str], int, str, str]], milliseconds: int) -> float:
    """Measures one, prints it, and returns its seconds."""
    said = what[-1][0]
    done = measure(what, milliseconds)[-1]
    print(f"| {said} | {milliseconds} | {done.seconds:.1f} | {done.memory:.0f} | {done.calls} |", flush=True)
    return done.seconds


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    print(f"{os.cpu_count()} cores, AWS's request quotas kept by the sandbox\n")
    print("| apply | ms a call | seconds | MiB | calls |\n|---|---:|---:|---:|---|")
    if "--accounts" in sys.argv:
        size = numbers[0] if numbers else 500
        one = tell([(f"{size:,} new secrets in one account", ACCOUNTS[:1], size, "a", POLICY)], LATENCIES[0])
        ten = tell([(f"{size:,} in each of {len(ACCOUNTS)}", ACCOUNTS, size, "a", POLICY)], LATENCIES[0])
        print(f"\nratio {ten / one:.2f}")
        return
    size = numbers[0] if numbers else 1_000
    one = ACCOUNTS[:1]
    for milliseconds in LATENCIES:
        tell([(f"{size:,} new secrets, value and policy", one, size, "a", POLICY)], milliseconds)
        tell([("", one, size, "a", ""), (f"a tag on {size:,}", one, size, "b", "")], milliseconds)


if __name__ == "__main__":
    main()
