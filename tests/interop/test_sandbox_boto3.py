"""keywright's sandbox as boto3 sees it: every operation that it offers, and the table of refusals."""

from __future__ import annotations

import http.client
import json
import string
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from command import Keywright
from furnished import (
    ACCOUNT,
    EVERYONE,
    FIRST,
    NO_SECRET,
    READER,
    SCHEDULED,
    SECOND,
    THIRD,
    TRAP,
    Refusal,
    client,
    every_refusal,
    every_refused_id,
    furnish,
)
from payments import Payments, assert_live_as_wished
from servers import served_sandbox

OTHER_ACCOUNT = "222222222222"


@pytest.fixture
def sm(sandbox: Endpoint) -> Any:
    """A client of an empty sandbox."""
    return client(sandbox)


@pytest.fixture(scope="module")
def furnished(keywright_once: Keywright) -> Iterator[tuple[Endpoint, dict[str, str]]]:
    """A sandbox with secrets, for tests that change nothing; and the secrets' ARNs."""
    with served_sandbox(keywright_once) as endpoint:
        yield endpoint, furnish(endpoint)


def members(answer: dict[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def labels(sm: Any, name: str) -> dict[str, set[str]]:
    """Version ids with their labels, as DescribeSecret and ListSecrets agree on them."""
    described = sm.describe_secret(SecretId=name).get("VersionIdsToStages", {})
    [listed] = [entry for entry in sm.list_secrets()["SecretList"] if entry["Name"] == name]
    assert listed.get("SecretVersionsToStages", {}) == described
    return {version: set(stages) for version, stages in described.items()}


# Errors


@every_refusal
def test_a_request_is_refused_as_documented(refusal: Refusal, furnished: tuple[Endpoint, dict[str, str]]) -> None:
    assert_refused(refusal, *furnished)


@every_refused_id
def test_a_secret_id_is_refused_as_documented(refusal: Refusal, furnished: tuple[Endpoint, dict[str, str]]) -> None:
    assert_refused(refusal, *furnished)


def assert_refused(refusal: Refusal, endpoint: Endpoint, arns: dict[str, str]) -> None:
    sm = client(endpoint)
    before = everything(sm)
    with pytest.raises(ClientError) as caught:
        getattr(sm, xform_name(refusal.operation))(**refusal.parameters)
    answer = caught.value.response
    assert answer["Error"]["Code"] == refusal.code, answer
    assert refusal.says(answer["Error"]["Message"], arns), answer
    # Whatever the client did wrong is a 400, a secret that is not there too.
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
    # What the API models is an exception class of its own in boto3.
    assert isinstance(caught.value, getattr(sm.exceptions, refusal.code, ClientError))
    assert everything(sm) == before


def everything(sm: Any) -> dict[str, Any]:
    """All that can be seen without reading a value, which would leave a date behind."""
    listed = sm.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    policies = {
        secret["Name"]: sm.get_resource_policy(SecretId=secret["Name"]).get("ResourcePolicy")
        for secret in listed
        if "DeletedDate" not in secret
    }
    return {"listed": listed, "policies": policies}


def test_every_operation_of_the_api_is_tested(sm: Any) -> None:
    here = {
        "BatchGetSecretValue",
        "CreateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "DescribeSecret",
        "GetRandomPassword",
        "GetResourcePolicy",
        "GetSecretValue",
        "ListSecretVersionIds",
        "ListSecrets",
        "PutResourcePolicy",
        "PutSecretValue",
        "RestoreSecret",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "ValidateResourcePolicy",
    }
    # In test_sandbox_rotation_replication.py.
    there = {
        "CancelRotateSecret",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RotateSecret",
        "StopReplicationToReplica",
    }
    assert len(here | there) == 23
    assert here | there | LATER == set(sm.meta.service_model.operation_names)


# Operations that boto3 knows and that came after the 23 which the sandbox is about.
LATER = {"AssociateCrossAccountReplica", "DisassociateCrossAccountReplica", "ListResourcePolicies"}


@pytest.mark.parametrize("operation", [*sorted(LATER), "MakeCoffee"])
def test_an_operation_that_the_sandbox_has_never_heard_of(sandbox: Endpoint, operation: str) -> None:
    answer, body = wire(sandbox, operation, b'{"SecretId": "x"}')
    assert (answer.status, json.loads(body)["__type"]) == (400, "UnknownOperationException")
    assert operation in json.loads(body)["Message"]


# Secrets


def test_a_secret_with_a_value(sm: Any) -> None:
    token = str(uuid.uuid4())
    made = sm.create_secret(Name="a/secret", SecretString="value", ClientRequestToken=token)
    assert members(made) == {"ARN": made["ARN"], "Name": "a/secret", "VersionId": token}
    assert made["ARN"].startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:a/secret-")
    suffix = made["ARN"].removeprefix(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:a/secret-")
    assert len(suffix) == 6 and suffix.isalnum()
    got = sm.get_secret_value(SecretId="a/secret")
    assert members(got) == {
        "ARN": made["ARN"],
        "Name": "a/secret",
        "VersionId": token,
        "SecretString": "value",
        "VersionStages": ["AWSCURRENT"],
        "CreatedDate": got["CreatedDate"],
    }


def test_a_secret_with_everything(sm: Any) -> None:
    tags = [{"Key": "zebra", "Value": "1"}, {"Key": "ant", "Value": ""}]
    sm.create_secret(
        Name="full", Description="What it is.", KmsKeyId="alias/payments", Tags=tags, SecretBinary=b"\xff\x00"
    )
    secret = sm.describe_secret(SecretId="full")
    assert secret["Description"] == "What it is."
    # As it was given, and not as the key's ARN.
    assert secret["KmsKeyId"] == "alias/payments"
    # In the order in which they were set.
    assert secret["Tags"] == tags
    [(_, stages)] = secret["VersionIdsToStages"].items()
    assert stages == ["AWSCURRENT"]
    assert sm.get_secret_value(SecretId="full")["SecretBinary"] == b"\xff\x00"


def test_what_a_secret_lacks_is_absent_from_the_answers(sm: Any) -> None:
    made = sm.create_secret(Name="empty", Description="")
    assert members(made) == {"ARN": made["ARN"], "Name": "empty"}
    secret = members(sm.describe_secret(SecretId="empty"))
    assert secret.keys() == {"ARN", "Name", "CreatedDate", "LastChangedDate"}
    [entry] = sm.list_secrets()["SecretList"]
    assert entry == secret
    assert members(sm.get_resource_policy(SecretId="empty")) == {"ARN": made["ARN"], "Name": "empty"}


def test_a_request_that_is_repeated_succeeds_once(sm: Any) -> None:
    token = str(uuid.uuid4())
    made = sm.create_secret(Name="again", SecretString="value", ClientRequestToken=token)
    assert members(sm.create_secret(Name="again", SecretString="value", ClientRequestToken=token)) == members(made)
    put = str(uuid.uuid4())
    for _ in range(2):
        answer = sm.put_secret_value(SecretId="again", SecretString="next", ClientRequestToken=put)
        assert answer["VersionId"] == put and answer["VersionStages"] == ["AWSCURRENT"]
        updated = sm.update_secret(SecretId="again", SecretString="next", ClientRequestToken=put)
        assert updated["VersionId"] == put
    assert labels(sm, "again") == {token: {"AWSPREVIOUS"}, put: {"AWSCURRENT"}}


def test_a_secret_is_found_by_its_name_and_both_forms_of_its_arn(sm: Any) -> None:
    for name in ["plain", "a/b_+=.@!-1", "ends-a1b2", "ends-a1b2c3-"]:
        arn = sm.create_secret(Name=name, SecretString=name)["ARN"]
        for secret_id in [name, arn, arn[: -len("-XXXXXX")]]:
            assert sm.get_secret_value(SecretId=secret_id)["SecretString"] == name, secret_id
            assert sm.describe_secret(SecretId=secret_id)["ARN"] == arn, secret_id


def test_a_name_that_seems_to_end_as_an_arn_does_is_found_by_its_full_arn_only(
    furnished: tuple[Endpoint, dict[str, str]],
) -> None:
    # The partial ARN is in the table of refusals.
    endpoint, arns = furnished
    assert client(endpoint).describe_secret(SecretId=arns[TRAP])["Name"] == TRAP
    assert client(endpoint).describe_secret(SecretId=TRAP)["ARN"] == arns[TRAP]


def test_a_secret_made_anew_has_another_arn(sm: Any) -> None:
    first = sm.create_secret(Name="anew", SecretString="one")["ARN"]
    sm.delete_secret(SecretId="anew", ForceDeleteWithoutRecovery=True)
    second = sm.create_secret(Name="anew", SecretString="two")["ARN"]
    assert first != second
    with pytest.raises(sm.exceptions.ResourceNotFoundException):
        sm.describe_secret(SecretId=first)


def test_updates(sm: Any) -> None:
    made = sm.create_secret(Name="up", Description="Before.", SecretString="one", KmsKeyId="alias/one")
    changed = [sm.describe_secret(SecretId="up")["LastChangedDate"]]

    def update(**what: Any) -> dict[str, Any]:
        answer = sm.update_secret(SecretId="up", **what)
        changed.append(sm.describe_secret(SecretId="up")["LastChangedDate"])
        assert changed[-1] > changed[-2], "every update moves LastChangedDate"
        return members(answer)

    # Without a value there is no new version, and none is named.
    bare = {"ARN": made["ARN"], "Name": "up"}
    assert update() == bare
    assert update(Description="After.") == bare
    assert update(KmsKeyId="alias/two") == bare
    assert labels(sm, "up") == {made["VersionId"]: {"AWSCURRENT"}}
    secret = sm.describe_secret(SecretId="up")
    assert (secret["Description"], secret["KmsKeyId"]) == ("After.", "alias/two")

    # An empty description is none; an empty key is the default one, which is not shown.
    update(Description="", KmsKeyId="")
    assert not {"Description", "KmsKeyId"} & sm.describe_secret(SecretId="up").keys()
    # The default key is shown where somebody has named it.
    update(KmsKeyId="alias/aws/secretsmanager")
    assert sm.describe_secret(SecretId="up")["KmsKeyId"] == "alias/aws/secretsmanager"

    # The same value again is a new version all the same.
    again = update(SecretString="one")["VersionId"]
    assert again != made["VersionId"]
    assert labels(sm, "up") == {made["VersionId"]: {"AWSPREVIOUS"}, again: {"AWSCURRENT"}}


# Versions


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


# Tags


def test_tags(sm: Any) -> None:
    def tags() -> list[tuple[str, str]]:
        return [(tag["Key"], tag["Value"]) for tag in sm.describe_secret(SecretId="t")["Tags"]]

    sm.create_secret(Name="t")
    assert "Tags" not in sm.describe_secret(SecretId="t")
    sm.tag_resource(SecretId="t", Tags=[{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}])
    sm.tag_resource(SecretId="t", Tags=[{"Key": "b", "Value": "3"}, {"Key": "c", "Value": ""}])
    assert sorted(tags()) == [("a", "2"), ("b", "3"), ("c", "")]
    sm.untag_resource(SecretId="t", TagKeys=["a", "c", "never there"])
    assert tags() == [("b", "3")]
    # Once there were tags, the list stays, and may be empty.
    sm.untag_resource(SecretId="t", TagKeys=["b"])
    assert tags() == []


def test_at_most_fifty_tags(sm: Any) -> None:
    fifty = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    sm.create_secret(Name="t", Tags=fifty)
    sm.tag_resource(SecretId="t", Tags=[{"Key": "k7", "Value": "another"}])
    with pytest.raises(ClientError):
        sm.tag_resource(SecretId="t", Tags=[{"Key": "one too many", "Value": "v"}])
    with pytest.raises(ClientError):
        sm.create_secret(Name="u", Tags=[*fifty, {"Key": "one too many", "Value": "v"}])
    assert len(sm.describe_secret(SecretId="t")["Tags"]) == 50


# Deletion


@pytest.mark.parametrize("window, days", [({}, 30), ({"RecoveryWindowInDays": 7}, 7)])
def test_a_secret_is_deleted_and_restored(sm: Any, window: dict[str, int], days: int) -> None:
    made = sm.create_secret(Name="d", SecretString="kept", KmsKeyId="alias/k", Tags=[{"Key": "a", "Value": "b"}])
    sm.put_resource_policy(SecretId="d", ResourcePolicy=json.dumps(READER))
    before = members(sm.describe_secret(SecretId="d"))
    start = datetime.now(timezone.utc)
    deleted = sm.delete_secret(SecretId="d", **window)
    assert (deleted["ARN"], deleted["Name"]) == (made["ARN"], "d")
    due = deleted["DeletionDate"] - timedelta(days=days)
    assert abs(due - start) < timedelta(minutes=1)

    secret = members(sm.describe_secret(SecretId="d"))
    # The moment of the call, and not the day on which it is due.
    assert abs(secret.pop("DeletedDate") - start) < timedelta(minutes=1)
    assert secret.pop("LastChangedDate") > before.pop("LastChangedDate")
    assert secret == before
    assert sm.list_secrets()["SecretList"] == []
    assert [entry["Name"] for entry in sm.list_secrets(IncludePlannedDeletion=True)["SecretList"]] == ["d"]

    assert members(sm.restore_secret(SecretId="d")) == {"ARN": made["ARN"], "Name": "d"}
    assert "DeletedDate" not in sm.describe_secret(SecretId="d")
    assert sm.get_secret_value(SecretId="d")["SecretString"] == "kept"
    assert json.loads(sm.get_resource_policy(SecretId="d")["ResourcePolicy"]) == READER


def test_a_deletion_without_recovery(sm: Any) -> None:
    sm.create_secret(Name="d", SecretString="gone")
    sm.delete_secret(SecretId="d")
    # Also of what is scheduled already, and even of what never was.
    for name in ["d", "never-there"]:
        deleted = sm.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        assert deleted["Name"] == name and "DeletionDate" in deleted
        assert deleted["ARN"].startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-")
    assert sm.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []


# Lists


def test_pages(sm: Any) -> None:
    names = [f"p/{number:03}" for number in range(105)]
    for name in names:
        sm.create_secret(Name=name)
    # A hundred to a page where nothing is said; the oldest first.
    first = sm.list_secrets()
    assert [entry["Name"] for entry in first["SecretList"]] == names[:100]
    rest = sm.list_secrets(NextToken=first["NextToken"])
    assert [entry["Name"] for entry in rest["SecretList"]] == names[100:]
    assert "NextToken" not in rest
    for size in (1, 7, 100):
        pages = sm.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": size})
        assert [entry["Name"] for page in pages for entry in page["SecretList"]] == names
    newest = sm.list_secrets(SortOrder="desc", MaxResults=2)["SecretList"]
    assert [entry["Name"] for entry in newest] == [names[-1], names[-2]]


def test_orders(sm: Any) -> None:
    for name in ["b", "c", "a"]:
        sm.create_secret(Name=name)
    sm.tag_resource(SecretId="c", Tags=[{"Key": "k", "Value": "v"}])

    def listed(**order: str) -> str:
        return "".join(entry["Name"] for entry in sm.list_secrets(**order)["SecretList"])

    assert listed() == listed(SortBy="created-date") == "bca"
    assert listed(SortBy="created-date", SortOrder="desc") == "acb"
    assert listed(SortBy="name") == "abc"
    assert listed(SortBy="name", SortOrder="desc") == "cba"
    assert listed(SortBy="last-changed-date") == "bac"


LISTED = {
    "dev/app": {"Description": "a secret", "Tags": [{"Key": "team", "Value": "red"}]},
    "dev/db": {"Description": "an secret", "Tags": [{"Key": "team", "Value": "blue"}, {"Key": "tier", "Value": "one"}]},
    "Dev/upper": {"Description": "asecret"},
    "prod/COMPANYthings": {"Description": "thesecret", "Tags": [{"Key": "Stage", "Value": "redundant"}]},
    "plain": {},
}


@pytest.mark.parametrize(
    "filters, names",
    [
        ({"name": ["dev/"]}, ["dev/app", "dev/db"]),
        ({"name": ["!dev/"]}, ["Dev/upper", "prod/COMPANYthings", "plain"]),
        ({"name": ["dev/app", "pl"]}, ["dev/app", "plain"]),
        ({"name": ["ev/"]}, []),
        ({"description": ["a"]}, ["dev/app", "dev/db", "Dev/upper"]),
        ({"description": ["!a"]}, ["prod/COMPANYthings", "plain"]),
        ({"description": ["a secret"]}, ["dev/app", "dev/db"]),
        ({"description": ["SECRET"]}, ["dev/app", "dev/db"]),
        ({"description": ["!c"]}, list(LISTED)),
        ({"tag-key": ["t"]}, ["dev/app", "dev/db"]),
        ({"tag-key": ["stage"]}, []),
        ({"tag-value": ["red"]}, ["dev/app", "prod/COMPANYthings"]),
        # Filters of several keys must all pass; of the values of one, any.
        ({"tag-key": ["team"], "tag-value": ["one"]}, ["dev/db"]),
        ({"all": ["blue"]}, ["dev/db"]),
        ({"all": ["ythings"]}, ["prod/COMPANYthings"]),
        ({"all": ["PROD"]}, ["prod/COMPANYthings"]),
        ({"all": ["/"]}, []),
        ({"owning-service": ["rds"]}, []),
    ],
    ids=str,
)
def test_filters(filters: dict[str, list[str]], names: list[str], listed_secrets: Any) -> None:
    wanted = [{"Key": key, "Values": values} for key, values in filters.items()]
    assert [entry["Name"] for entry in listed_secrets.list_secrets(Filters=wanted)["SecretList"]] == names


def test_the_same_filter_twice_must_pass_twice(listed_secrets: Any) -> None:
    twice = [{"Key": "name", "Values": ["dev/"]}, {"Key": "name", "Values": ["dev/d", "plain"]}]
    assert [entry["Name"] for entry in listed_secrets.list_secrets(Filters=twice)["SecretList"]] == ["dev/db"]


@pytest.fixture(scope="module")
def listed_secrets(keywright_once: Keywright) -> Iterator[Any]:
    with served_sandbox(keywright_once) as endpoint:
        sm = client(endpoint)
        for name, what in LISTED.items():
            sm.create_secret(Name=name, **what)
        yield sm


# Resource policies


def test_a_policy_comes_back_in_the_layout_of_the_service(sm: Any) -> None:
    made = sm.create_secret(Name="p")
    statement = {"Sid": "S", "Effect": "Deny", "Principal": "*", "Action": ["secretsmanager:Get*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    answer = sm.put_resource_policy(SecretId="p", ResourcePolicy=json.dumps(policy))
    assert members(answer) == {"ARN": made["ARN"], "Name": "p"}
    text = sm.get_resource_policy(SecretId="p")["ResourcePolicy"]
    assert text == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Sid" : "S",\n    "Effect" : "Deny",\n'
        '    "Principal" : "*",\n    "Action" : [ "secretsmanager:Get*" ],\n    "Resource" : "*"\n  } ]\n}'
    )
    assert members(sm.delete_resource_policy(SecretId="p")) == {"ARN": made["ARN"], "Name": "p"}
    assert "ResourcePolicy" not in sm.get_resource_policy(SecretId="p")
    # There is nothing to delete any more, and that is no error.
    sm.delete_resource_policy(SecretId="p")


def test_policies_are_validated(sm: Any) -> None:
    sm.create_secret(Name="p")
    for named in ({}, {"SecretId": "p"}):
        passed = sm.validate_resource_policy(ResourcePolicy=json.dumps(READER), **named)
        assert members(passed) == {"PolicyValidationPassed": True, "ValidationErrors": []}
        broad = sm.validate_resource_policy(ResourcePolicy=EVERYONE, **named)
        assert broad["PolicyValidationPassed"] is False
        [problem] = broad["ValidationErrors"]
        assert problem["CheckName"] and problem["ErrorMessage"]
    assert "ResourcePolicy" not in sm.get_resource_policy(SecretId="p")


def test_a_policy_open_to_everyone_is_put_where_nothing_forbids_it(sm: Any) -> None:
    sm.create_secret(Name="p")
    for unblocked in ({}, {"BlockPublicPolicy": False}):
        sm.put_resource_policy(SecretId="p", ResourcePolicy=EVERYONE, **unblocked)
        assert json.loads(sm.get_resource_policy(SecretId="p")["ResourcePolicy"]) == json.loads(EVERYONE)


# What moves LastChangedDate


CHANGES: dict[str, Callable[[Any], Any]] = {
    "PutSecretValue": lambda sm: sm.put_secret_value(SecretId="c", SecretString="2"),
    "UpdateSecret": lambda sm: sm.update_secret(SecretId="c", Description="d"),
    "UpdateSecretVersionStage": lambda sm: sm.update_secret_version_stage(
        SecretId="c", VersionStage="BLUE", MoveToVersionId=FIRST
    ),
    "TagResource": lambda sm: sm.tag_resource(SecretId="c", Tags=[{"Key": "n", "Value": "v"}]),
    "UntagResource": lambda sm: sm.untag_resource(SecretId="c", TagKeys=["k"]),
    "PutResourcePolicy": lambda sm: sm.put_resource_policy(SecretId="c", ResourcePolicy=json.dumps(READER)),
    "DeleteSecret": lambda sm: sm.delete_secret(SecretId="c"),
}
READS: dict[str, Callable[[Any], Any]] = {
    "DescribeSecret": lambda sm: sm.describe_secret(SecretId="c"),
    "GetSecretValue": lambda sm: sm.get_secret_value(SecretId="c"),
    "BatchGetSecretValue": lambda sm: sm.batch_get_secret_value(SecretIdList=["c"]),
    "ListSecretVersionIds": lambda sm: sm.list_secret_version_ids(SecretId="c"),
    "GetResourcePolicy": lambda sm: sm.get_resource_policy(SecretId="c"),
    "ValidateResourcePolicy": lambda sm: sm.validate_resource_policy(SecretId="c", ResourcePolicy=json.dumps(READER)),
}


@pytest.mark.parametrize("operation", [*CHANGES, *READS])
def test_every_change_moves_the_date_and_no_read_does(sm: Any, operation: str) -> None:
    sm.create_secret(Name="c", SecretString="1", ClientRequestToken=FIRST, Tags=[{"Key": "k", "Value": "v"}])
    before = sm.describe_secret(SecretId="c")["LastChangedDate"]
    (CHANGES | READS)[operation](sm)
    after = sm.describe_secret(SecretId="c")["LastChangedDate"]
    assert (after > before) == (operation in CHANGES)


# Accounts, regions and STS


def test_who_somebody_is(sandbox: Endpoint) -> None:
    for key, account in [(ACCOUNT, ACCOUNT), (OTHER_ACCOUNT, OTHER_ACCOUNT), ("AKIAIOSFODNN7EXAMPLE", "000000000000")]:
        identity = sandbox.client("sts", access_key_id=key).get_caller_identity()
        assert identity["Account"] == account
        assert f":{account}:" in identity["Arn"]


def test_a_role_acts_in_its_account(sandbox: Endpoint) -> None:
    sts = sandbox.client("sts", access_key_id=ACCOUNT)
    taken = sts.assume_role(
        RoleArn=f"arn:aws:iam::{OTHER_ACCOUNT}:role/deploy/keywright", RoleSessionName="ci@main", DurationSeconds=900
    )
    arn = f"arn:aws:sts::{OTHER_ACCOUNT}:assumed-role/keywright/ci@main"
    assert taken["AssumedRoleUser"]["Arn"] == arn
    left = taken["Credentials"]["Expiration"] - datetime.now(timezone.utc)
    assert timedelta(seconds=840) < left <= timedelta(seconds=900)
    acting = (taken["Credentials"]["AccessKeyId"], taken["Credentials"]["SessionToken"])
    identity = sandbox.client("sts", *acting).get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (OTHER_ACCOUNT, arn)
    assert f":{OTHER_ACCOUNT}:" in sandbox.client("secretsmanager", *acting).create_secret(Name="theirs")["ARN"]
    assert client(sandbox).list_secrets()["SecretList"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"RoleArn": "arn:aws:iam::12:role/short-account"},
        {"RoleArn": f"arn:aws:iam::{ACCOUNT}:user/not-a-role"},
        {"RoleSessionName": "with space"},
        {"DurationSeconds": 43_201},
    ],
    ids=str,
)
def test_a_role_that_cannot_be_taken(sandbox: Endpoint, wrong: dict[str, Any]) -> None:
    right = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/right", "RoleSessionName": "right"}
    with pytest.raises(ClientError) as caught:
        sandbox.client("sts").assume_role(**(right | wrong))
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_accounts_and_regions_know_nothing_of_each_other(sandbox: Endpoint) -> None:
    homes = [(account, region) for account in (ACCOUNT, OTHER_ACCOUNT) for region in (REGION, "us-east-1")]
    for account, region in homes:
        made = client(sandbox, account, region=region).create_secret(Name="same", SecretString=f"{account} {region}")
        assert f":{region}:{account}:" in made["ARN"]
    for account, region in homes:
        sm = client(sandbox, account, region=region)
        assert sm.get_secret_value(SecretId="same")["SecretString"] == f"{account} {region}"
        assert len(sm.list_secrets()["SecretList"]) == 1


def test_the_default_key_does_not_reach_across_accounts(sandbox: Endpoint) -> None:
    ours, theirs = client(sandbox), client(sandbox, OTHER_ACCOUNT)
    arn = ours.create_secret(Name="default-key", SecretString="x")["ARN"]
    for call in (
        lambda: theirs.get_secret_value(SecretId=arn),
        lambda: theirs.put_secret_value(SecretId=arn, SecretString="y"),
    ):
        with pytest.raises(theirs.exceptions.InvalidRequestException) as caught:
            call()
        assert caught.value.response["Error"]["Message"] == (
            "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS "
            "service key."
        )
    shared = ours.create_secret(Name="own-key", SecretString="x", KmsKeyId="alias/shared")["ARN"]
    assert theirs.get_secret_value(SecretId=shared)["SecretString"] == "x"


# On the wire: what boto3 would fill in, or hide


def wire(
    endpoint: Endpoint, operation: str, body: bytes, **headers: str | None
) -> tuple[http.client.HTTPResponse, bytes]:
    """Sends a signed request as it stands. A header that is None is left out."""
    request = botocore.awsrequest.AWSRequest(
        "POST",
        endpoint.url + "/",
        data=body,
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"secretsmanager.{operation}"},
    )
    credentials = botocore.credentials.Credentials(ACCOUNT, "not checked")
    botocore.auth.SigV4Auth(credentials, "secretsmanager", REGION).add_auth(request)
    sent = dict(request.headers.items()) | {name.replace("_", "-"): value for name, value in headers.items()}
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("POST", "/", body, {name: value for name, value in sent.items() if value is not None})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_form_of_an_answer(sandbox: Endpoint) -> None:
    client(sandbox).create_secret(Name="w", SecretBinary=b"\xff")
    answer, body = wire(sandbox, "GetSecretValue", b'{"SecretId": "w"}')
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-amz-json-1.1")
    assert uuid.UUID(answer.headers["x-amzn-RequestId"])
    value = json.loads(body)
    assert value["SecretBinary"] == "/w=="
    # Seconds since 1970, with milliseconds and no more.
    assert value["CreatedDate"] == round(value["CreatedDate"], 3)
    assert None not in value.values()


def test_the_form_of_an_error(sandbox: Endpoint) -> None:
    answer, body = wire(sandbox, "DescribeSecret", b'{"SecretId": "nobody"}')
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/x-amz-json-1.1")
    assert json.loads(body) == {
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret.",
    }


@pytest.mark.parametrize(
    "operation, more", [("TagResource", {"Tags": [{"Key": "k", "Value": "v"}]}), ("UntagResource", {"TagKeys": ["k"]})]
)
def test_tagging_is_answered_with_nothing_at_all(sandbox: Endpoint, operation: str, more: dict[str, Any]) -> None:
    client(sandbox).create_secret(Name="w")
    answer, body = wire(sandbox, operation, json.dumps({"SecretId": "w", **more}).encode())
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "0", b"")


@pytest.mark.parametrize("operation", ["CreateSecret", "PutSecretValue", "UpdateSecret"])
def test_a_missing_token_comes_before_a_missing_secret(sandbox: Endpoint, operation: str) -> None:
    body = json.dumps({"Name": "w", "SecretId": "nobody", "SecretString": "x"}).encode()
    answer, body = wire(sandbox, operation, body)
    assert (answer.status, json.loads(body)) == (
        400,
        {
            "__type": "InvalidRequestException",
            "Message": "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
        },
    )


def test_a_missing_member(sandbox: Endpoint) -> None:
    _, body = wire(sandbox, "CreateSecret", b"{}")
    assert json.loads(body)["__type"] == "ValidationException"
    assert json.loads(body)["Message"] == (
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"SecretId": 7}', b"\xff"], ids=repr)
def test_a_body_that_cannot_be_read(sandbox: Endpoint, body: bytes) -> None:
    answer, body = wire(sandbox, "DescribeSecret", body)
    assert (answer.status, json.loads(body)["__type"]) == (400, "SerializationException")


def test_a_request_without_a_signature(sandbox: Endpoint) -> None:
    answer, body = wire(sandbox, "ListSecrets", b"{}", Authorization=None)
    assert (answer.status, json.loads(body)["__type"]) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "secretsmanager.example.com"},
        {"Host": "127.0.0.1.example.com"},
    ],
    ids=str,
)
def test_requests_that_a_browser_may_have_sent_are_refused(sandbox: Endpoint, header: dict[str, str]) -> None:
    sm = client(sandbox)
    sm.create_secret(Name="w", SecretString="not for web pages")
    answer, body = wire(sandbox, "GetSecretValue", b'{"SecretId": "w"}', **header)
    assert answer.status == 403
    assert b"not for web pages" not in body
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert "LastAccessedDate" not in sm.describe_secret(SecretId="w")


# keywright as a client of its own sandbox


def test_the_example_is_applied_to_the_served_sandbox(
    keywright: Keywright, sandbox: Endpoint, payments: Payments
) -> None:
    keywright = keywright.signed_in(ACCOUNT)
    command = ["--endpoint-url", sandbox.url, *payments.arguments()]
    done = keywright.run("apply", "--yes", *command)
    assert done.code == 0, done
    assert_live_as_wished(payments, sandbox)
    again = keywright.run("plan", "--detailed-exitcode", *command)
    assert again.code == 0 and again.out.count("Nothing to do") == 2, again


def test_a_sandbox_in_a_file_is_the_same_embedded_and_served(keywright: Keywright, payments: Payments) -> None:
    file = payments.folder / "sandbox.redb"
    done = keywright.run("apply", "--yes", f"--sandbox={file}", *payments.arguments())
    assert done.code == 0, done
    with served_sandbox(keywright, "--file", file) as endpoint:
        assert_live_as_wished(payments, endpoint)
        # One process at a time can have it open.
        second = keywright.run("plan", f"--sandbox={file}", *payments.arguments())
        assert second.code == 1 and "cannot be opened" in second.err, second
        client(endpoint).tag_resource(
            SecretId="staging/payments/cache/rate-limits/redis-auth", Tags=[{"Key": "by", "Value": "hand"}]
        )
    planned = keywright.run("plan", "--detailed-exitcode", f"--sandbox={file}", *payments.arguments())
    assert planned.code == 2 and "1 to change" in planned.out and "- by = hand" in planned.out, planned
    assert keywright.run("sandbox", "reset", "--file", file).code == 0
    with served_sandbox(keywright, "--file", file) as endpoint:
        assert client(endpoint).list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
