"""keywright interrupted by Ctrl-C, and killed at any moment: the next apply converges."""

from __future__ import annotations

import json
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from aws import Endpoint, live
from command import DONE, INTERRUPTED, Keywright, Running
from furnished import ACCOUNT, OTHER_ACCOUNT
from payments import Payments, as_stored, assert_converges
from servers import Call, Dropped, Proxy

# No apply takes so long, in seconds, to come to the request that a test waits for.
SOON = 30

# Leaves so few secrets half-written that no guard takes them for an accident; one test is about that.
A_FEW_AT_A_TIME = ["--concurrency", "2"]
# Targets too: one follows the other.
ONE_AT_A_TIME = ["--concurrency", "1"]


@pytest.fixture
def signed_in(keywright: Keywright) -> Keywright:
    return keywright.signed_in(ACCOUNT)


# Ctrl-C


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
        process = signed_in.start("apply", "--yes", *staging.at(proxy))
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
    desired_secrets = staging.desired_secrets(target)
    assert created and skipped and not created & skipped
    assert created | skipped == desired_secrets.keys()
    assert f"staging: {len(created)} created, {len(skipped)} not begun" in result.out, result
    # ... what is live is what was reported as done, whole, ...
    found = live(sandbox.secretsmanager(ACCOUNT))
    assert found.keys() == created
    for name in created:
        policy = desired_secrets[name].policy
        assert not isinstance(policy, dict) or as_stored(found[name].policy) == as_stored(policy), name
    # ... and was read again.
    assert f"verified: {len(created)} secrets read again, all match the manifests" in result.out, result
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
        process = signed_in.start("apply", "--yes", *ONE_AT_A_TIME, *payments.at(proxy))
        assert reached.wait(SOON)
        process.send(signal.SIGINT)
        result = process.finish()
    assert result.code == INTERRUPTED, result
    assert not live(sandbox.secretsmanager(OTHER_ACCOUNT))
    assert "prod: 37 not begun" in result.out, result
    assert_converges(signed_in, sandbox, payments)


def test_a_second_interrupt_stops_at_once(signed_in: Keywright, sandbox: Endpoint, staging: Payments) -> None:
    reached, released = threading.Event(), threading.Event()

    def hold(call: Call) -> None:
        if call.write >= 12:
            reached.set()
            released.wait(SOON)

    with Proxy(sandbox, arrived=hold).serving() as proxy:
        process = signed_in.start("apply", "--yes", *A_FEW_AT_A_TIME, *staging.at(proxy))
        assert reached.wait(SOON)
        process.send(signal.SIGINT)
        # The first one is taken note of; what is in flight will never be answered.
        while not process.read_line().startswith("Interrupted:"):
            assert not process.is_over()
        # Two signals in one instant, as `timeout` and process groups send them, are one.
        time.sleep(0.7)
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
            process = signed_in.start(*verb, *staging.at(proxy))
            assert reached.wait(SOON)
            process.send(signal.SIGINT)
            code = process.wait(10)
            released.set()
            result = process.finish()
        assert code == INTERRUPTED, result
        assert result.out == "" and not proxy.writes(), result


# Killed


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("write", [1, 2, 9, 20, 35, 50, 57, 58])
def test_an_apply_that_was_killed_is_taken_up_again(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments, write: int, moment: str
) -> None:
    """SIGKILL at one of the 58 writes: just before the server hears of it, or before the client hears the answer."""
    processes: list[Running] = []

    def kill(call: Call) -> None:
        if call.write == write:
            processes[0].send(signal.SIGKILL)
            processes[0].wait(SOON)
            if moment == "before":
                raise Dropped

    hook = {"arrived" if moment == "before" else "carried_out": kill}
    with Proxy(sandbox, **hook).serving() as proxy:
        processes.append(signed_in.start("apply", "--yes", *A_FEW_AT_A_TIME, *staging.at(proxy)))
        result = processes[0].finish()
    assert result.code == -signal.SIGKILL, result
    assert len(proxy.writes()) >= write
    before = live(sandbox.secretsmanager(ACCOUNT))
    assert_converges(signed_in, sandbox, staging)
    # Nothing was made a second time.
    after = live(sandbox.secretsmanager(ACCOUNT))
    assert {name: secret.arn for name, secret in before.items()}.items() <= {
        name: secret.arn for name, secret in after.items()
    }.items()


def test_as_many_half_written_secrets_as_there_can_be(
    signed_in: Keywright, sandbox: Endpoint, staging: Payments
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
        process = signed_in.start("apply", "--yes", *staging.at(proxy))
        assert all_held.wait(SOON)
        process.send(signal.SIGKILL)
        result = process.finish()
    assert result.code == -signal.SIGKILL, result
    assert_converges(signed_in, sandbox, staging)


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
    reported = set(re.findall(r"^  \w+: \+ created +(\S+)$", killed.err, re.MULTILINE))

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
    assert again.code == DONE and again.out.count("Nothing to apply: ") == 2, again
