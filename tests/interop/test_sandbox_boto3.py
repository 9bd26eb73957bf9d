"""keywright's sandbox as boto3 sees it: secrets, tags, deletion, policies, and the table of refusals."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from command import Keywright
from furnished import (
    ACCOUNT,
    EVERYONE,
    FIRST,
    READER,
    TRAP,
    WITH_SECRET_ID,
    Refusal,
    client,
    every_refusal,
    every_refused_id,
    furnish,
    labels,
    members,
)
from servers import served_sandbox


@pytest.fixture(scope="module")
def furnished(keywright_once: Keywright) -> Iterator[tuple[Endpoint, dict[str, str]]]:
    """A sandbox with secrets, for tests that change nothing; and the secrets' ARNs."""
    with served_sandbox(keywright_once) as endpoint:
        yield endpoint, furnish(endpoint)


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


def test_every_operation_of_the_api_is_tested_here(sm: Any) -> None:
    # The operations that take the name of a secret, and those that do not.
    tested = WITH_SECRET_ID.keys() | {"BatchGetSecretValue", "CreateSecret", "GetRandomPassword", "ListSecrets"}
    assert tested == set(sm.meta.service_model.operation_names)
    assert len(tested) == 26


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
    policy = members(sm.get_resource_policy(SecretId="empty"))
    assert policy == {"ARN": made["ARN"], "Name": "empty", "PolicyName": "default"}


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


# Resource policies


def test_a_policy_comes_back_in_the_layout_of_the_service(sm: Any) -> None:
    made = sm.create_secret(Name="p")
    statement = {"Sid": "S", "Effect": "Deny", "Principal": "*", "Action": ["secretsmanager:Get*"], "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    answer = sm.put_resource_policy(SecretId="p", ResourcePolicy=json.dumps(policy))
    changed = {"ARN": made["ARN"], "Name": "p", "PolicyName": "default"}
    assert members(answer) == changed
    text = sm.get_resource_policy(SecretId="p")["ResourcePolicy"]
    assert text == (
        '{\n  "Version" : "2012-10-17",\n  "Statement" : [ {\n    "Sid" : "S",\n    "Effect" : "Deny",\n'
        '    "Principal" : "*",\n    "Action" : [ "secretsmanager:Get*" ],\n    "Resource" : "*"\n  } ]\n}'
    )
    assert members(sm.delete_resource_policy(SecretId="p")) == changed
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
