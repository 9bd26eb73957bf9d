"""Replicas in other accounts of keywright's sandbox, and policies with names, as boto3 sees them: version 1 of the AWS
CLI brings a model along that has none of it.

No text of the real service is known for any of it, and of the codes only those that the API model names; the user guide
and the model say what is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from command import Keywright
from control import advance, calls, control, forget_calls
from furnished import (
    ACCOUNT,
    FIRST,
    NO_SECRET,
    NOT_FOUND,
    OTHER_ACCOUNT,
    PARAMETER,
    READER,
    REQUEST,
    SECOND,
    THIRD,
    VALIDATION,
    client,
    members,
)
from lifecycle import FRANKFURT, current, described, labels, refusal_of
from servers import served_sandbox

KEY = f"arn:aws:kms:{REGION}:{OTHER_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/replication"
LIMIT = "LimitExceededException"
MANAGED = "cross-account-replication"


@dataclass
class Pair:
    """A primary with a value, and its replica in another account, which is not associated yet."""

    endpoint: Endpoint
    here: Any
    there: Any
    primary: str
    replica: str

    def associate(self, **more: Any) -> dict[str, Any]:
        answer = self.here.associate_cross_account_replica(
            SecretId="primary", CrossAccountReplicaARN=self.replica, **more
        )
        return members(answer)

    def disassociate(self) -> dict[str, Any]:
        return members(
            self.here.disassociate_cross_account_replica(SecretId="primary", CrossAccountReplicaARN=self.replica)
        )

    def put(self, value: str, **more: Any) -> None:
        self.here.put_secret_value(SecretId="primary", SecretString=value, **more)

    def statuses(self) -> tuple[str | None, str | None]:
        """What the primary shows, then what the replica does."""
        entries = described(self.here, "primary").get("CrossAccountReplicas", [{}])
        primary = described(self.there, "replica").get("CrossAccountPrimary", {})
        return entries[0].get("ReplicationStatus"), primary.get("ReplicationStatus")

    def faults(self, **faults: Any) -> None:
        control(self.endpoint, "POST", "faults", faults)


def paired(endpoint: Endpoint) -> Pair:
    here, there = client(endpoint), client(endpoint, OTHER_ACCOUNT)
    primary = here.create_secret(Name="primary", SecretString="first", ClientRequestToken=FIRST)["ARN"]
    replica = there.create_secret(Name="replica", KmsKeyId=KEY, CrossAccountPrimaryARN=primary)["ARN"]
    return Pair(endpoint, here, there, primary, replica)


@pytest.fixture
def pair(sandbox: Endpoint) -> Pair:
    return paired(sandbox)


def test_from_two_accounts_to_a_replicated_value(pair: Pair) -> None:
    assert described(pair.there, "replica")["CrossAccountPrimary"] == {
        "PrimarySecretARN": pair.primary,
        "ReplicationStatus": "Pending",
    }
    assert "CrossAccountReplicas" not in described(pair.here, "primary")
    assert refusal_of(pair.there.get_secret_value, SecretId="replica")[0] == NOT_FOUND

    assert pair.associate(ReplicationRoleARN=ROLE) == {
        "ARN": pair.primary,
        "CrossAccountReplicaARN": pair.replica,
        "ReplicationStatus": "InProgress",
    }
    assert described(pair.here, "primary")["CrossAccountReplicas"] == [
        {"ReplicaSecretARN": pair.replica, "ReplicationRoleARN": ROLE, "ReplicationStatus": "InSync"}
    ]
    assert pair.statuses() == ("InSync", "InSync")
    assert current(pair.there, "replica") == "first"
    # Lists show nothing of it.
    for sm in (pair.here, pair.there):
        [entry] = sm.list_secrets()["SecretList"]
        assert not {"CrossAccountPrimary", "CrossAccountReplicas", "PrimaryRegion"} & entry.keys()


def test_every_change_of_the_values_follows(pair: Pair) -> None:
    pair.associate()
    pair.put("second", ClientRequestToken=SECOND)
    assert current(pair.there, "replica") == "second"
    pair.here.update_secret_version_stage(
        SecretId="primary", VersionStage="AWSCURRENT", RemoveFromVersionId=SECOND, MoveToVersionId=FIRST
    )
    assert current(pair.there, "replica") == "first"
    pair.here.put_secret_value(
        SecretId="primary", SecretBinary=b"\xff", ClientRequestToken=THIRD, VersionStages=["GREEN"]
    )
    assert labels(pair.there, "replica") == labels(pair.here, "primary")
    assert pair.there.get_secret_value(SecretId="replica", VersionStage="GREEN")["SecretBinary"] == b"\xff"
    before = described(pair.there, "replica")
    pair.here.tag_resource(SecretId="primary", Tags=[{"Key": "k", "Value": "v"}])
    pair.here.update_secret(SecretId="primary", Description="only here")
    assert described(pair.there, "replica") == before


def test_a_replication_takes_its_time(pair: Pair) -> None:
    pair.faults(profile={"replicationDelay": 3600})
    pair.associate()
    assert pair.statuses() == ("InProgress", "InProgress")
    advance(pair.endpoint, hours=1)
    assert pair.statuses() == ("InSync", "InSync")


def test_a_failed_replication_is_repaired_by_associating_again(pair: Pair) -> None:
    message = "Access to KMS is not allowed"
    pair.faults(replications=[{"of": {"secret": "primary"}, "outcome": {"fail": message}}])
    pair.associate()
    assert pair.statuses() == ("Failed", "Failed")
    assert described(pair.here, "primary")["CrossAccountReplicas"][0]["StatusMessage"] == message
    assert described(pair.there, "replica")["CrossAccountPrimary"]["StatusMessage"] == message
    control(pair.endpoint, "DELETE", "faults")
    assert pair.statuses() == ("Failed", "Failed")
    assert pair.associate()["ReplicationStatus"] == "InProgress"
    assert pair.statuses() == ("InSync", "InSync")
    assert pair.associate()["ReplicationStatus"] == "InSync"


def test_the_primary_s_owner_detaches_and_the_replica_s_owner_promotes(pair: Pair) -> None:
    pair.associate()
    assert pair.disassociate() == {"ARN": pair.primary, "CrossAccountReplicaARN": pair.replica}
    assert pair.statuses() == (None, "Detached")
    pair.put("second")
    assert current(pair.there, "replica") == "first"
    # Detached or not, it is a replica until its owner says otherwise.
    assert refusal_of(pair.there.put_secret_value, SecretId="replica", SecretString="own")[0] == REQUEST
    assert members(pair.there.stop_replication_to_replica(SecretId="replica")) == {"ARN": pair.replica}
    assert pair.statuses() == (None, None)
    pair.there.put_secret_value(SecretId="replica", SecretString="own")
    assert current(pair.there, "replica") == "own"
    pair.there.delete_secret(SecretId="replica")
    pair.here.delete_secret(SecretId="primary")


def test_the_replica_s_owner_promotes_first(pair: Pair) -> None:
    pair.associate()
    pair.there.stop_replication_to_replica(SecretId=pair.replica)
    assert pair.statuses() == ("Detached", None)
    assert pair.there.list_resource_policies(SecretId="replica")["ResourcePolicies"] == []
    assert refusal_of(pair.here.delete_secret, SecretId="primary")[0] == REQUEST
    pair.disassociate()
    assert pair.statuses() == (None, None)
    pair.here.delete_secret(SecretId="primary")


def test_the_rest_of_a_replica_is_its_owner_s(pair: Pair) -> None:
    pair.there.tag_resource(SecretId="replica", Tags=[{"Key": "k", "Value": "v"}])
    pair.there.untag_resource(SecretId="replica", TagKeys=["k"])
    pair.there.update_secret(SecretId="replica", KmsKeyId="alias/mine")
    assert described(pair.there, "replica")["KmsKeyId"] == "alias/mine"
    pair.there.put_resource_policy(SecretId="replica", ResourcePolicy=json.dumps(READER))
    policies = pair.there.list_resource_policies(SecretId="replica")["ResourcePolicies"]
    assert [policy["PolicyName"] for policy in policies] == ["default", MANAGED]
    pages = pair.there.get_paginator("list_resource_policies").paginate(
        SecretId="replica", PaginationConfig={"PageSize": 1}
    )
    assert [page["ResourcePolicies"] for page in pages] == [[{"PolicyName": "default"}], [{"PolicyName": MANAGED}]]


def test_policies_have_names(pair: Pair) -> None:
    answer = members(pair.there.get_resource_policy(SecretId="replica"))
    assert answer == {"ARN": pair.replica, "Name": "replica", "PolicyName": "default"}
    answer = pair.there.get_resource_policy(SecretId="replica", PolicyName=MANAGED)
    [statement] = json.loads(answer["ResourcePolicy"])["Statement"]
    assert (answer["PolicyName"], statement["Action"]) == (MANAGED, "secretsmanager:AcceptCrossAccountReplication")
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    put = pair.here.put_resource_policy(
        SecretId="primary", ResourcePolicy=json.dumps(READER), PolicyName="default"
    )
    assert put["PolicyName"] == "default"
    # This deleted the policy while the sandbox ignored names.
    assert refusal_of(pair.here.delete_resource_policy, SecretId="primary", PolicyName="other")[0] == PARAMETER
    assert "ResourcePolicy" in pair.here.get_resource_policy(SecretId="primary", PolicyName="default")
    assert pair.here.delete_resource_policy(SecretId="primary", PolicyName="default")["PolicyName"] == "default"
    assert "ResourcePolicy" not in pair.here.get_resource_policy(SecretId="primary")


def test_a_version_without_a_value_is_described_and_not_listed(sm: Any, sandbox: Endpoint) -> None:
    control(sandbox, "POST", "faults", {"rotations": [{"of": "any", "outcome": {"failAt": "create"}}]})
    sm.create_secret(Name="r", SecretString="first", ClientRequestToken=FIRST)
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
    sm.rotate_secret(SecretId="r", RotationLambdaARN=function, ClientRequestToken=SECOND)
    assert described(sm, "r")["VersionIdsToStages"] == {FIRST: ["AWSCURRENT"], SECOND: ["AWSPENDING"]}
    for deprecated in (False, True):
        listed = sm.list_secret_version_ids(SecretId="r", IncludeDeprecated=deprecated)["Versions"]
        assert [version["VersionId"] for version in listed] == [FIRST]


def test_the_log_of_calls_has_both_accounts(pair: Pair) -> None:
    forget_calls(pair.endpoint)
    pair.associate()
    pair.there.list_resource_policies(SecretId="replica")
    pair.disassociate()
    assert [(call["operation"], call["account"], call["secret"]) for call in calls(pair.endpoint)] == [
        ("AssociateCrossAccountReplica", ACCOUNT, "primary"),
        ("ListResourcePolicies", OTHER_ACCOUNT, "replica"),
        ("DisassociateCrossAccountReplica", ACCOUNT, "primary"),
    ]


def test_an_account_outside_of_the_organization(pair: Pair) -> None:
    pair.faults(profile={"outsideOrganization": [OTHER_ACCOUNT]})
    for restriction in ({}, {"ReplicaRestriction": "SameOrg"}):
        code, _ = refusal_of(
            pair.here.associate_cross_account_replica,
            SecretId="primary",
            CrossAccountReplicaARN=pair.replica,
            **restriction,
        )
        assert code == REQUEST
    pair.associate(ReplicaRestriction="NoRestriction")
    assert pair.statuses() == ("InSync", "InSync")


# What is refused: the account, the operation, its parameters and the code. `{primary}`, `{replica}`, `{other}` (another
# replica of the primary), `{plain}` (a secret of the other account that is none) and `{missing}` stand for ARNs. The
# primary and `{replica}` are associated.
MADE = {"Name": "new", "KmsKeyId": KEY, "CrossAccountPrimaryARN": "{primary}"}
LINK = {"SecretId": "primary", "CrossAccountReplicaARN": "{replica}"}
OTHER_LINK = {"SecretId": "primary", "CrossAccountReplicaARN": "{other}"}
NO_KEY = {name: value for name, value in MADE.items() if name != "KmsKeyId"}
THERE, HERE = OTHER_ACCOUNT, ACCOUNT
REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "create: without a key": (THERE, "CreateSecret", NO_KEY, PARAMETER),
    "create: with the key of AWS": (THERE, "CreateSecret", MADE | {"KmsKeyId": "alias/aws/secretsmanager"}, PARAMETER),
    "create: with a value": (THERE, "CreateSecret", MADE | {"SecretString": "x"}, PARAMETER),
    "create: with a binary value": (THERE, "CreateSecret", MADE | {"SecretBinary": b"AA=="}, PARAMETER),
    "create: with a description": (THERE, "CreateSecret", MADE | {"Description": "x"}, PARAMETER),
    "create: with a type": (THERE, "CreateSecret", MADE | {"Type": "x"}, PARAMETER),
    "create: with replicas": (THERE, "CreateSecret", MADE | {"AddReplicaRegions": [{"Region": FRANKFURT}]}, PARAMETER),
    "create: a primary of the same account": (HERE, "CreateSecret", MADE, PARAMETER),
    "create: a primary of another region": (
        THERE,
        "CreateSecret",
        MADE | {"CrossAccountPrimaryARN": f"arn:aws:secretsmanager:{FRANKFURT}:{ACCOUNT}:secret:a-AbCdEf"},
        PARAMETER,
    ),
    "create: a primary of another partition": (
        THERE,
        "CreateSecret",
        MADE | {"CrossAccountPrimaryARN": f"arn:aws-cn:secretsmanager:{REGION}:{ACCOUNT}:secret:a-AbCdEf"},
        PARAMETER,
    ),
    "create: a primary that is no ARN": (
        THERE,
        "CreateSecret",
        MADE | {"CrossAccountPrimaryARN": "the name of the primary"},
        PARAMETER,
    ),
    "associate: an unknown primary": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"SecretId": "nobody"},
        NOT_FOUND,
    ),
    "associate: an unknown replica": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"CrossAccountReplicaARN": "{missing}"},
        NOT_FOUND,
    ),
    "associate: a secret that is no replica": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"CrossAccountReplicaARN": "{plain}"},
        REQUEST,
    ),
    "associate: from the replica's account": (
        THERE,
        "AssociateCrossAccountReplica",
        LINK | {"SecretId": "{primary}"},
        REQUEST,
    ),
    "associate: a second replica": (HERE, "AssociateCrossAccountReplica", OTHER_LINK, LIMIT),
    "associate: a replica of the same account": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"CrossAccountReplicaARN": "{primary}"},
        PARAMETER,
    ),
    "associate: a role of another account": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"ReplicationRoleARN": f"arn:aws:iam::{OTHER_ACCOUNT}:role/x"},
        PARAMETER,
    ),
    "associate: an unknown restriction": (
        HERE,
        "AssociateCrossAccountReplica",
        LINK | {"ReplicaRestriction": "SomeOrg"},
        VALIDATION,
    ),
    "disassociate: another replica": (HERE, "DisassociateCrossAccountReplica", OTHER_LINK, REQUEST),
    "disassociate: from the replica's account": (
        THERE,
        "DisassociateCrossAccountReplica",
        LINK | {"SecretId": "{primary}"},
        REQUEST,
    ),
    "delete: a primary": (HERE, "DeleteSecret", {"SecretId": "primary"}, REQUEST),
    "delete: a primary, without recovery": (
        HERE,
        "DeleteSecret",
        {"SecretId": "primary", "ForceDeleteWithoutRecovery": True},
        REQUEST,
    ),
    "delete: a replica": (THERE, "DeleteSecret", {"SecretId": "replica"}, REQUEST),
    "stop: a primary": (HERE, "StopReplicationToReplica", {"SecretId": "primary"}, REQUEST),
    "stop: from the primary's account": (HERE, "StopReplicationToReplica", {"SecretId": "{replica}"}, REQUEST),
    "values of a replica: put": (
        THERE,
        "PutSecretValue",
        {"SecretId": "replica", "SecretString": "x", "ClientRequestToken": THIRD},
        REQUEST,
    ),
    "values of a replica: update": (
        THERE,
        "UpdateSecret",
        {"SecretId": "replica", "SecretString": "x", "ClientRequestToken": THIRD},
        REQUEST,
    ),
    "values of a replica: labels": (
        THERE,
        "UpdateSecretVersionStage",
        {"SecretId": "replica", "VersionStage": "X", "MoveToVersionId": FIRST},
        REQUEST,
    ),
    "values of a replica: rotation": (
        THERE,
        "RotateSecret",
        {"SecretId": "replica", "ClientRequestToken": THIRD},
        REQUEST,
    ),
    "a replica: the key of AWS": (
        THERE,
        "UpdateSecret",
        {"SecretId": "replica", "KmsKeyId": "alias/aws/secretsmanager", "ClientRequestToken": THIRD},
        PARAMETER,
    ),
    "policy: put another than default": (
        HERE,
        "PutResourcePolicy",
        {"SecretId": "primary", "PolicyName": "other", "ResourcePolicy": json.dumps(READER)},
        PARAMETER,
    ),
    "policy: put the managed one": (
        THERE,
        "PutResourcePolicy",
        {"SecretId": "replica", "PolicyName": MANAGED, "ResourcePolicy": json.dumps(READER)},
        PARAMETER,
    ),
    "policy: delete the managed one": (
        THERE,
        "DeleteResourcePolicy",
        {"SecretId": "replica", "PolicyName": MANAGED},
        PARAMETER,
    ),
    "policy: get one that is not there": (
        HERE,
        "GetResourcePolicy",
        {"SecretId": "primary", "PolicyName": MANAGED},
        NOT_FOUND,
    ),
    "policy: a name of other characters": (
        HERE,
        "GetResourcePolicy",
        {"SecretId": "primary", "PolicyName": "not a name"},
        VALIDATION,
    ),
    "policies: an unknown secret": (HERE, "ListResourcePolicies", {"SecretId": "nobody"}, NOT_FOUND),
    "policies: a token that nobody gave": (
        HERE,
        "ListResourcePolicies",
        {"SecretId": "primary", "NextToken": "made up"},
        "InvalidNextTokenException",
    ),
    "policies: more to a page than there may be": (
        HERE,
        "ListResourcePolicies",
        {"SecretId": "primary", "MaxResults": 101},
        VALIDATION,
    ),
}


@dataclass
class Associated:
    pair: Pair
    arns: dict[str, str]

    def parameters(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the ARNs that they stand for."""

        def put_in(value: Any) -> Any:
            if isinstance(value, str) and re.fullmatch(r"{\w+}", value):
                return self.arns[value[1:-1]]
            return value

        return {name: put_in(value) for name, value in parameters.items()}

    def everything(self) -> Any:
        return [
            [described(sm, entry["Name"]) for entry in sm.list_secrets()["SecretList"]]
            for sm in (self.pair.here, self.pair.there)
        ]


@pytest.fixture(scope="module")
def associated(keywright_once: Keywright) -> Iterator[Associated]:
    with served_sandbox(keywright_once) as endpoint:
        pair = paired(endpoint)
        pair.associate()
        other = pair.there.create_secret(Name="other", KmsKeyId=KEY, CrossAccountPrimaryARN=pair.primary)["ARN"]
        plain = pair.there.create_secret(Name="plain")["ARN"]
        arns = {
            "primary": pair.primary,
            "replica": pair.replica,
            "other": other,
            "plain": plain,
            "missing": plain.replace(":secret:plain-", ":secret:missing-"),
        }
        yield Associated(pair, arns)


@pytest.mark.parametrize("account, operation, parameters, code", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(
    associated: Associated, account: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    before = associated.everything()
    sm = client(associated.pair.endpoint, account)
    given = associated.parameters(parameters)
    with pytest.raises(ClientError) as caught:
        sm._make_api_call(operation, given)
    answer = caught.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, 400), answer
    assert isinstance(caught.value, getattr(sm.exceptions, code, ClientError))
    # What the operation's own errors do not list no client could expect of it.
    listed = {error.name for error in sm.meta.service_model.operation_model(operation).error_shapes}
    assert code in listed | {VALIDATION}
    assert associated.everything() == before
    assert (answer["Error"]["Message"] == NO_SECRET) == (given.get("SecretId") == "nobody")
