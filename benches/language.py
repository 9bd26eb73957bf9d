#!/usr/bin/env python3
"""validate of one fleet, by matrix, groups, folder defaults and forEach, and written out: seconds and memory.

python3 benches/language.py [SECRETS…]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from common import run

STAGES = ["dev", "prod"]
HEAD = "apiVersion: keywright/v1\nkind: "


def short(root: Path, items: int) -> None:
    """The fleet as the language has it: two targets, a list, folder defaults, an override by label."""
    (root / "s").mkdir(parents=True)
    (root / "keywright.yaml").write_text(
        HEAD + "Project\nmetadata: { name: bench }\nspec:\n  manifests: [s/]\n  targets:\n"
        '    - { name: "${stage}", account: "111111111111", region: eu-west-1, labels: { stage: "${stage}" },\n'
        f"        matrix: {{ stage: [{', '.join(STAGES)}] }} }}\n"
        '  scope: { namePrefixes: ["${stage}/"] }\n'
    )
    (root / "s/defaults.yaml").write_text(HEAD + "Defaults\nspec: { tags: { owner: platform } }\n")
    (root / "s/list.csv").write_text("name,tier\n" + "".join(f"t{number},tier{number % 3}\n" for number in range(items)))
    (root / "s/secrets.yaml").write_text(
        HEAD + "Secret\nforEach: { file: list.csv }\nmetadata: { name: \"${stage}/${each.name}\" }\nspec:\n"
        "  description: Key of ${each.name}\n"
        '  tags: { tier: "${each.tier}" }\n  overrides: { "stage=prod": { tags: { data-class: restricted } } }\n'
    )


def long(root: Path, items: int) -> None:
    """The same, each secret of each target by itself."""
    (root / "s").mkdir(parents=True)
    targets = "".join(
        f'    - {{ name: {stage}, account: "111111111111", region: eu-west-1, vars: {{ stage: {stage} }} }}\n'
        for stage in STAGES
    )
    (root / "keywright.yaml").write_text(
        HEAD + "Project\nmetadata: { name: bench }\nspec:\n  manifests: [s/]\n  targets:\n" + targets
        + '  scope: { namePrefixes: ["${stage}/"] }\n'
    )
    for stage in STAGES:
        extra = ", data-class: restricted" if stage == "prod" else ""
        for start in range(0, items, 500):
            documents = [
                HEAD + f"Secret\nmetadata: {{ name: {stage}/t{number}, targets: [{stage}] }}\nspec:\n"
                f"  description: Key of t{number}\n  tags: {{ owner: platform, tier: tier{number % 3}{extra} }}\n"
                for number in range(start, min(start + 500, items))
            ]
            (root / f"s/{stage}-{start}.yaml").write_text("---\n".join(documents))


def main() -> None:
    for secrets in [int(argument) for argument in sys.argv[1:]] or [10_000, 50_000]:
        with tempfile.TemporaryDirectory() as folder:
            measured = {}
            for name, write in (("short", short), ("long", long)):
                root = Path(folder) / name
                write(root, secrets // len(STAGES))
                runs = [run("validate", "-C", str(root)) for _ in range(3)]
                measured[name] = min((done.seconds, done.memory) for done in runs)
            (seconds, memory), (written, more) = measured["short"], measured["long"]
            print(
                f"{secrets:>7,} secrets: {seconds:.2f} s and {memory:.0f} MiB by the language, "
                f"{written:.2f} s and {more:.0f} MiB written out ({seconds / written:.2f} ×)"
            )


if __name__ == "__main__":
    main()
