"""Rotation and replicas in keywright's sandbox, as boto3 sees them. Rotation functions are simulated, and succeed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from furnished import ACCOUNT, FIRST, LAMBDA, READER, SECOND, client, labels, members

ABROAD = "eu-central-1"


@pytest.fixture
def abroad(sandbox: Endpoint) -> Any:
    """A client in another region of the same account."""
    return client(sandbox, region=ABROAD)


# Rotation


def test_a_rotation(sm: Any) -> None:
    arn = sm.create_secret(Name="r", SecretString='{"user":"app","password":"old"}', ClientRequestToken=FIRST)["ARN"]
    rules = {"AutomaticallyAfterDays": 30}
    answer = sm.rotate_secret(SecretId="r", ClientRequestToken=SECOND, RotationLambdaARN=LAMBDA, RotationRules=rules)
    assert members(answer) == {"ARN": arn, "Name": "r", "VersionId": SECOND}
    assert labels(sm, "r") == {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT"}}
    value = json.loads(sm.get_secret_value(SecretId="r")["SecretString"])
    assert value["user"] == "app" and value["password"] != "old"
    secret = sm.describe_secret(SecretId="r")
    assert (secret["RotationEnabled"], secret["RotationLambdaARN"]) == (True, LAMBDA)
    assert secret["RotationRules"] == rules
    assert abs(secret["LastRotatedDate"] - datetime.now(timezone.utc)) < timedelta(minutes=1)
    # The last second of the hour, or day, in which it is due.
    due = secret["NextRotationDate"].astimezone(timezone.utc)
    assert (due.minute, due.second) == (59, 59) and due > secret["LastRotatedDate"] + timedelta(days=29)
    # Once more, with what is known of function and rules.
    third = sm.rotate_secret(SecretId="r")["VersionId"]
    assert labels(sm, "r") == {SECOND: {"AWSPREVIOUS"}, third: {"AWSCURRENT"}}


def test_only_the_configuration_changes_where_nothing_is_to_be_rotated_at_once(sm: Any) -> None:
    sm.create_secret(Name="r", SecretString="old", ClientRequestToken=FIRST)
    schedule = {"ScheduleExpression": "rate(4 hours)", "Duration": "1h"}
    sm.rotate_secret(SecretId="r", RotationLambdaARN=LAMBDA, RotationRules=schedule, RotateImmediately=False)
    assert sm.get_secret_value(SecretId="r")["SecretString"] == "old"
    secret = sm.describe_secret(SecretId="r")
    assert secret["RotationEnabled"] is True and "LastRotatedDate" not in secret
    # Beside an expression there is a number of days that the service works out itself.
    assert secret["RotationRules"] == {**schedule, "AutomaticallyAfterDays": 1}


def test_a_rotation_is_cancelled(sm: Any) -> None:
    sm.create_secret(Name="r", SecretString="old")
    sm.rotate_secret(SecretId="r", RotationLambdaARN=LAMBDA, RotationRules={"AutomaticallyAfterDays": 7})
    sm.cancel_rotate_secret(SecretId="r")
    secret = sm.describe_secret(SecretId="r")
    assert secret["RotationEnabled"] is False
    assert (secret["RotationLambdaARN"], secret["RotationRules"]) == (LAMBDA, {"AutomaticallyAfterDays": 7})
    assert "NextRotationDate" not in secret


def test_a_deletion_turns_rotation_off(sm: Any) -> None:
    sm.create_secret(Name="r", SecretString="old")
    sm.rotate_secret(SecretId="r", RotationLambdaARN=LAMBDA, RotationRules={"AutomaticallyAfterDays": 7})
    sm.delete_secret(SecretId="r", RecoveryWindowInDays=7)
    secret = sm.describe_secret(SecretId="r")
    assert secret["RotationEnabled"] is False and secret["RotationLambdaARN"] == LAMBDA
    assert "NextRotationDate" not in secret


def test_a_rotation_that_is_not_complete(sm: Any) -> None:
    sm.create_secret(Name="r", SecretString="old", ClientRequestToken=FIRST)
    sm.put_secret_value(SecretId="r", SecretString="new", ClientRequestToken=SECOND, VersionStages=["AWSPENDING"])
    before = labels(sm, "r")
    with pytest.raises(sm.exceptions.InvalidRequestException) as caught:
        sm.rotate_secret(SecretId="r", RotationLambdaARN=LAMBDA, RotationRules={"AutomaticallyAfterDays": 7})
    assert caught.value.response["Error"]["Message"] == (
        "A previous rotation isn't complete. That rotation will be reattempted."
    )
    assert labels(sm, "r") == before


# Replicas


def test_a_replica(sm: Any, abroad: Any) -> None:
    made = sm.create_secret(Name="p", SecretString="1", ClientRequestToken=FIRST, Description="Read everywhere.")
    begun = sm.replicate_secret_to_regions(SecretId="p", AddReplicaRegions=[{"Region": ABROAD}])
    assert begun["ARN"] == made["ARN"]
    [entry] = begun["ReplicationStatus"]
    assert (entry["Region"], entry["KmsKeyId"]) == (ABROAD, "alias/aws/secretsmanager")
    assert entry["Status"] == "InProgress"

    primary = sm.describe_secret(SecretId="p")
    assert primary["PrimaryRegion"] == REGION
    [entry] = primary["ReplicationStatus"]
    assert (entry["Status"], entry["StatusMessage"]) == ("InSync", "Replication succeeded")
    # A list says where the primary is, and nothing about how its replicas are.
    [listed] = sm.list_secrets()["SecretList"]
    assert listed["PrimaryRegion"] == REGION and "ReplicationStatus" not in listed

    replica = abroad.describe_secret(SecretId="p")
    assert replica["ARN"] == made["ARN"].replace(f":{REGION}:{ACCOUNT}:", f":{ABROAD}:{ACCOUNT}:")
    assert replica["PrimaryRegion"] == REGION and "ReplicationStatus" not in replica
    assert replica["Description"] == "Read everywhere."
    assert abroad.get_secret_value(SecretId="p")["SecretString"] == "1"

    sm.put_secret_value(SecretId="p", SecretString="2", ClientRequestToken=SECOND)
    sm.put_resource_policy(SecretId="p", ResourcePolicy=json.dumps(READER))
    assert abroad.get_secret_value(SecretId="p")["SecretString"] == "2"
    assert labels(abroad, "p") == {FIRST: {"AWSPREVIOUS"}, SECOND: {"AWSCURRENT"}}
    assert json.loads(abroad.get_resource_policy(SecretId="p")["ResourcePolicy"]) == READER


def test_a_replica_is_read_only(sm: Any, abroad: Any) -> None:
    sm.create_secret(Name="p", SecretString="1", AddReplicaRegions=[{"Region": ABROAD}])
    for write in (
        lambda: abroad.put_secret_value(SecretId="p", SecretString="2"),
        lambda: abroad.update_secret(SecretId="p", Description="2"),
        lambda: abroad.put_resource_policy(SecretId="p", ResourcePolicy=json.dumps(READER)),
        lambda: abroad.delete_secret(SecretId="p"),
    ):
        with pytest.raises(abroad.exceptions.InvalidParameterException) as caught:
            write()
        assert caught.value.response["Error"]["Message"] == (
            "Operation not permitted on a replica secret. Call must be made in primary secret's region."
        )
    assert abroad.get_secret_value(SecretId="p")["SecretString"] == "1"


def test_a_primary_goes_after_its_replicas(sm: Any, abroad: Any) -> None:
    regions = [{"Region": ABROAD}, {"Region": "us-east-1"}]
    arn = sm.create_secret(Name="p", SecretString="1", AddReplicaRegions=regions)["ARN"]
    with pytest.raises(sm.exceptions.InvalidParameterException) as caught:
        sm.delete_secret(SecretId="p")
    message = caught.value.response["Error"]["Message"]
    assert message == f"You can't delete secret {arn} that still has replica regions [{ABROAD}, us-east-1]."
    left = sm.remove_regions_from_replication(SecretId="p", RemoveReplicaRegions=[ABROAD, "us-east-1"])
    assert left["ReplicationStatus"] == []
    with pytest.raises(abroad.exceptions.ResourceNotFoundException):
        abroad.describe_secret(SecretId="p")
    sm.delete_secret(SecretId="p")


def test_a_replica_becomes_a_secret_of_its_own(sm: Any, abroad: Any) -> None:
    sm.create_secret(Name="p", SecretString="1", AddReplicaRegions=[{"Region": ABROAD}])
    arn = abroad.describe_secret(SecretId="p")["ARN"]
    assert abroad.stop_replication_to_replica(SecretId="p")["ARN"] == arn
    abroad.put_secret_value(SecretId="p", SecretString="its own")
    assert "PrimaryRegion" not in abroad.describe_secret(SecretId="p")
    assert sm.get_secret_value(SecretId="p")["SecretString"] == "1"


def test_a_name_that_is_taken_abroad(sm: Any, abroad: Any) -> None:
    abroad.create_secret(Name="p", SecretString="there before")
    sm.create_secret(Name="p", SecretString="1", AddReplicaRegions=[{"Region": ABROAD}])
    [entry] = sm.describe_secret(SecretId="p")["ReplicationStatus"]
    assert entry["Status"] == "Failed" and entry["StatusMessage"]
    assert abroad.get_secret_value(SecretId="p")["SecretString"] == "there before"
    sm.replicate_secret_to_regions(
        SecretId="p", AddReplicaRegions=[{"Region": ABROAD}], ForceOverwriteReplicaSecret=True
    )
    assert abroad.get_secret_value(SecretId="p")["SecretString"] == "1"


def test_what_is_no_replica_cannot_stop_being_one(sm: Any) -> None:
    sm.create_secret(Name="p", SecretString="1")
    with pytest.raises(ClientError):
        sm.stop_replication_to_replica(SecretId="p")
