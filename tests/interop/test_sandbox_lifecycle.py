"""What keywright's sandbox refuses of rotation and replication, how rotation goes, and its control path, as boto3 and the
AWS CLI see them.

Where the text of an error is known from the real service it stands here to the letter; where it is not, only its code
does. The rotation functions are simulated: each succeeds, unless the sandbox is told otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from aws import Endpoint
from command import Keywright
from control import advance, calls, control, forget_calls, rotations
from furnished import (
    ACCOUNT,
    FIRST,
    NO_SECRET,
    NOT_FOUND,
    PARAMETER,
    REQUEST,
    SCHEDULED,
    SECOND,
    THIRD,
    UNKNOWN,
    VALIDATION,
    Refusal,
    client,
    members,
)
from lifecycle import (
    BOTH_FREQUENCIES,
    DUBLIN,
    EVERY_MONTH,
    FRANKFURT,
    LAMBDA,
    LOGIN,
    NOT_INVOCABLE,
    NO_FUNCTION,
    ROTATION,
    UNFINISHED,
    current,
    described,
    labels,
    now,
    refusal_of,
)
from servers import served_sandbox
from test_sandbox_awscli import Cli


# Refusals that need nothing but secrets


@pytest.fixture(scope="module")
def furnished(keywright_once: Keywright) -> Iterator[Any]:
    """A client of a sandbox with some secrets, for tests that change nothing."""
    with served_sandbox(keywright_once) as endpoint:
        sm = client(endpoint)
        sm.create_secret(Name="live", SecretString=LOGIN)
        sm.create_secret(Name="leaving", SecretString=LOGIN)
        sm.delete_secret(SecretId="leaving")
        yield sm


WITH_SECRET_ID: dict[str, dict[str, Any]] = {
    "CancelRotateSecret": {},
    "RemoveRegionsFromReplication": {"RemoveReplicaRegions": [FRANKFURT]},
    "ReplicateSecretToRegions": {"AddReplicaRegions": [{"Region": FRANKFURT}]},
    "RotateSecret": {"RotationLambdaARN": LAMBDA},
    "StopReplicationToReplica": {},
}


def rotate(**parameters: Any) -> dict[str, Any]:
    return {"SecretId": "live", "RotationLambdaARN": LAMBDA, **parameters}


def replicate(*regions: dict[str, str]) -> dict[str, Any]:
    return {"SecretId": "live", "AddReplicaRegions": list(regions)}


REFUSALS: dict[str, Refusal] = {
    **{
        f"{operation}: an unknown secret": Refusal(operation, {"SecretId": "missing", **others}, NOT_FOUND, NO_SECRET)
        for operation, others in WITH_SECRET_ID.items()
    },
    **{
        f"{operation}: scheduled for deletion": Refusal(
            operation, {"SecretId": "leaving", **others}, REQUEST, SCHEDULED
        )
        for operation, others in WITH_SECRET_ID.items()
    },
    "rotate: no function was ever named": Refusal("RotateSecret", {"SecretId": "live"}, REQUEST, NO_FUNCTION),
    "rotate: no function, but rules": Refusal(
        "RotateSecret", {"SecretId": "live", "RotationRules": EVERY_MONTH}, REQUEST, NO_FUNCTION
    ),
    "rotate: both frequencies": Refusal(
        "RotateSecret",
        rotate(RotationRules={"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"}),
        PARAMETER,
        BOTH_FREQUENCIES,
    ),
    "rotate: more days than there may be": Refusal(
        "RotateSecret", rotate(RotationRules={"AutomaticallyAfterDays": 1001}), VALIDATION
    ),
    "rotate: more often than every four hours": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "rate(3 hours)"}), PARAMETER
    ),
    "rotate: not on the hour": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "cron(30 8 * * ? *)"}), PARAMETER
    ),
    "rotate: an expression that is none": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "every day"}), PARAMETER
    ),
    "rotate: a character that expressions do not have": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "rate(30_days)"}), VALIDATION
    ),
    "rotate: a duration without its unit": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "rate(30 days)", "Duration": "12"}), VALIDATION
    ),
    "rotate: a window that reaches into the next one": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "rate(4 hours)", "Duration": "5h"}), PARAMETER
    ),
    "rotate: a window that reaches into the next day": Refusal(
        "RotateSecret", rotate(RotationRules={"ScheduleExpression": "cron(0 20 * * ? *)", "Duration": "5h"}), PARAMETER
    ),
    "rotate: an ARN too long": Refusal("RotateSecret", rotate(RotationLambdaARN="a" * 2049), VALIDATION),
    "replicate: the secret's own region": Refusal(
        "ReplicateSecretToRegions", replicate({"Region": DUBLIN}), PARAMETER, "Invalid replica region."
    ),
    "replicate: not the form of a region": Refusal(
        "ReplicateSecretToRegions", replicate({"Region": "Frankfurt"}), VALIDATION
    ),
    "replicate: a key that is none": Refusal(
        "ReplicateSecretToRegions",
        replicate({"Region": FRANKFURT, "KmsKeyId": "no such form of a key"}),
        PARAMETER,
        re.compile("The operation failed because of an invalid KMS key: .+"),
    ),
    "create: replicated to its own region": Refusal(
        "CreateSecret",
        {"Name": "new", "SecretString": "x", "AddReplicaRegions": [{"Region": DUBLIN}]},
        PARAMETER,
        "Invalid replica region.",
    ),
    "remove: not the form of a region": Refusal(
        "RemoveRegionsFromReplication", {"SecretId": "live", "RemoveReplicaRegions": ["Frankfurt"]}, VALIDATION
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_request_is_refused_as_documented(refusal: Refusal, furnished: Any) -> None:
    def everything() -> Any:
        return furnished.list_secrets(IncludePlannedDeletion=True)["SecretList"]

    before = everything()
    code, message = refusal_of(getattr(furnished, xform_name(refusal.operation)), **refusal.parameters)
    assert code == refusal.code, message
    assert refusal.message is None or re.fullmatch(
        refusal.message if isinstance(refusal.message, re.Pattern) else re.escape(refusal.message), message
    ), message
    assert everything() == before


def test_what_neither_rotates_nor_is_replicated(furnished: Any) -> None:
    assert not (ROTATION | {"PrimaryRegion", "ReplicationStatus"}) & described(furnished, "live").keys()
    # The texts for these two are not known.
    assert refusal_of(furnished.cancel_rotate_secret, SecretId="live")[0] == REQUEST
    assert refusal_of(furnished.stop_replication_to_replica, SecretId="live")[0] in {REQUEST, PARAMETER}


# Rotation


def test_a_rotation_makes_a_new_current_version(sandbox: Endpoint, sm: Any, login: str) -> None:
    begun = now(sandbox)
    answer = sm.rotate_secret(
        SecretId=login, ClientRequestToken=SECOND, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH
    )
    secret = described(sm, login)
    assert members(answer) == {"ARN": secret["ARN"], "Name": login, "VersionId": SECOND}
    found = labels(sm, login)
    # Whether AWSPENDING stays on the new version is left to the function.
    assert found.keys() == {FIRST, SECOND}
    assert found[FIRST] == {"AWSPREVIOUS"} and "AWSCURRENT" in found[SECOND] <= {"AWSCURRENT", "AWSPENDING"}

    value = json.loads(current(sm, login))
    assert value["username"] == "app" and value["password"] != "first"
    assert sm.get_secret_value(SecretId=login, VersionStage="AWSPREVIOUS")["SecretString"] == LOGIN

    assert secret["RotationEnabled"] is True
    assert (secret["RotationLambdaARN"], secret["RotationRules"]) == (LAMBDA, EVERY_MONTH)
    assert begun - timedelta(seconds=1) <= secret["LastRotatedDate"] <= now(sandbox) + timedelta(seconds=1)
    # The end of the window, which is the end of a day.
    due = secret["NextRotationDate"].astimezone(timezone.utc)
    assert (due.hour, due.minute, due.second) == (23, 59, 59)
    assert timedelta(days=29) < due - begun < timedelta(days=31)

    [listed] = sm.list_secrets()["SecretList"]
    assert {member: listed[member] for member in ROTATION} == {member: secret[member] for member in ROTATION}


def test_a_rotation_that_is_asked_for_again_uses_what_is_stored(sm: Any, login: str) -> None:
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH, ClientRequestToken=SECOND)
    second = current(sm, login)
    sm.rotate_secret(SecretId=login, ClientRequestToken=THIRD)
    secret = described(sm, login)
    assert (secret["RotationLambdaARN"], secret["RotationRules"]) == (LAMBDA, EVERY_MONTH)
    assert "AWSCURRENT" in labels(sm, login)[THIRD] and labels(sm, login)[SECOND] == {"AWSPREVIOUS"}
    # The version before that has no label left.
    assert FIRST not in labels(sm, login)
    assert current(sm, login) != second


def test_a_request_that_is_repeated_rotates_once(sm: Any, login: str) -> None:
    answers = [
        members(sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, ClientRequestToken=SECOND)) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert labels(sm, login).keys() == {FIRST, SECOND}


def test_a_request_without_a_token(sm: Any, login: str) -> None:
    # boto3 makes one up; this takes it out again, before the request is signed.
    def without_token(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        del body["ClientRequestToken"]
        params["body"] = json.dumps(body).encode()

    sm.meta.events.register("before-call.secrets-manager.RotateSecret", without_token)
    code, message = refusal_of(sm.rotate_secret, SecretId=login, RotationLambdaARN=LAMBDA)
    # Elsewhere it is an InvalidRequestException.
    assert code == PARAMETER and message.startswith("You must provide a ClientRequestToken value.")
    assert not ROTATION & described(sm, login).keys()


def test_a_function_that_cannot_be_invoked(sandbox: Endpoint, sm: Any, login: str) -> None:
    rotations(sandbox, "notInvocable", {"lambda": LAMBDA})
    before = described(sm, login)
    asked = {"SecretId": login, "RotationLambdaARN": LAMBDA, "RotationRules": EVERY_MONTH}
    assert refusal_of(sm.rotate_secret, **asked) == ("AccessDeniedException", NOT_INVOCABLE)
    assert described(sm, login) == before
    # Another function can be.
    sm.rotate_secret(**asked | {"RotationLambdaARN": f"{LAMBDA}-better"}, ClientRequestToken=SECOND)
    assert "AWSCURRENT" in labels(sm, login)[SECOND]


@pytest.mark.parametrize("step", ["create", "set", "test", "finish"])
def test_a_rotation_that_fails_is_tried_again(sandbox: Endpoint, sm: Any, login: str, step: str) -> None:
    rotations(sandbox, {"failAt": step})
    # The answer comes before the function has run, and knows nothing of its failure.
    answer = sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, ClientRequestToken=SECOND)
    assert answer["VersionId"] == SECOND
    stuck = {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}}
    assert labels(sm, login) == stuck
    assert "LastRotatedDate" not in described(sm, login)
    assert current(sm, login) == LOGIN
    if step == "create":
        code, _ = refusal_of(sm.get_secret_value, SecretId=login, VersionStage="AWSPENDING")
        assert code == NOT_FOUND
    else:
        assert sm.get_secret_value(SecretId=login, VersionStage="AWSPENDING")["SecretString"] != LOGIN

    assert refusal_of(sm.rotate_secret, SecretId=login, ClientRequestToken=THIRD) == (REQUEST, UNFINISHED)
    assert labels(sm, login) == stuck

    control(sandbox, "DELETE", "faults")
    # Refused as well; but the former one is taken up, as the error says.
    assert refusal_of(sm.rotate_secret, SecretId=login, ClientRequestToken=THIRD) == (REQUEST, UNFINISHED)
    found = labels(sm, login)
    assert found.keys() == {FIRST, SECOND} and "AWSCURRENT" in found[SECOND]
    sm.rotate_secret(SecretId=login, ClientRequestToken=THIRD)
    assert "AWSCURRENT" in labels(sm, login)[THIRD]


def test_a_pending_version_that_somebody_made_is_in_the_way(sm: Any, login: str) -> None:
    sm.put_secret_value(SecretId=login, SecretString="x", ClientRequestToken=SECOND, VersionStages=["AWSPENDING"])
    asked = {"SecretId": login, "RotationLambdaARN": LAMBDA}
    stuck = {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}}
    for _ in range(2):
        assert refusal_of(sm.rotate_secret, **asked) == (REQUEST, UNFINISHED)
        assert labels(sm, login) == stuck
    sm.update_secret_version_stage(SecretId=login, VersionStage="AWSPENDING", RemoveFromVersionId=SECOND)
    sm.rotate_secret(**asked, ClientRequestToken=THIRD)
    assert "AWSCURRENT" in labels(sm, login)[THIRD]


def test_a_new_value_ends_a_rotation_that_is_stuck(sandbox: Endpoint, sm: Any, login: str) -> None:
    rotations(sandbox, {"stickAt": "set"})
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, ClientRequestToken=SECOND)
    assert labels(sm, login)[SECOND] == {"AWSPENDING"}
    sm.put_secret_value(SecretId=login, SecretString="by hand", ClientRequestToken=THIRD)
    assert labels(sm, login) == {FIRST: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT"}}
    control(sandbox, "DELETE", "faults")
    sm.rotate_secret(SecretId=login, ClientRequestToken=UNKNOWN)
    assert "AWSCURRENT" in labels(sm, login)[UNKNOWN]


def test_rotation_may_begin_with_its_next_window(sandbox: Endpoint, sm: Any, login: str) -> None:
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH, RotateImmediately=False)
    secret = described(sm, login)
    assert secret["RotationEnabled"] is True and "NextRotationDate" in secret
    assert "LastRotatedDate" not in secret
    assert labels(sm, login) == {FIRST: {"AWSCURRENT"}}
    advance(sandbox, days=31)
    assert labels(sm, login)[FIRST] == {"AWSPREVIOUS"}
    assert described(sm, login)["LastRotatedDate"] > secret["LastChangedDate"]
    assert current(sm, login) != LOGIN


def test_a_rotation_falls_due(sandbox: Endpoint, sm: Any, login: str) -> None:
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH, ClientRequestToken=SECOND)
    # In this order: reading the value leaves a date behind.
    value, before = current(sm, login), described(sm, login)
    advance(sandbox, days=28)
    assert described(sm, login) == before
    advance(sandbox, days=3)
    after = described(sm, login)
    found = labels(sm, login)
    assert found.pop(SECOND) == {"AWSPREVIOUS"}
    [(third, stages)] = found.items()
    assert "AWSCURRENT" in stages and third != FIRST
    assert current(sm, login) != value
    # It happened when it was due, and not when somebody looked.
    assert before["LastRotatedDate"] + timedelta(days=29) < after["LastRotatedDate"] <= before["NextRotationDate"]
    assert after["NextRotationDate"] - before["NextRotationDate"] == timedelta(days=30)


def test_a_schedule_in_hours(sandbox: Endpoint, sm: Any, login: str) -> None:
    rules = {"ScheduleExpression": "rate(4 hours)"}
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=rules)
    secret = described(sm, login)
    # Less than a day counts as one; there is a duration only where one was given.
    assert secret["RotationRules"] == rules | {"AutomaticallyAfterDays": 1}
    due = secret["NextRotationDate"].astimezone(timezone.utc)
    assert (due.minute, due.second) == (59, 59)
    assert timedelta(hours=4) <= due - secret["LastRotatedDate"] <= timedelta(hours=5)
    versions = sm.list_secret_version_ids(SecretId=login, IncludeDeprecated=True)["Versions"]
    advance(sandbox, hours=8)
    later = sm.list_secret_version_ids(SecretId=login, IncludeDeprecated=True)["Versions"]
    assert (len(versions), len(later)) == (2, 4)
    assert described(sm, login)["NextRotationDate"] == secret["NextRotationDate"] + timedelta(hours=8)


def test_a_schedule_in_the_manner_of_cron(sm: Any, login: str) -> None:
    rules = {"ScheduleExpression": "cron(0 8 ? * MON *)", "Duration": "2h"}
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=rules, RotateImmediately=False)
    secret = described(sm, login)
    stored = secret["RotationRules"]
    assert {member: stored[member] for member in rules} == rules
    due = secret["NextRotationDate"].astimezone(timezone.utc)
    assert (due.strftime("%A"), due.hour, due.minute, due.second) == ("Monday", 9, 59, 59)


def test_a_rotation_that_is_cancelled(sandbox: Endpoint, sm: Any, login: str) -> None:
    rotations(sandbox, {"failAt": "test"})
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH, ClientRequestToken=SECOND)
    answer = sm.cancel_rotate_secret(SecretId=login)
    assert (answer["Name"], answer["ARN"]) == (login, described(sm, login)["ARN"])
    secret = described(sm, login)
    assert secret["RotationEnabled"] is False and "NextRotationDate" not in secret
    assert (secret["RotationLambdaARN"], secret["RotationRules"]) == (LAMBDA, EVERY_MONTH)
    # The label stays where it is, and nobody comes back to it.
    stuck = {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}}
    assert labels(sm, login) == stuck
    control(sandbox, "DELETE", "faults")
    advance(sandbox, days=100)
    assert labels(sm, login) == stuck
    sm.update_secret_version_stage(SecretId=login, VersionStage="AWSPENDING", RemoveFromVersionId=SECOND)
    sm.rotate_secret(SecretId=login, ClientRequestToken=THIRD)
    assert described(sm, login)["RotationEnabled"] is True
    assert "AWSCURRENT" in labels(sm, login)[THIRD]


def test_a_deletion_ends_rotation(sandbox: Endpoint, sm: Any, login: str) -> None:
    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, RotationRules=EVERY_MONTH)
    before = described(sm, login)
    sm.delete_secret(SecretId=login, RecoveryWindowInDays=30)
    after = described(sm, login)
    assert after["RotationEnabled"] is False and "NextRotationDate" not in after
    assert after["RotationLambdaARN"] == LAMBDA and after["VersionIdsToStages"] == before["VersionIdsToStages"]
    advance(sandbox, days=29)
    sm.restore_secret(SecretId=login)
    advance(sandbox, days=10)
    assert described(sm, login)["VersionIdsToStages"] == before["VersionIdsToStages"]


def test_a_recovery_window_ends(sandbox: Endpoint, sm: Any, login: str) -> None:
    arn = described(sm, login)["ARN"]
    begun = now(sandbox)
    deletion = sm.delete_secret(SecretId=login, RecoveryWindowInDays=7)["DeletionDate"]
    assert timedelta(days=7) <= deletion - begun + timedelta(milliseconds=1) < timedelta(days=7, minutes=1)
    advance(sandbox, days=6, hours=23)
    assert "DeletedDate" in described(sm, login)
    taken = {"Name": login, "SecretString": "x"}
    assert refusal_of(sm.create_secret, **taken)[0] == REQUEST
    advance(sandbox, hours=2)
    assert refusal_of(sm.describe_secret, SecretId=login) == (NOT_FOUND, NO_SECRET)
    assert sm.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    assert sm.create_secret(**taken)["ARN"] != arn


# The control path


def test_a_sandbox_is_seeded_watched_and_reset(sandbox: Endpoint, sm: Any, frankfurt: Any) -> None:
    fixtures = f"""
- name: seeded
  account: "{ACCOUNT}"
  region: {DUBLIN}
  value: from the seed
  versionId: {FIRST}
  replicas: [{{ region: {FRANKFURT} }}]
  rotation: {{ lambdaArn: "{LAMBDA}", everyDays: 30 }}
"""
    assert control(sandbox, "POST", "seed", fixtures) == {"made": 1}
    assert current(frankfurt, "seeded") == "from the seed"
    assert described(sm, "seeded")["RotationRules"] == EVERY_MONTH
    assert control(sandbox, "POST", "seed", fixtures) == {"made": 0}

    forget_calls(sandbox)
    sm.rotate_secret(SecretId="seeded", ClientRequestToken=SECOND)
    refusal_of(frankfurt.rotate_secret, SecretId="seeded")
    of_it = {"operation": "RotateSecret", "account": ACCOUNT, "secret": "seeded"}
    assert calls(sandbox) == [
        of_it | {"region": DUBLIN, "outcome": "ok"},
        of_it | {"region": FRANKFURT, "outcome": "error", "error": PARAMETER},
    ]

    advance(sandbox, days=365)
    ahead = now(sandbox)
    control(sandbox, "POST", "reset")
    assert sm.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    assert frankfurt.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    assert ahead - now(sandbox) > timedelta(days=364)


@pytest.mark.parametrize(
    "duration",
    [
        86_400,
        "PT24H",
        "PT1440M",
        "P1D",
    ],
)
def test_the_clock_is_moved_by_a_day(sandbox: Endpoint, duration: object) -> None:
    before = now(sandbox)
    control(sandbox, "POST", "clock", {"advance": duration})
    assert timedelta(days=1) <= now(sandbox) - before < timedelta(days=1, minutes=1)


# The AWS CLI


def test_the_cli_rotates(sandbox: Endpoint, tmp_path: Path) -> None:
    cli = Cli(sandbox, tmp_path)
    of_it = ("--secret-id", "cli/rotation")
    arn = cli.sm("create-secret", "--name", "cli/rotation", "--secret-string", LOGIN)["ARN"]
    rotated = cli.sm(
        *("rotate-secret", *of_it, "--client-request-token", SECOND, "--rotation-lambda-arn", LAMBDA),
        *("--rotation-rules", "ScheduleExpression=rate(30 days),Duration=2h"),
    )
    assert rotated == {"ARN": arn, "Name": "cli/rotation", "VersionId": SECOND}
    secret = cli.sm("describe-secret", *of_it)
    assert secret["RotationRules"] == {
        "ScheduleExpression": "rate(30 days)",
        "Duration": "2h",
        "AutomaticallyAfterDays": 30,
    }
    assert "AWSCURRENT" in secret["VersionIdsToStages"][SECOND]
    assert cli.sm("cancel-rotate-secret", *of_it)["ARN"] == arn
    assert cli.sm("describe-secret", *of_it)["RotationEnabled"] is False
    later = ("--rotation-rules", "AutomaticallyAfterDays=7", "--no-rotate-immediately")
    cli.sm("rotate-secret", *of_it, *later)
    secret = cli.sm("describe-secret", *of_it)
    assert secret["RotationEnabled"] is True and secret["RotationRules"] == {"AutomaticallyAfterDays": 7}
    assert "AWSCURRENT" in secret["VersionIdsToStages"][SECOND]
