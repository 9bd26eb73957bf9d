"""keywright as a process: pipes, terminals and exit codes."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from aws import Endpoint, live
from command import CHANGES, DONE, ERROR, GUARD, LIMIT, PARTIAL, USAGE, Keywright
from furnished import ACCOUNT, client
from payments import Payments, assert_converges
from servers import Call, Proxy, slowly


@pytest.fixture
def signed_in(keywright: Keywright) -> Keywright:
    return keywright.signed_in(ACCOUNT)


# Streams

COLOUR = re.compile(r"\x1b\[[\d;]+m")


def assert_plain(text: str) -> None:
    # No colour, no cursor movement, no line that is drawn over.
    assert "\x1b" not in text and "\r" not in text and "\x08" not in text, repr(text)


@pytest.mark.parametrize("ci", [{}, {"CI": "true"}, {"TERM": "xterm-256color", "COLORTERM": "truecolor"}], ids=str)
def test_a_pipe_gets_neither_colour_nor_a_progress_bar(
    keywright: Keywright, staging: Payments, ci: dict[str, str]
) -> None:
    broken = staging.folder / "secrets/broken.yaml"
    for arguments in (
        ["plan", *staging.embedded()],
        ["apply", "--yes", *staging.embedded()],
        ["plan", "--format", "json", *staging.embedded()],
        ["validate", "--project", staging.folder],
        ["explain", "Secret.spec.policy"],
        ["--help"],
        ["plan", "--no-such-flag"],
    ):
        done = keywright.run(*arguments, **ci)
        assert_plain(done.out + done.err)
    broken.write_text("apiVersion: keywright/v1\nkind: Secret\nspec: { colour: red }\n")
    done = keywright.run("validate", "--project", staging.folder, **ci)
    assert done.code == ERROR and "secrets/broken.yaml:3" in done.out, done
    assert_plain(done.out + done.err)


def test_the_artifact_is_on_stdout_and_the_talk_on_stderr(keywright: Keywright, staging: Payments) -> None:
    plan = keywright.run("plan", "--format", "json", "-v", *staging.embedded())
    [target] = json.loads(plan.out)["targets"]
    assert "API calls:" in plan.err and "API calls:" not in plan.out
    done = keywright.run("apply", "--yes", *staging.embedded())
    assert "Applying to staging" in done.err and "35 created" in done.out, done


@dataclass(frozen=True)
class Session:
    """What a terminal has shown of a command, and how the command ended."""

    code: int
    shown: str


def on_a_terminal(
    keywright: Keywright, *arguments: str, stdout: IO[bytes] | None = None, **environment: str
) -> Session:
    """Runs a command with all its streams on a terminal, or with stdout in a file."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [keywright.binary, *arguments],
        env=keywright.environment(TERM="xterm-256color", **environment),
        stdin=theirs,
        stdout=stdout or theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while select.select([ours], [], [], LIMIT)[0]:
            read = os.read(ours, 65_536)
            if not read:
                break
            shown += read
    except OSError:
        # So Linux says that nobody has the terminal open any more.
        pass
    finally:
        os.close(ours)
    return Session(process.wait(LIMIT), shown.decode())


def test_a_terminal_gets_colour_and_a_progress_bar(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # The other half of the tests above: that there is something to be left out.
    with Proxy(sandbox, arrived=slowly(0.05)).serving() as proxy:
        done = on_a_terminal(signed_in, "apply", "--yes", *staging.at(proxy))
    assert done.code == DONE, done.shown
    assert COLOUR.search(done.shown), "there is no colour"
    assert re.search(r"staging \[.{30}\] \d+/\d+ actions", done.shown), "there is no progress bar"


def test_a_log_of_a_terminal_job_has_no_progress_bar(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments
) -> None:
    # CI systems often give jobs a terminal, and keep what is drawn on it as a log.
    with Proxy(sandbox, arrived=slowly(0.02)).serving() as proxy:
        done = on_a_terminal(signed_in, "apply", "--yes", *staging.at(proxy), CI="true")
    assert done.code == DONE, done.shown
    assert " actions (" not in done.shown
    assert "created" in done.shown


def test_no_color(keywright: Keywright, staging: Payments) -> None:
    plan = ["plan", *staging.embedded()]
    assert COLOUR.search(on_a_terminal(keywright, *plan).shown)
    # Its presence counts, and not what it says.
    for value in ("1", "yes please"):
        assert not COLOUR.search(on_a_terminal(keywright, *plan, NO_COLOR=value).shown), value
    assert not COLOUR.search(on_a_terminal(keywright, *plan, "--color", "never").shown)
    # Whoever asks for colour gets it, in a pipe too.
    assert COLOUR.search(keywright.run(*plan, "--color", "always", NO_COLOR="1").out)


def test_each_stream_is_looked_at_by_itself(keywright: Keywright, staging: Payments, tmp_path: Path) -> None:
    # keywright plan > plan.txt, typed at a terminal.
    file = tmp_path / "plan.txt"
    with file.open("wb") as stdout:
        plan = on_a_terminal(keywright, "plan", *staging.embedded(), stdout=stdout)
    assert plan.code == DONE
    assert "35 to create" in file.read_text()
    assert_plain(file.read_text())


def test_a_reader_that_has_seen_enough(keywright: Keywright, staging: Payments) -> None:
    script = '"$KEYWRIGHT" plan "$@" | head -n 1; echo "codes ${PIPESTATUS[*]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *staging.embedded()],
        env=keywright.environment(KEYWRIGHT=str(keywright.binary)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    first, codes = done.stdout.splitlines()
    assert first.startswith("staging  111111111111 · eu-west-1")
    assert codes == "codes 0 0"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments", [["plan"], ["plan", "--format", "json"], ["apply", "--yes"]], ids=lambda arguments: " ".join(arguments)
)
def test_a_reader_that_is_gone_from_the_start(keywright: Keywright, staging: Payments, arguments: list[str]) -> None:
    # What `| head -n 1` only does when it is quick: here the pipe is broken before the first byte.
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen(
        [keywright.binary, *arguments, *staging.embedded()],
        env=keywright.environment(),
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    _, talk = process.communicate(timeout=LIMIT)
    assert process.returncode == DONE, talk
    assert "panicked" not in talk and "error" not in talk, talk
    # And an apply that nobody listens to is carried out all the same.
    left = keywright.run("plan", "--detailed-exitcode", *staging.embedded())
    assert left.code == (DONE if arguments[0] == "apply" else CHANGES), left


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_an_artifact_that_cannot_be_written_is_an_error(keywright: Keywright, staging: Payments) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [keywright.binary, "plan", *staging.embedded()],
            env=keywright.environment(),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
        )
    assert done.returncode == ERROR
    assert "standard output could not be written" in done.stderr


# Exit codes


def test_done_and_nothing_to_do(keywright: Keywright, staging: Payments) -> None:
    assert keywright.run("validate", "--project", staging.folder).code == DONE
    # Without --detailed-exitcode, changes are no reason to end differently.
    assert keywright.run("plan", *staging.embedded()).code == DONE
    assert keywright.run("plan", "--detailed-exitcode", *staging.embedded()).code == CHANGES
    assert keywright.run("apply", "--yes", *staging.embedded()).code == DONE
    assert keywright.run("plan", "--detailed-exitcode", *staging.embedded()).code == DONE
    assert keywright.run("apply", "--yes", *staging.embedded()).code == DONE


def test_errors(keywright: Keywright, staging: Payments, tmp_path: Path) -> None:
    for verb in ("validate", "plan", "apply"):
        done = keywright.run(verb, "--project", tmp_path / "nowhere")
        assert done.code == ERROR and "there is no keywright.yaml" in done.out + done.err, done
    unknown = keywright.run("explain", "Secret.spec.colour")
    assert unknown.code == ERROR, unknown
    # Nobody is there to say yes.
    asked = keywright.run("apply", *staging.embedded())
    assert asked.code == ERROR and "--yes" in asked.err, asked
    assert keywright.run("plan", "--detailed-exitcode", *staging.embedded()).code == CHANGES


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["plan", "--no-such-flag"],
        ["plan", "--format", "sonnet"],
        ["plan", "--select"],
        ["plan", "--select", "[", "--project", "{project}"],
        ["apply", "--concurrency", "0"],
        ["apply", "--max-changes-percent", "101"],
        ["plan", "--sandbox", "--endpoint-url", "http://127.0.0.1:1"],
        ["sandbox"],
        ["sandbox", "serve", "--port", "65536"],
        ["sandbox", "serve", "--memory", "--file", "x"],
        ["release", "--project", "{project}"],
        ["release", "staging/payments/x", "--sandbox=unused.redb", "--project", "{project}"],
    ],
    ids=" ".join,
)
def test_wrong_usage(keywright: Keywright, staging: Payments, tmp_path: Path, arguments: list[str]) -> None:
    done = keywright.run(*(word.replace("{project}", str(staging.folder)) for word in arguments), cwd=tmp_path)
    assert done.code == USAGE, done
    assert done.out == "" and done.err, done


@pytest.mark.parametrize(
    "arguments",
    [[], ["--help"], ["--version"], ["plan", "--help"], ["help", "apply"]],
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_questions_about_usage_are_no_error(keywright: Keywright, tmp_path: Path, arguments: list[str]) -> None:
    done = keywright.run(*arguments, cwd=tmp_path)
    assert done.code == DONE and done.out and not done.err, done


def test_a_guard(keywright: Keywright, staging: Payments) -> None:
    assert keywright.run("apply", "--yes", *staging.embedded()).code == DONE
    staging.edit("keywright.yaml", "prune: report", "prune: delete")
    (staging.folder / "secrets/messaging/brokers.yaml").unlink()
    refused = keywright.run("apply", "--yes", *staging.embedded())
    assert refused.code == GUARD, refused
    assert "3 of this run's secrets would be deleted, released or lose something for good, and guards.maxDeletes allows 2" in refused.out, refused
    assert "--max-deletes 3" in refused.out, refused
    assert "3 to delete" in keywright.run("plan", *staging.embedded()).out
    assert keywright.run("apply", "--yes", "--max-deletes", "3", *staging.embedded()).code == DONE


def test_a_name_that_was_taken_since_the_plan(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # Somebody else makes the secret, after it was planned and right before it is created.
    name = "staging/payments/cache/rate-limits/redis-auth"
    created = []

    def somebody_else(call: Call) -> None:
        if call.operation == "CreateSecret" and call.secret == name and not created:
            created.append(call)
            client(sandbox).create_secret(Name=name, SecretString="somebody else's")

    with Proxy(sandbox, arrived=somebody_else).serving() as proxy:
        taken = signed_in.run("apply", "--yes", "--select", name, *staging.at(proxy))
    assert taken.code == ERROR, taken
    assert f"{name}: CreateSecret failed" in taken.err and "ResourceExistsException" in taken.err, taken
    assert [call.operation for call in proxy.writes()] == ["CreateSecret"]
    assert client(sandbox).get_secret_value(SecretId=name)["SecretString"] == "somebody else's"


def test_applied_in_part(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # One secret is refused, and so what depends on it is not begun; everything else is done.
    admin = "staging/payments/db/ledger/admin"

    def refuse(call: Call) -> tuple[int, str] | None:
        return (400, "AccessDeniedException") if (call.operation, call.secret) == ("CreateSecret", admin) else None

    with Proxy(sandbox, arrived=refuse).serving() as proxy:
        part = signed_in.run("apply", "--yes", *staging.at(proxy))
    assert part.code == PARTIAL, part
    assert f"{admin}: CreateSecret failed: CreateSecret: AccessDeniedException" in part.err, part
    assert "31 created, 1 failed, 3 not begun" in part.out, part
    for dependent in ("db/ledger/app", "db/ledger/reporting-readonly", "on-call/break-glass/ledger-superuser"):
        skipped = f"staging/payments/{dependent}: not begun (create): it depends on {admin}, which was not done"
        assert skipped in part.err, part
    assert len(live(sandbox.secretsmanager(ACCOUNT))) == 31
    assert_converges(signed_in, sandbox, staging)
