"""Versions, their labels and their values in keywright's sandbox, as boto3 sees them."""

from __future__ import annotations

import string
from datetime import datetime, timezone
from typing import Any

from furnished import (
    FIRST,
    NO_SECRET,
    SCHEDULED,
    SECOND,
    THIRD,
    labels,
    members,
)


def test_a_put_moves_the_labels_along(sm: Any) -> None:
    sm.create_secret(Name="v", SecretString="1", ClientRequestToken=FIRST)
    sm.put_secret_value(SecretId="v", SecretString="2", ClientRequestToken=SECOND)
    assert labels(sm, "v") == {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT"}}
    sm.put_secret_value(SecretId="v", SecretString="3", ClientRequestToken=THIRD)
    # The oldest one has lost its last label, and is not shown any more; it can still be read by its id.
    assert labels(sm, "v") == {SECOND: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT"}}
    assert sm.get_secret_value(SecretId="v")["SecretString"] == "3"
    assert sm.get_secret_value(SecretId="v", VersionStage="AWSPREVIOUS")["SecretString"] == "2"
    assert sm.get_secret_value(SecretId="v", VersionId=FIRST)["SecretString"] == "1"
    both = sm.get_secret_value(SecretId="v", VersionId=THIRD, VersionStage="AWSCURRENT")
    assert both["SecretString"] == "3"


def test_custom_labels_move_alone(sm: Any) -> None:
    sm.create_secret(Name="v", SecretString="1", ClientRequestToken=FIRST)
    put = sm.put_secret_value(SecretId="v", SecretString="2", ClientRequestToken=SECOND, VersionStages=["BLUE"])
    assert put["VersionStages"] == ["BLUE"]
    assert labels(sm, "v") == {FIRST: {"AWSCURRENT"}, SECOND: {"BLUE"}}
    sm.put_secret_value(SecretId="v", SecretString="3", ClientRequestToken=THIRD, VersionStages=["AWSCURRENT", "GREEN"])
    assert labels(sm, "v") == {FIRST: {"AWSPREVIOUS"}, SECOND: {"BLUE"}, THIRD: {"AWSCURRENT", "GREEN"}}


def test_the_first_value_is_current(sm: Any) -> None:
    sm.create_secret(Name="v")
    sm.put_secret_value(SecretId="v", SecretBinary=b"\x00\x80", ClientRequestToken=FIRST)
    assert labels(sm, "v") == {FIRST: {"AWSCURRENT"}}
    assert sm.get_secret_value(SecretId="v")["SecretBinary"] == b"\x00\x80"


def test_a_put_ends_a_pending_rotation(sm: Any) -> None:
    sm.create_secret(Name="v", SecretString="1", ClientRequestToken=FIRST)
    sm.put_secret_value(SecretId="v", SecretString="2", ClientRequestToken=SECOND, VersionStages=["AWSPENDING"])
    assert labels(sm, "v") == {FIRST: {"AWSCURRENT"}, SECOND: {"AWSPENDING"}}
    sm.put_secret_value(SecretId="v", SecretString="3", ClientRequestToken=THIRD)
    assert labels(sm, "v") == {FIRST: {"AWSPREVIOUS"}, THIRD: {"AWSCURRENT"}}


def test_a_promotion_keeps_the_other_labels(sm: Any) -> None:
    sm.create_secret(Name="v", SecretString="1", ClientRequestToken=FIRST)
    pending = ["AWSPENDING", "GREEN"]
    sm.put_secret_value(SecretId="v", SecretString="2", ClientRequestToken=SECOND, VersionStages=pending)
    sm.put_secret_value(SecretId="v", SecretString="3", ClientRequestToken=THIRD, VersionStages=["BLUE"])

    def move(**what: str) -> dict[str, set[str]]:
        sm.update_secret_version_stage(SecretId="v", **what)
        return labels(sm, "v")

    # The new current version keeps what it had, AWSPENDING too, and so does the old one, now the previous one.
    assert move(VersionStage="AWSCURRENT", MoveToVersionId=SECOND, RemoveFromVersionId=FIRST) == {
        FIRST: {"AWSPREVIOUS"},
        SECOND: {"AWSCURRENT", "AWSPENDING", "GREEN"},
        THIRD: {"BLUE"},
    }
    assert sm.get_secret_value(SecretId="v")["SecretString"] == "2"
    # The former previous version loses its last label, and is not shown any more.
    assert move(VersionStage="AWSCURRENT", MoveToVersionId=THIRD, RemoveFromVersionId=SECOND) == {
        SECOND: {"AWSPREVIOUS", "AWSPENDING", "GREEN"},
        THIRD: {"AWSCURRENT", "BLUE"},
    }
    # A label of one's own goes alone.
    assert move(VersionStage="GREEN", RemoveFromVersionId=SECOND)[SECOND] == {"AWSPREVIOUS", "AWSPENDING"}
    assert sm.get_secret_value(SecretId="v")["SecretString"] == "3"


def test_the_versions_of_a_secret(sm: Any) -> None:
    arn = sm.create_secret(Name="v", SecretString="1", ClientRequestToken=FIRST)["ARN"]
    sm.put_secret_value(SecretId="v", SecretString="2", ClientRequestToken=SECOND)
    sm.put_secret_value(SecretId="v", SecretString="3", ClientRequestToken=THIRD)
    sm.get_secret_value(SecretId="v", VersionId=SECOND)

    def versions(**more: Any) -> dict[str, dict[str, Any]]:
        answer = sm.list_secret_version_ids(SecretId="v", **more)
        assert (answer["ARN"], answer["Name"]) == (arn, "v")
        assert "NextToken" not in answer
        return {version["VersionId"]: version for version in answer["Versions"]}

    labelled = versions()
    assert {version: entry["VersionStages"] for version, entry in labelled.items()} == {
        SECOND: ["AWSPREVIOUS"],
        THIRD: ["AWSCURRENT"],
    }
    assert all(entry["KmsKeyIds"] == ["DefaultEncryptionKey"] for entry in labelled.values())
    assert [version for version, entry in labelled.items() if "LastAccessedDate" in entry] == [SECOND]
    everything = versions(IncludeDeprecated=True)
    assert everything.keys() == {FIRST, SECOND, THIRD}
    # A deprecated version has no labels, and says so by having no such member.
    assert "VersionStages" not in everything[FIRST]
    page = sm.list_secret_version_ids(SecretId="v", MaxResults=1)
    rest = sm.list_secret_version_ids(SecretId="v", NextToken=page["NextToken"])
    assert {entry["VersionId"] for entry in page["Versions"] + rest["Versions"]} == labelled.keys()


def test_values_in_batches(sm: Any) -> None:
    for name in ["batch/text", "batch/binary", "batch/leaving", "other"]:
        sm.create_secret(Name=name, **({"SecretBinary": b"\xff"} if name == "batch/binary" else {"SecretString": name}))
    sm.delete_secret(SecretId="batch/leaving")
    asked = ["batch/text", "batch/leaving", "batch/never-there", "batch/binary"]
    answer = sm.batch_get_secret_value(SecretIdList=asked)
    single = sm.get_secret_value(SecretId="batch/text")
    values = {value["Name"]: value for value in answer["SecretValues"]}
    assert values.keys() == {"batch/text", "batch/binary"}
    assert values["batch/text"] == members(single)
    assert values["batch/binary"]["SecretBinary"] == b"\xff"
    # One secret's error is its own, with the text that GetSecretValue has for it.
    assert {error["SecretId"]: error["ErrorCode"] for error in answer["Errors"]} == {
        "batch/leaving": "InvalidRequestException",
        "batch/never-there": "ResourceNotFoundException",
    }
    assert {error["Message"] for error in answer["Errors"]} == {SCHEDULED, NO_SECRET}

    filtered = {"Filters": [{"Key": "name", "Values": ["batch/"]}], "MaxResults": 1}
    first = sm.batch_get_secret_value(**filtered)
    second = sm.batch_get_secret_value(NextToken=first["NextToken"], **filtered)
    found = [value["Name"] for value in first["SecretValues"] + second["SecretValues"]]
    assert found == ["batch/text", "batch/binary"]
    assert first["Errors"] == []


def test_random_passwords(sm: Any) -> None:
    def password(**options: Any) -> str:
        return sm.get_random_password(**options)["RandomPassword"]

    assert len(password()) == 32 and password() != password()
    for _ in range(20):
        # Of each class at least one, in the fewest characters that can hold them.
        four = password(PasswordLength=4)
        classes = [str.islower, str.isupper, str.isdigit, lambda character: character in string.punctuation]
        assert all(any(map(is_one, four)) for is_one in classes), four
    digits = password(PasswordLength=300, ExcludeLowercase=True, ExcludeUppercase=True, ExcludePunctuation=True)
    assert set(digits) == set(string.digits)
    fewer = password(PasswordLength=1000, ExcludeCharacters='0aA"', IncludeSpace=True)
    assert len(fewer) == 1000 and " " in fewer and not set('0aA"') & set(fewer)
    assert password(PasswordLength=1, RequireEachIncludedType=False)


def test_reading_a_value_leaves_the_day_behind(sm: Any) -> None:
    sm.create_secret(Name="v", SecretString="1")
    assert "LastAccessedDate" not in sm.describe_secret(SecretId="v")
    before = datetime.now(timezone.utc)
    sm.get_secret_value(SecretId="v")
    midnights = {moment.date() for moment in (before, datetime.now(timezone.utc))}
    accessed = sm.describe_secret(SecretId="v")["LastAccessedDate"].astimezone(timezone.utc)
    assert (accessed.hour, accessed.minute, accessed.second, accessed.microsecond) == (0, 0, 0, 0)
    assert accessed.date() in midnights
