"""keywright as a process: pipes, terminals, exit codes, Ctrl-C, and being killed at any moment."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from aws import Endpoint, live
from command import LIMIT, Keywright, Running
from furnished import client
from payments import Payments, assert_live_as_wished
from servers import Call, Dropped, Proxy, slowly

STAGING = "111111111111"

# No apply takes so long, in seconds, to come to the request that a test waits for.
SOON = 30

# Leaves so few secrets half-written that no guard takes them for an accident; the last test but one is about that.
A_FEW_AT_A_TIME = ["--concurrency", "2"]

# Exit codes, a public contract.
DONE, ERROR, CHANGES, GUARD, STALE, PARTIAL, USAGE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 64, 130


@pytest.fixture
def signed_in(keywright: Keywright) -> Keywright:
    return keywright.signed_in(STAGING)


@pytest.fixture
def staging(payments: Payments) -> Payments:
    """The example with its staging target alone: 35 secrets, 17 of them with a policy."""
    payments.chosen = ["staging"]
    return payments


def embedded(project: Payments) -> list[str]:
    """Arguments that mean a sandbox in a file beside the project."""
    return [f"--sandbox={project.folder / 'sandbox.redb'}", *project.arguments()]


def served(endpoint: Endpoint | Proxy, project: Payments) -> list[str]:
    return ["--endpoint-url", endpoint.url, *project.arguments()]


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
        ["plan", *embedded(staging)],
        ["apply", "--yes", *embedded(staging)],
        ["plan", "--format", "json", *embedded(staging)],
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
    plan = keywright.run("plan", "--format", "json", "-v", *embedded(staging))
    [target] = json.loads(plan.out)["targets"]
    assert "API calls:" in plan.err and "API calls:" not in plan.out
    done = keywright.run("apply", "--yes", *embedded(staging))
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
    return Session(process.wait(SOON), shown.decode())


def test_a_terminal_gets_colour_and_a_progress_bar(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # The other half of the tests above: that there is something to be left out.
    with Proxy(sandbox, arrived=slowly(0.05)).serving() as proxy:
        done = on_a_terminal(signed_in, "apply", "--yes", *served(proxy, staging))
    assert done.code == DONE, done.shown
    assert COLOUR.search(done.shown), "there is no colour"
    assert re.search(r"staging \[.{30}\] \d+/52 actions", done.shown), "there is no progress bar"


def test_a_log_of_a_terminal_job_has_no_progress_bar(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments
) -> None:
    # CI systems often give jobs a terminal, and keep what is drawn on it as a log.
    with Proxy(sandbox, arrived=slowly(0.02)).serving() as proxy:
        done = on_a_terminal(signed_in, "apply", "--yes", *served(proxy, staging), CI="true")
    assert done.code == DONE, done.shown
    assert "/52 actions" not in done.shown
    assert "created" in done.shown


def test_no_color(keywright: Keywright, staging: Payments) -> None:
    plan = ["plan", *embedded(staging)]
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
        plan = on_a_terminal(keywright, "plan", *embedded(staging), stdout=stdout)
    assert plan.code == DONE
    assert "35 to create" in file.read_text()
    assert_plain(file.read_text())


def test_a_reader_that_has_seen_enough(keywright: Keywright, staging: Payments) -> None:
    script = '"$KEYWRIGHT" plan "$@" | head -n 1; echo "codes ${PIPESTATUS[*]}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", *embedded(staging)],
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
        [keywright.binary, *arguments, *embedded(staging)],
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
    left = keywright.run("plan", "--detailed-exitcode", *embedded(staging))
    assert left.code == (DONE if arguments[0] == "apply" else CHANGES), left


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full on this system")
def test_an_artifact_that_cannot_be_written_is_an_error(keywright: Keywright, staging: Payments) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [keywright.binary, "plan", *embedded(staging)],
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
    assert keywright.run("plan", *embedded(staging)).code == DONE
    assert keywright.run("plan", "--detailed-exitcode", *embedded(staging)).code == CHANGES
    assert keywright.run("apply", "--yes", *embedded(staging)).code == DONE
    assert keywright.run("plan", "--detailed-exitcode", *embedded(staging)).code == DONE
    assert keywright.run("apply", "--yes", *embedded(staging)).code == DONE


def test_errors(keywright: Keywright, staging: Payments, tmp_path: Path) -> None:
    for verb in ("validate", "plan", "apply"):
        done = keywright.run(verb, "--project", tmp_path / "nowhere")
        assert done.code == ERROR and "there is no keywright.yaml" in done.out + done.err, done
    unknown = keywright.run("explain", "Secret.spec.colour")
    assert unknown.code == ERROR, unknown
    # Nobody is there to say yes.
    asked = keywright.run("apply", *embedded(staging))
    assert asked.code == ERROR and "--yes" in asked.err, asked
    assert keywright.run("plan", "--detailed-exitcode", *embedded(staging)).code == CHANGES


@pytest.mark.parametrize(
    "arguments",
    [
        [],
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
    ids=lambda arguments: " ".join(arguments) or "nothing",
)
def test_wrong_usage(keywright: Keywright, staging: Payments, tmp_path: Path, arguments: list[str]) -> None:
    done = keywright.run(*(word.replace("{project}", str(staging.folder)) for word in arguments), cwd=tmp_path)
    assert done.code == USAGE, done
    assert done.out == "" and done.err, done


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["help", "apply"]], ids=" ".join)
def test_questions_about_usage_are_no_error(keywright: Keywright, arguments: list[str]) -> None:
    done = keywright.run(*arguments)
    assert done.code == DONE and done.out and not done.err, done


def test_a_guard(keywright: Keywright, staging: Payments) -> None:
    assert keywright.run("apply", "--yes", *embedded(staging)).code == DONE
    staging.edit("keywright.yaml", "prune: report", "prune: delete")
    (staging.folder / "secrets/messaging/brokers.yaml").unlink()
    refused = keywright.run("apply", "--yes", *embedded(staging))
    assert refused.code == GUARD, refused
    assert "3 secrets would be deleted, and guards.maxDeletes allows 2" in refused.out, refused
    assert "--max-deletes 3" in refused.out, refused
    assert "3 to delete" in keywright.run("plan", *embedded(staging)).out
    assert keywright.run("apply", "--yes", "--max-deletes", "3", *embedded(staging)).code == DONE


def test_a_plan_that_is_stale(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # Somebody else makes the secret, after it was planned and before it is written.
    name = "staging/payments/cache/rate-limits/redis-auth"
    described = []

    def somebody_else(call: Call) -> None:
        if call.operation == "DescribeSecret" and call.secret == name:
            described.append(call)
            if len(described) == 2:
                client(sandbox).create_secret(Name=name, SecretString="somebody else's")

    with Proxy(sandbox, arrived=somebody_else).serving() as proxy:
        stale = signed_in.run("apply", "--yes", "--select", name, *served(proxy, staging))
    assert stale.code == STALE, stale
    assert f"{name}: it appeared or went away since it was planned; it was left alone" in stale.err, stale
    assert not proxy.writes()


def test_applied_in_part(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    # One secret is refused, and so what depends on it is not begun; everything else is done.
    admin = "staging/payments/db/ledger/admin"

    def refuse(call: Call) -> tuple[int, str] | None:
        return (400, "AccessDeniedException") if (call.operation, call.secret) == ("CreateSecret", admin) else None

    with Proxy(sandbox, arrived=refuse).serving() as proxy:
        part = signed_in.run("apply", "--yes", *served(proxy, staging))
    assert part.code == PARTIAL, part
    assert f"{admin}: CreateSecret failed: CreateSecret: AccessDeniedException" in part.err, part
    assert "31 created, 1 failed, 3 not begun" in part.out, part
    for dependent in ("db/ledger/app", "db/ledger/reporting-readonly", "on-call/break-glass/ledger-superuser"):
        skipped = f"staging/payments/{dependent}: not begun (create): it depends on {admin}, which was not done"
        assert skipped in part.err, part
    assert len(live(sandbox.secretsmanager(STAGING))) == 31
    assert_converges(signed_in, sandbox, staging)


# Ctrl-C


def assert_converges(keywright: Keywright, endpoint: Endpoint, project: Payments, *more: str) -> None:
    """The next apply succeeds, everything is live as wished, and a plan is empty."""
    done = keywright.run("apply", "--yes", *more, *served(endpoint, project))
    assert done.code == DONE, done
    assert_live_as_wished(project, endpoint)
    left = keywright.run("plan", "--detailed-exitcode", *served(endpoint, project))
    assert left.code == DONE, left


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_what_is_in_flight(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments, which: signal.Signals
) -> None:
    reached = threading.Event()

    def slow(call: Call) -> None:
        if call.write == 12:
            reached.set()
        time.sleep(0.3 if call.write else 0)

    with Proxy(sandbox, arrived=slow).serving() as proxy:
        process = signed_in.start("apply", "--yes", *served(proxy, staging))
        assert reached.wait(SOON)
        process.send(which)
        result = process.finish()
    assert result.code == INTERRUPTED, result
    assert "Interrupted: what is in flight is finished first." in result.err, result
    # Nothing that was asked for was left without an answer, ...
    assert all(call.answered for call in proxy.calls)
    # ... every secret is reported, as done or as not begun, ...
    created = set(re.findall(r"^  \+ created +(\S+)$", result.err, re.MULTILINE))
    skipped = set(re.findall(r"^  \. skipped +(\S+): not begun \(create\): the run was interrupted$", result.err, re.M))
    [target] = staging.targets()
    wishes = staging.wishes(target)
    assert created and skipped and not created & skipped
    assert created | skipped == wishes.keys()
    assert f"staging: {len(created)} created, {len(skipped)} not begun" in result.out, result
    # ... what is live is what was reported as done, whole, ...
    found = live(sandbox.secretsmanager(STAGING))
    assert found.keys() == created
    for name in created:
        policy = wishes[name].policy
        assert not isinstance(policy, dict) or found[name].policy == policy, name
    # ... and was read again.
    assert f"verified: {len(created)} secrets read again, all as wished" in result.out, result
    assert_converges(signed_in, sandbox, staging)


def test_an_interrupt_holds_for_the_targets_that_follow(
    signed_in: Keywright, sandbox: Endpoint, payments: Payments
) -> None:
    reached = threading.Event()

    def slow(call: Call) -> None:
        if call.write == 12:
            reached.set()
        time.sleep(0.3 if call.write else 0)

    with Proxy(sandbox, arrived=slow).serving() as proxy:
        process = signed_in.start("apply", "--yes", *served(proxy, payments))
        assert reached.wait(SOON)
        process.send(signal.SIGINT)
        result = process.finish()
    assert result.code == INTERRUPTED, result
    assert not live(sandbox.secretsmanager("222222222222"))
    assert "prod: 37 not begun" in result.out, result
    assert_converges(signed_in, sandbox, payments)


def test_a_second_interrupt_stops_at_once(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    reached, released = threading.Event(), threading.Event()

    def hold(call: Call) -> None:
        if call.write >= 12:
            reached.set()
            released.wait(SOON)

    with Proxy(sandbox, arrived=hold).serving() as proxy:
        process = signed_in.start("apply", "--yes", *A_FEW_AT_A_TIME, *served(proxy, staging))
        assert reached.wait(SOON)
        process.send(signal.SIGINT)
        # The first one is taken note of; what is in flight will never be answered.
        while not process.read_line().startswith("Interrupted:"):
            assert not process.is_over()
        process.send(signal.SIGINT)
        code = process.wait(10)
        released.set()
        result = process.finish()
    assert code == INTERRUPTED, result
    assert_converges(signed_in, sandbox, staging)


def test_an_interrupt_while_reading(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    reached, released = threading.Event(), threading.Event()

    def hold(call: Call) -> None:
        if call.operation == "ListSecrets":
            reached.set()
            released.wait(SOON)

    for verb in (["plan"], ["apply", "--yes"]):
        reached.clear(), released.clear()
        with Proxy(sandbox, arrived=hold).serving() as proxy:
            process = signed_in.start(*verb, *served(proxy, staging))
            assert reached.wait(SOON)
            process.send(signal.SIGINT)
            code = process.wait(10)
            released.set()
            result = process.finish()
        assert code == INTERRUPTED, result
        assert result.out == "" and not proxy.writes(), result


# Killed


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 9, 20, 35, 51, 52])
def test_an_apply_that_was_killed_is_taken_up_again(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments, write: int, moment: str
) -> None:
    """SIGKILL at one of the 52 writes: just before the server hears of it, or before the client hears the answer."""
    processes: list[Running] = []

    def kill(call: Call) -> None:
        if call.write == write:
            processes[0].send(signal.SIGKILL)
            processes[0].wait(SOON)
            if moment == "before":
                raise Dropped

    hook = {"arrived" if moment == "before" else "carried_out": kill}
    with Proxy(sandbox, **hook).serving() as proxy:
        processes.append(signed_in.start("apply", "--yes", *A_FEW_AT_A_TIME, *served(proxy, staging)))
        result = processes[0].finish()
    assert result.code == -signal.SIGKILL, result
    assert len(proxy.writes()) >= write
    before = live(sandbox.secretsmanager(STAGING))
    assert_converges(signed_in, sandbox, staging)
    # Nothing was made a second time.
    after = live(sandbox.secretsmanager(STAGING))
    assert {name: secret.arn for name, secret in before.items()}.items() <= {
        name: secret.arn for name, secret in after.items()
    }.items()


@pytest.mark.parametrize(
    "lifted",
    [
        pytest.param(
            [],
            id="as it is",
            marks=pytest.mark.xfail(
                reason="guards.maxChangesPercent counts secrets that only lack the policy which the killed apply was "
                "about to put, so the next apply ends with 3 and does not converge by itself"
            ),
        ),
        pytest.param(["--max-changes-percent", "100"], id="with the guard lifted"),
    ],
)
def test_as_many_half_written_secrets_as_there_can_be(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments, lifted: list[str]
) -> None:
    """Killed when all eight secrets that are worked on at once are created and have their policies still to be put."""
    held: list[Call] = []
    all_held = threading.Event()

    def hold(call: Call) -> None:
        if call.operation == "PutResourcePolicy":
            held.append(call)
            if len(held) == 8:
                all_held.set()
            all_held.wait(SOON)
            raise Dropped

    with Proxy(sandbox, arrived=hold).serving() as proxy:
        process = signed_in.start("apply", "--yes", *served(proxy, staging))
        assert all_held.wait(SOON)
        process.send(signal.SIGKILL)
        result = process.finish()
    assert result.code == -signal.SIGKILL, result
    assert_converges(signed_in, sandbox, staging, *lifted)


@pytest.mark.parametrize("line", [1, 2, 10, 25, 37, 50])
def test_an_apply_to_a_sandbox_file_that_was_killed_is_taken_up_again(
    keywright: Keywright, payments: Payments, tmp_path: Path, line: int
) -> None:
    """SIGKILL after some lines of progress, of 72 and two headings: the file survives, with all that was reported."""
    for attempt in range(10):
        where = [f"--sandbox={tmp_path / f'{attempt}.redb'}", *payments.arguments()]
        process = keywright.start("apply", "--yes", *A_FEW_AT_A_TIME, *where)
        lines = 0
        while lines < line and (text := process.read_line()):
            lines += bool(text.strip())
        process.send(signal.SIGKILL)
        killed = process.finish()
        # On a busy machine the signal may come when everything is done, and then says nothing.
        if killed.code != DONE:
            break
    assert killed.code == -signal.SIGKILL, killed
    reported = set(re.findall(r"^  \+ created +(\S+)$", killed.err, re.MULTILINE))

    planned = keywright.run("plan", "--format", "json", *where)
    assert planned.code == DONE, planned
    to_create = {
        secret["name"]
        for target in json.loads(planned.out)["targets"]
        for secret in target["secrets"]
        if secret["verb"] == "create"
    }
    assert len(reported) >= line - 2
    assert not reported & to_create, "what was reported as created is not there"
    done = keywright.run("apply", "--yes", *where)
    assert done.code == DONE, done
    again = keywright.run("plan", "--detailed-exitcode", *where)
    assert again.code == DONE and again.out.count("Nothing to do") == 2, again
