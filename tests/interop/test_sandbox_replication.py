"""Replicas in other regions of keywright's sandbox, as boto3 and the AWS CLI see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from botocore import xform_name

from aws import REGION, Endpoint
from control import advance, control
from furnished import FIRST, NO_SECRET, NOT_FOUND, PARAMETER, READER, SECOND, THIRD, members
from lifecycle import (
    DEFAULT_KEY,
    DUBLIN,
    FRANKFURT,
    LAMBDA,
    LOGIN,
    ON_A_REPLICA,
    OREGON,
    current,
    described,
    refusal_of,
)
from test_sandbox_awscli import Cli


def replicated(sm: Any, name: str, *regions: str, **more: Any) -> list[dict[str, Any]]:
    """Replicates, and returns what the answer says of the regions."""
    wanted = [{"Region": region} for region in regions]
    return sm.replicate_secret_to_regions(SecretId=name, AddReplicaRegions=wanted, **more)["ReplicationStatus"]


def statuses(sm: Any, name: str) -> dict[str, str]:
    return {entry["Region"]: entry["Status"] for entry in described(sm, name).get("ReplicationStatus", [])}


IN_PROGRESS = {"KmsKeyId": DEFAULT_KEY, "Status": "InProgress"}
IN_SYNC = {"KmsKeyId": DEFAULT_KEY, "Status": "InSync", "StatusMessage": "Replication succeeded"}


def test_a_secret_is_replicated(sm: Any, frankfurt: Any, login: str) -> None:
    before = described(sm, login)
    assert replicated(sm, login, FRANKFURT, OREGON) == [
        {"Region": FRANKFURT, **IN_PROGRESS},
        {"Region": OREGON, **IN_PROGRESS},
    ]
    primary = described(sm, login)
    assert primary["PrimaryRegion"] == DUBLIN and primary["ARN"] == before["ARN"]
    assert primary["ReplicationStatus"] == [{"Region": FRANKFURT, **IN_SYNC}, {"Region": OREGON, **IN_SYNC}]
    assert primary["LastChangedDate"] > before["LastChangedDate"]

    copy = described(frankfurt, login)
    # The same six characters at its end.
    assert copy["ARN"] == primary["ARN"].replace(f":{DUBLIN}:", f":{FRANKFURT}:")
    assert copy["PrimaryRegion"] == DUBLIN and copy["KmsKeyId"] == DEFAULT_KEY
    assert not {"ReplicationStatus", "Tags", "LastAccessedDate"} & copy.keys()
    assert copy["LastChangedDate"] == primary["LastChangedDate"] and copy["CreatedDate"] > primary["CreatedDate"]
    assert copy["VersionIdsToStages"] == {FIRST: ["AWSCURRENT"]}
    for secret_id in [login, copy["ARN"], copy["ARN"][: -len("-XXXXXX")]]:
        assert frankfurt.get_secret_value(SecretId=secret_id)["SecretString"] == LOGIN

    # Each region knows when it was read.
    here, there = described(sm, login)["ReplicationStatus"]
    assert "LastAccessedDate" in here and "LastAccessedDate" not in there
    assert "LastAccessedDate" not in described(sm, login)

    for region in [sm, frankfurt]:
        [listed] = region.list_secrets(Filters=[{"Key": "primary-region", "Values": [DUBLIN]}])["SecretList"]
        assert listed["PrimaryRegion"] == DUBLIN and "ReplicationStatus" not in listed


def test_a_secret_is_made_with_replicas(sm: Any, frankfurt: Any) -> None:
    made = sm.create_secret(
        Name="new",
        SecretString="x",
        ClientRequestToken=FIRST,
        Description="What it is.",
        Tags=[{"Key": "team", "Value": "payments"}],
        AddReplicaRegions=[{"Region": FRANKFURT, "KmsKeyId": "alias/theirs"}],
    )
    assert made["VersionId"] == FIRST
    assert made["ReplicationStatus"] == [{"Region": FRANKFURT, "KmsKeyId": "alias/theirs", "Status": "InProgress"}]
    copy = described(frankfurt, "new")
    assert (copy["Description"], copy["KmsKeyId"]) == ("What it is.", "alias/theirs")
    # Metadata such as tags are documented to be replicated too.
    assert copy["Tags"] == [{"Key": "team", "Value": "payments"}]
    # Nothing of replication is said where there is none.
    assert "ReplicationStatus" not in sm.create_secret(Name="alone", SecretString="x")


def test_a_replica_follows_its_primary(sm: Any, frankfurt: Any, login: str) -> None:
    replicated(sm, login, FRANKFURT)
    assert current(frankfurt, login) == LOGIN
    sm.put_secret_value(SecretId=login, SecretString="second", ClientRequestToken=SECOND)
    sm.update_secret(SecretId=login, Description="Changed.")
    sm.tag_resource(SecretId=login, Tags=[{"Key": "team", "Value": "payments"}])
    sm.put_resource_policy(SecretId=login, ResourcePolicy=json.dumps(READER))
    copy, primary = described(frankfurt, login), described(sm, login)
    for member in ["Description", "Tags", "VersionIdsToStages", "LastChangedDate"]:
        assert copy[member] == primary[member], member
    got = frankfurt.get_secret_value(SecretId=login)
    assert (got["SecretString"], got["VersionId"]) == ("second", SECOND)
    assert json.loads(frankfurt.get_resource_policy(SecretId=login)["ResourcePolicy"]) == READER

    sm.rotate_secret(SecretId=login, RotationLambdaARN=LAMBDA, ClientRequestToken=THIRD)
    assert current(frankfurt, login) == current(sm, login) not in {LOGIN, "second"}
    assert frankfurt.get_secret_value(SecretId=login)["VersionId"] == THIRD


WRITES_TO_A_REPLICA: dict[str, dict[str, Any]] = {
    "CancelRotateSecret": {},
    "DeleteResourcePolicy": {},
    "DeleteSecret": {},
    "PutResourcePolicy": {"ResourcePolicy": json.dumps(READER)},
    "PutSecretValue": {"SecretString": "x"},
    "RemoveRegionsFromReplication": {"RemoveReplicaRegions": [FRANKFURT]},
    "ReplicateSecretToRegions": {"AddReplicaRegions": [{"Region": OREGON}]},
    "RestoreSecret": {},
    "RotateSecret": {"RotationLambdaARN": LAMBDA},
    "TagResource": {"Tags": [{"Key": "team", "Value": "payments"}]},
    "UntagResource": {"TagKeys": ["team"]},
    "UpdateSecret": {"SecretString": "x"},
    "UpdateSecretVersionStage": {"VersionStage": "BLUE", "MoveToVersionId": FIRST},
}


def test_a_replica_is_not_written_to(sm: Any, frankfurt: Any, login: str) -> None:
    replicated(sm, login, FRANKFURT)
    before = described(sm, login), described(frankfurt, login)
    for operation, parameters in WRITES_TO_A_REPLICA.items():
        refused = refusal_of(getattr(frankfurt, xform_name(operation)), SecretId=login, **parameters)
        assert refused == (PARAMETER, ON_A_REPLICA), operation
    refused = refusal_of(frankfurt.delete_secret, SecretId=login, ForceDeleteWithoutRecovery=True)
    assert refused == (PARAMETER, ON_A_REPLICA)
    assert (described(sm, login), described(frankfurt, login)) == before


def test_a_secret_with_replicas_is_not_deleted(sm: Any, frankfurt: Any, login: str) -> None:
    replicated(sm, login, FRANKFURT, OREGON)
    arn = described(sm, login)["ARN"]
    text = f"You can't delete secret {arn} that still has replica regions [{FRANKFURT}, {OREGON}]."
    for how in [{}, {"RecoveryWindowInDays": 7}, {"ForceDeleteWithoutRecovery": True}]:
        assert refusal_of(sm.delete_secret, SecretId=login, **how) == (PARAMETER, text)
    assert "DeletedDate" not in described(sm, login)

    removed = sm.remove_regions_from_replication(SecretId=login, RemoveReplicaRegions=[FRANKFURT])
    assert (removed["ARN"], [entry["Region"] for entry in removed["ReplicationStatus"]]) == (arn, [OREGON])
    assert refusal_of(frankfurt.describe_secret, SecretId=login) == (NOT_FOUND, NO_SECRET)
    assert frankfurt.list_secrets(IncludePlannedDeletion=True)["SecretList"] == []
    text = f"You can't delete secret {arn} that still has replica regions [{OREGON}]."
    assert refusal_of(sm.delete_secret, SecretId=login) == (PARAMETER, text)
    sm.remove_regions_from_replication(SecretId=login, RemoveReplicaRegions=[OREGON])
    assert statuses(sm, login) == {}
    sm.delete_secret(SecretId=login)
    assert "DeletedDate" in described(sm, login)


def test_a_replica_is_promoted(sm: Any, frankfurt: Any, login: str) -> None:
    replicated(sm, login, FRANKFURT, OREGON)
    arn = described(frankfurt, login)["ARN"]
    assert members(frankfurt.stop_replication_to_replica(SecretId=login)) == {"ARN": arn}
    # It stands on its own: nothing comes from its former primary, and it is written to.
    assert statuses(sm, login) == {OREGON: "InSync"}
    sm.put_secret_value(SecretId=login, SecretString="only in Dublin")
    assert current(frankfurt, login) == LOGIN
    frankfurt.put_secret_value(SecretId=login, SecretString="only in Frankfurt")
    frankfurt.tag_resource(SecretId=login, Tags=[{"Key": "team", "Value": "payments"}])
    assert (current(sm, login), current(frankfurt, login)) == ("only in Dublin", "only in Frankfurt")
    promoted = described(frankfurt, login)
    assert promoted["ARN"] == arn and "ReplicationStatus" not in promoted
    assert promoted.get("PrimaryRegion") in {None, FRANKFURT}
    # And a region that holds a secret of this name is no place for another copy.
    replicated(sm, login, FRANKFURT)
    assert statuses(sm, login)[FRANKFURT] == "Failed"
    frankfurt.delete_secret(SecretId=login, ForceDeleteWithoutRecovery=True)


def test_a_name_that_is_taken_in_the_other_region(sm: Any, frankfurt: Any, login: str) -> None:
    theirs = frankfurt.create_secret(Name=login, SecretString="theirs")["ARN"]
    # The answer does not know it yet.
    assert replicated(sm, login, FRANKFURT) == [{"Region": FRANKFURT, **IN_PROGRESS}]
    [entry] = described(sm, login)["ReplicationStatus"]
    text = f"Replication failed: Secret name {login} already exists in region {FRANKFURT}."
    assert (entry["Status"], entry["StatusMessage"]) == ("Failed", text)
    assert current(frankfurt, login) == "theirs"
    # What failed is tried again by asking again, and fails again.
    replicated(sm, login, FRANKFURT)
    assert statuses(sm, login) == {FRANKFURT: "Failed"}
    # Nor does an end of the replication touch the secret that was in the way.
    sm.remove_regions_from_replication(SecretId=login, RemoveReplicaRegions=[FRANKFURT])
    assert (described(frankfurt, login)["ARN"], current(frankfurt, login)) == (theirs, "theirs")

    replicated(sm, login, FRANKFURT, ForceOverwriteReplicaSecret=True)
    assert statuses(sm, login) == {FRANKFURT: "InSync"}
    assert current(frankfurt, login) == LOGIN
    copy = described(frankfurt, login)["ARN"]
    assert copy != theirs and copy[-6:] == described(sm, login)["ARN"][-6:]


def test_a_secret_that_is_made_with_a_replica_whose_name_is_taken(sm: Any, frankfurt: Any) -> None:
    frankfurt.create_secret(Name="new", SecretString="theirs")
    asked = {"Name": "new", "SecretString": "ours", "AddReplicaRegions": [{"Region": FRANKFURT}]}
    sm.create_secret(**asked)
    assert statuses(sm, "new") == {FRANKFURT: "Failed"} and current(frankfurt, "new") == "theirs"
    sm.remove_regions_from_replication(SecretId="new", RemoveReplicaRegions=[FRANKFURT])
    sm.delete_secret(SecretId="new", ForceDeleteWithoutRecovery=True)
    sm.create_secret(**asked, ForceOverwriteReplicaSecret=True)
    assert statuses(sm, "new") == {FRANKFURT: "InSync"} and current(frankfurt, "new") == "ours"


def test_a_replication_takes_its_time(sandbox: Endpoint, sm: Any, frankfurt: Any, login: str) -> None:
    control(sandbox, "POST", "faults", {"profile": {"replicationDelay": "PT5M"}})
    replicated(sm, login, FRANKFURT)
    assert statuses(sm, login) == {FRANKFURT: "InProgress"}
    assert refusal_of(frankfurt.describe_secret, SecretId=login)[0] == NOT_FOUND
    # What changes meanwhile arrives with the copy.
    sm.put_secret_value(SecretId=login, SecretString="second", ClientRequestToken=SECOND)
    advance(sandbox, minutes=4)
    assert statuses(sm, login) == {FRANKFURT: "InProgress"}
    advance(sandbox, minutes=2)
    assert current(frankfurt, login) == "second"
    assert statuses(sm, login) == {FRANKFURT: "InSync"}


def test_the_cli_replicates(sandbox: Endpoint, tmp_path: Path) -> None:
    cli = Cli(sandbox, tmp_path)
    of_it, there = ("--secret-id", "cli/replica"), ("--region", FRANKFURT)
    made = cli.sm(
        *("create-secret", "--name", "cli/replica", "--secret-string", "x"),
        *("--add-replica-regions", f"Region={FRANKFURT}"),
    )
    assert made["ReplicationStatus"] == [{"Region": FRANKFURT, **IN_PROGRESS}]
    added = cli.sm("replicate-secret-to-regions", *of_it, "--add-replica-regions", f"Region={OREGON}")
    assert {entry["Region"]: entry["Status"] for entry in added["ReplicationStatus"]} == {
        FRANKFURT: "InSync",
        OREGON: "InProgress",
    }
    assert cli.sm("get-secret-value", *of_it, *there)["SecretString"] == "x"
    promoted = cli.sm("stop-replication-to-replica", *of_it, *there)
    assert promoted == {"ARN": made["ARN"].replace(f":{REGION}:", f":{FRANKFURT}:")}
    left = cli.sm("remove-regions-from-replication", *of_it, "--remove-replica-regions", OREGON)
    assert left == {"ARN": made["ARN"], "ReplicationStatus": []}
