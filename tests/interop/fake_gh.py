"""`gh`, as far as the recipes use it, over a JSON file that FAKE_GITHUB names. `--jq` is evaluated by jq itself, page by
page, as gh does it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jq

# GitHub's own pages are longer; several short ones show that all are read.
PAGE = 2
ME = {"login": "github-actions[bot]"}
FILE = Path(os.environ["FAKE_GITHUB"])


def fail(text: str) -> None:
    print(f"gh: {text}", file=sys.stderr)
    sys.exit(1)


def answer(known: dict[str, Any], method: str, address: str, fields: dict[str, Any]) -> Any:
    url = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    repository = os.environ["GITHUB_REPOSITORY"]
    path = url.path.removeprefix(f"repos/{repository}/")

    def numbered() -> int:
        known["next"] += 1
        return known["next"]

    match [method, *path.split("/")]:
        case ["GET", "issues", number, "comments"]:
            return known["comments"].get(number, [])
        case ["POST", "issues", number, "comments"]:
            comment = {"id": numbered(), "user": ME, **fields}
            known["comments"].setdefault(number, []).append(comment)
            return comment
        case ["PATCH", "issues", "comments", id]:
            [comment] = [c for all in known["comments"].values() for c in all if c["id"] == int(id)]
            comment.update(fields)
            return comment
        case ["GET", "issues"]:
            return [
                issue
                for issue in known["issues"]
                if issue["state"] == asked["state"] and asked["labels"] in issue["labels"]
            ]
        case ["POST", "issues"]:
            issue = {"number": numbered(), "user": ME, "state": "open", "labels": [], **fields}
            known["issues"].append(issue)
            return issue
        case ["PATCH", "issues", number]:
            [issue] = [issue for issue in known["issues"] if issue["number"] == int(number)]
            issue.update(fields)
            return issue
        case ["GET", "commits", commit, "pulls"]:
            return known["pulls"].get(commit, [])
        case ["GET", "actions", "artifacts"]:
            found = [a for a in known["artifacts"] if a["name"] == asked["name"]]
            return {"total_count": len(found), "artifacts": found}
    return fail(f"{method} {address}: HTTP 404")


def field(text: str, typed: bool) -> tuple[str, Any]:
    name, value = text.split("=", 1)
    return name, Path(value[1:]).read_text() if typed and value.startswith("@") else value


def api(known: dict[str, Any], words: list[str]) -> None:
    method, fields, filter, paginate, silent, address = "GET", {}, None, False, False, ""
    while words:
        word = words.pop(0)
        if word == "--method":
            method = words.pop(0)
        elif word in ("--field", "--raw-field"):
            name, value = field(words.pop(0), word == "--field")
            if name.endswith("[]"):
                fields.setdefault(name[:-2], []).append(value)
            else:
                fields[name] = value
        elif word == "--jq":
            filter = words.pop(0)
        elif word == "--paginate":
            paginate = True
        elif word == "--silent":
            silent = True
        elif not word.startswith("-") and not address:
            address = word
        else:
            fail(f"unknown argument {word}")
    known["calls"].append([method, address])
    found = answer(known, method, address, fields)
    pages = [found]
    if isinstance(found, list):
        pages = [found[at : at + PAGE] for at in range(0, len(found), PAGE)] or [[]]
        pages = pages if paginate else pages[:1]
    for page in pages:
        if silent:
            continue
        for line in jq.compile(filter).input_value(page).all() if filter else [page]:
            print(line if isinstance(line, str) else json.dumps(line))


def download(words: list[str]) -> None:
    run, given = words[0], dict(zip(words[1::2], words[2::2], strict=True))
    assert given["--repo"] == os.environ["GITHUB_REPOSITORY"] and re.fullmatch(r"\d+", run)
    shutil.copytree(FILE.parent / f"artifact-{run}", given["--dir"], dirs_exist_ok=True)


def main() -> None:
    if not os.environ.get("GH_TOKEN"):
        fail("set the GH_TOKEN environment variable")
    known = json.loads(FILE.read_text())
    match sys.argv[1:]:
        case ["api", *words]:
            api(known, words)
        case ["run", "download", *words]:
            download(words)
        case words:
            fail(f"unknown command {words}")
    FILE.write_text(json.dumps(known, indent=1))


main()
