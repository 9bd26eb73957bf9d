"""`gh`, as far as the recipes use it, over a JSON file. `--jq` is evaluated by jq itself, page by page, as gh does it.

The program that is called `gh` hands its arguments to this process, which is quicker than a new one for each call."""

from __future__ import annotations

import json
import io
import re
import shutil
import threading
from contextlib import contextmanager
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jq

# GitHub's own pages are longer; several short ones show that all are read.
PAGE = 2

# What `gh` is: its arguments and its token go to the server, and an answer and an exit code come back.
CLIENT = """
answer="$(mktemp)"
code="$(printf '%s\\0' "$@" | curl --silent --data-binary @- --header "token: $GH_TOKEN" --output "$answer" --write-out '%{http_code}' URL)"
if [ "$code" = 200 ]; then cat "$answer"; rm "$answer"; exit 0; fi
echo "gh: $(cat "$answer")" >&2; rm "$answer"; exit 1
"""


class Refused(Exception):
    """What gh ends with 1 for."""


def fail(text: str) -> None:
    raise Refused(text)


def answer(
    known: dict[str, Any], repository: str, may: dict[str, str], method: str, address: str, fields: dict[str, Any]
) -> Any:
    url = urlsplit(address)
    asked = {name: values[0] for name, values in parse_qs(url.query).items()}
    path = url.path.removeprefix(f"repos/{repository}/")

    # Who the token is of: the job, unless it is another app's.
    me = {"login": may.get("login", "github-actions[bot]")}

    def numbered() -> int:
        known["next"] += 1
        return known["next"]

    def needs(permission: str, level: str = "read") -> None:
        """The token has the permissions of its job, and no other."""
        if may.get(permission) not in ("write", level):
            fail(f"{method} {address}: HTTP 403: Resource not accessible by integration ({permission}: {level})")

    match [method, *path.split("/")]:
        case ["GET", "issues", number, "comments"]:
            needs("pull-requests")
            return known["comments"].get(number, [])
        case ["POST", "issues", number, "comments"]:
            needs("issues" if may.get("issues") else "pull-requests", "write")
            comment = {"id": numbered(), "user": me, **fields}
            known["comments"].setdefault(number, []).append(comment)
            return comment
        case ["PATCH", "issues", "comments", id]:
            needs("pull-requests", "write")
            [comment] = [c for all in known["comments"].values() for c in all if c["id"] == int(id)]
            comment.update(fields)
            return comment
        case ["GET", "issues"]:
            needs("issues")
            return [
                issue
                for issue in known["issues"]
                if issue["state"] == asked["state"] and asked["labels"] in issue["labels"]
            ]
        case ["POST", "issues"]:
            needs("issues", "write")
            issue = {"number": numbered(), "user": me, "state": "open", "labels": [], **fields}
            known["issues"].append(issue)
            return issue
        case ["PATCH", "issues", number]:
            needs("issues", "write")
            [issue] = [issue for issue in known["issues"] if issue["number"] == int(number)]
            issue.update(fields)
            return issue
        case ["GET", "commits", commit, "pulls"]:
            needs("pull-requests")
            return known["pulls"].get(commit, [])
        case ["GET", "pulls", number, "reviews"]:
            needs("pull-requests")
            return known["reviews"].get(number, [])
        case ["PUT", "pulls", number, "reviews", id, "dismissals"]:
            needs("pull-requests", "write")
            assert fields["event"] == "DISMISS" and fields["message"]
            [review] = [review for review in known["reviews"][number] if review["id"] == int(id)]
            review["state"] = "DISMISSED"
            return review
        case ["GET", "collaborators", login, "permission"]:
            return {"permission": known["permissions"].get(login, "none")}
        case ["GET", "commits", commit, "statuses"]:
            needs("statuses")
            return known["statuses"].get(commit, [])
        case ["POST", "statuses", commit]:
            needs("statuses", "write")
            assert len(fields["description"]) <= 140 and fields["state"] in ("error", "failure", "pending", "success")
            known["statuses"].setdefault(commit, []).insert(0, {"creator": me, **fields})
            return fields
        case ["GET", "actions", "runs"]:
            needs("actions")
            found = [r for r in known["runs"] if (r["head_sha"], r["event"]) == (asked["head_sha"], asked["event"])]
            return {"total_count": len(found), "workflow_runs": found}
        case ["GET", "actions", "runs", run, "artifacts"]:
            needs("actions")
            found = [a for a in known["artifacts"] if a["run"] == int(run)]
            return {"total_count": len(found), "artifacts": found}
    return fail(f"{method} {address}: HTTP 404")


def field(text: str, typed: bool) -> tuple[str, Any]:
    name, value = text.split("=", 1)
    return name, Path(value[1:]).read_text() if typed and value.startswith("@") else value


def api(known: dict[str, Any], repository: str, may: dict[str, str], words: list[str], out: io.StringIO) -> None:
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
    found = answer(known, repository, may, method, address, fields)
    pages = [found]
    if isinstance(found, list):
        pages = [found[at : at + PAGE] for at in range(0, len(found), PAGE)] or [[]]
        pages = pages if paginate else pages[:1]
    for page in pages:
        if silent:
            continue
        for line in jq.compile(filter).input_value(page).all() if filter else [page]:
            print(line if isinstance(line, str) else json.dumps(line), file=out)


def download(known: dict[str, Any], repository: str, words: list[str]) -> None:
    run, given = words[0], dict(zip(words[1::2], words[2::2], strict=True))
    assert given["--repo"] == repository and re.fullmatch(r"\d+", run)
    [artifact] = [a for a in known["artifacts"] if (a["run"], a["name"]) == (int(run), given["--name"])]
    shutil.copytree(artifact["folder"], given["--dir"])


def gh(file: Path, repository: str, token: str, words: list[str]) -> str:
    """A call of gh. Its token says which permissions it has."""
    if not token:
        fail("set the GH_TOKEN environment variable")
    known = json.loads(file.read_text())
    may, out = json.loads(token.removeprefix("token ")), io.StringIO()
    match words:
        case ["api", *more]:
            api(known, repository, may, more, out)
        case ["run", "download", *more]:
            download(known, repository, more)
        case _:
            fail(f"unknown command {words}")
    file.write_text(json.dumps(known, indent=1))
    return out.getvalue()


@contextmanager
def served(file: Path, repository: str) -> Iterator[str]:
    """Serves `gh` over a file, and gives the lines of the program."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            words = self.rfile.read(int(self.headers["content-length"])).decode().split("\0")[:-1]
            try:
                with one_at_a_time:
                    code, text = 200, gh(file, repository, self.headers["token"] or "", words)
            except Refused as refused:
                code, text = 422, str(refused)
            except Exception as error:  # noqa: BLE001 (the step that called it has to fail)
                code, text = 500, f"{words}: {error!r}"
            self.send_response(code)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield CLIENT.replace("URL", f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
