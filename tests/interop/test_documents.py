"""The jq lines of docs/json.md print what the page says, and every document fits the schema that is published for it.
`KEYWRIGHT_BLESS=1` writes what the lines print now."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema

from command import CHANGES, DONE, ERROR, LIMIT, Keywright
from payments import Payments

PAGE = Path(__file__).resolve().parents[2] / "docs/json.md"

FIXTURES = """
- { account: "222222222222", region: eu-west-1, name: prod/payments/unmanaged, value: by hand }
"""

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"

# Lines that end with something else than 0.
ENDS = {"keywright drift --sandbox --format json > drift.json": CHANGES, "jq -e '[.targets[].summary.delete] | add > 0' plan.json": ERROR}


def prepare(keywright: Keywright, project: Payments) -> None:
    """What the page says has happened before."""
    words = ["--sandbox", "--project", project.folder]
    assert keywright.run("apply", "--yes", *words).code == DONE
    project.edit("secrets/databases/disputes-mysql.yaml", "the disputes service (", "the disputes API (")
    file = project.folder / "secrets/on-call/rota.yaml"
    tags = "{ team: on-call, data-class: internal }"
    head = "apiVersion: keywright/v1\nkind: Secret\nmetadata: { name: '${env}/payments/on-call/rota', targets: [prod] }\n"
    file.write_text(f"{head}spec: {{ description: The rota., tags: {tags} }}\n")
    (project.folder / "live.yaml").write_text(FIXTURES)
    done = keywright.run("sandbox", "seed", project.folder / "live.yaml", "--project", project.folder)
    assert done.code == DONE, done


def test_the_lines_of_the_page_print_what_it_says(keywright: Keywright, tmp_path: Path) -> None:
    project = Payments(tmp_path / "payments")
    prepare(keywright, project)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "keywright").symlink_to(keywright.binary)
    (programs / "jq").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("fake_jq.py")}" "$@"\n')
    (programs / "jq").chmod(0o755)
    page = PAGE.read_text()
    written, ran = page, 0
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        lines: list[str] = []
        for line in block.splitlines():
            if not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ")
            path = f"{programs}:{os.environ['PATH']}"
            environment = keywright.environment(PATH=path, PYTHONPATH=os.environ.get("PYTHONPATH", ""))
            words = ["sh", "-c", command]
            done = subprocess.run(
                words, cwd=project.folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
            )
            assert done.returncode == ENDS.get(command, DONE), f"{command}\n{done.stdout}{done.stderr}"
            lines += [line, *done.stdout.splitlines()]
            ran += command.startswith("jq ")
        written = written.replace(block, "".join(f"{line}\n" for line in lines))
    if os.environ.get("KEYWRIGHT_BLESS"):
        PAGE.write_text(written)
        page = written
    assert ran == 6 and page == written


def fit(kind: str, printed: str) -> None:
    schema = json.loads((SCHEMAS / f"{kind}.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    documents = printed.splitlines() if kind == "watch" else [printed]
    assert documents
    for document in documents:
        wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(document))]
        assert not wrong, wrong


def test_what_is_printed_fits_its_schema(keywright: Keywright, tmp_path: Path) -> None:
    project = Payments(tmp_path / "payments")
    on = ["--sandbox", "--project", project.folder]

    def printed(verb: str, *words: object) -> None:
        done = keywright.run(verb, *words, *on)
        fit(verb, done.out)

    json_form = ["--format", "json"]
    # What is to be created, with ARNs that are not known yet, before anything is there and after.
    printed("plan", *json_form)
    printed("plan", "--rehearse", *json_form)
    printed("apply", "--yes", *json_form)
    prepare(keywright, project)
    for verb in ("plan", "drift", "inventory", "doctor"):
        printed(verb, *json_form)
    printed("plan", "--rehearse", *json_form)
    printed("inventory", "--audit", *json_form)
    printed("watch", "--rounds", "1")
    printed("apply", "--yes", *json_form)
