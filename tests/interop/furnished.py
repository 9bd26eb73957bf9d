"""A sandbox with something in it, and every way to be refused by it that the real service documents or was seen using.

The table is run twice, by boto3 and by the AWS CLI; what only repeats itself for each operation, by boto3 alone. Where
the text of an error is known from the real service it stands here to the letter; where it is not, only its code does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from aws import REGION, Endpoint

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"

# Request tokens, which become version ids. 32 to 64 characters.
FIRST, SECOND, THIRD, UNKNOWN = (f"{number}-aaaa-bbbb-cccc-dddddddddddddddd" + "0" * 6 for number in range(1, 5))

# The secrets of the furnished sandbox.
LIVE, EMPTY, LEAVING, MISSING = "interop/live", "interop/empty", "interop/leaving", "interop/missing"
# A name whose end looks like the end of an ARN.
TRAP = "interop/trap-a1b2c3"

READER = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Reader",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/reader"},
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "*",
        }
    ],
}
EVERYONE = json.dumps(READER | {"Statement": [READER["Statement"][0] | {"Principal": "*"}]})
NOBODY_KNOWN = json.dumps(READER | {"Statement": [READER["Statement"][0] | {"Principal": {"AWS": "somebody"}}]})


def client(endpoint: Endpoint, account: str = ACCOUNT, region: str = REGION) -> Any:
    """A client of the sandbox: an access key id of twelve digits is the account."""
    return endpoint.client("secretsmanager", account, region=region)


def furnish(endpoint: Endpoint) -> dict[str, str]:
    """Puts the secrets there; returns their ARNs by name."""
    sm = client(endpoint)
    arns = {
        LIVE: sm.create_secret(Name=LIVE, SecretString="first", ClientRequestToken=FIRST)["ARN"],
        EMPTY: sm.create_secret(Name=EMPTY)["ARN"],
        LEAVING: sm.create_secret(Name=LEAVING, SecretString="leaving")["ARN"],
        TRAP: sm.create_secret(Name=TRAP, SecretString="trap")["ARN"],
    }
    sm.put_secret_value(SecretId=LIVE, SecretString="second", ClientRequestToken=SECOND)
    sm.delete_secret(SecretId=LEAVING)
    return arns


def members(answer: dict[str, Any]) -> dict[str, Any]:
    """What the service has said, without what boto3 says about the answer."""
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def labels(sm: Any, name: str) -> dict[str, set[str]]:
    """Version ids with their labels, as DescribeSecret and ListSecrets agree on them."""
    described = sm.describe_secret(SecretId=name).get("VersionIdsToStages", {})
    [listed] = [entry for entry in sm.list_secrets()["SecretList"] if entry["Name"] == name]
    assert listed.get("SecretVersionsToStages", {}) == described
    return {version: set(stages) for version, stages in described.items()}


@dataclass(frozen=True)
class Refusal:
    """One request, and the error that it is answered with. `{ARN}` in a text is the ARN of the live secret."""

    operation: str
    parameters: dict[str, Any]
    code: str
    message: str | re.Pattern[str] | None = None

    def says(self, message: str, arns: dict[str, str]) -> bool:
        if isinstance(self.message, re.Pattern):
            return self.message.fullmatch(message) is not None
        return self.message is None or message == self.message.replace("{ARN}", arns[LIVE])


EXISTS = "ResourceExistsException"
NOT_FOUND = "ResourceNotFoundException"
PARAMETER = "InvalidParameterException"
REQUEST = "InvalidRequestException"
VALIDATION = "ValidationException"
MALFORMED = "MalformedPolicyDocumentException"

TOKEN_TAKEN = (
    f"You can't use ClientRequestToken {FIRST} because that value is already in use for a version of secret {{ARN}}."
)
SCHEDULED = "You can't perform this operation on the secret because it was marked for deletion."
NO_SECRET = "Secrets Manager can't find the specified secret."
NO_VALUE = "Secrets Manager can't find the specified secret value for "
ILLEGAL_NAME = (
    "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
)
BOTH_FORMS = "You can't specify both a binary secret value and a string secret value in the same secret."
WINDOW = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
TOO_LONG = (
    "1 validation error detected: Value at '{member}' failed to satisfy constraint: "
    "Member must have length less than or equal to 65536"
)

POLICY = json.dumps(READER)
DIGITS = "0123456789"
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
TAGS = [{"Key": "team", "Value": "payments"}]

# What each operation that takes a SecretId needs beside it.
REPLICA = f"arn:aws:secretsmanager:{REGION}:{OTHER_ACCOUNT}:secret:replica-AbCdEf"
WITH_SECRET_ID: dict[str, dict[str, Any]] = {
    "AssociateCrossAccountReplica": {"CrossAccountReplicaARN": REPLICA},
    "CancelRotateSecret": {},
    "DeleteResourcePolicy": {},
    "DeleteSecret": {},
    "DescribeSecret": {},
    "DisassociateCrossAccountReplica": {"CrossAccountReplicaARN": REPLICA},
    "GetResourcePolicy": {},
    "GetSecretValue": {},
    "ListResourcePolicies": {},
    "ListSecretVersionIds": {},
    "PutResourcePolicy": {"ResourcePolicy": POLICY},
    "PutSecretValue": {"SecretString": "x"},
    "RemoveRegionsFromReplication": {"RemoveReplicaRegions": ["eu-central-1"]},
    "ReplicateSecretToRegions": {"AddReplicaRegions": [{"Region": "eu-central-1"}]},
    "RestoreSecret": {},
    "RotateSecret": {},
    "StopReplicationToReplica": {},
    "TagResource": {"Tags": TAGS},
    "UntagResource": {"TagKeys": ["team"]},
    "UpdateSecret": {"Description": "x"},
    "UpdateSecretVersionStage": {"VersionStage": "BLUE", "MoveToVersionId": FIRST},
    "ValidateResourcePolicy": {"ResourcePolicy": POLICY},
}

REFUSALS: dict[str, Refusal] = {
    # CreateSecret
    "create: the name is taken": Refusal(
        "CreateSecret",
        {"Name": LIVE, "SecretString": "x"},
        EXISTS,
        f"The operation failed because the secret {LIVE} already exists.",
    ),
    "create: the name is taken, without a value": Refusal(
        "CreateSecret", {"Name": EMPTY}, EXISTS, f"The operation failed because the secret {EMPTY} already exists."
    ),
    "create: the token belongs to another value": Refusal(
        "CreateSecret", {"Name": LIVE, "SecretString": "x", "ClientRequestToken": FIRST}, EXISTS, TOKEN_TAKEN
    ),
    "create: the name is scheduled for deletion": Refusal(
        "CreateSecret",
        {"Name": LEAVING, "SecretString": "x"},
        REQUEST,
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    ),
    "create: a character that names do not have": Refusal(
        "CreateSecret", {"Name": "interop/with space"}, VALIDATION, ILLEGAL_NAME
    ),
    "create: a value in both forms": Refusal(
        "CreateSecret", {"Name": MISSING, "SecretString": "x", "SecretBinary": b"x"}, PARAMETER, BOTH_FORMS
    ),
    "create: a key that is none": Refusal(
        "CreateSecret",
        {"Name": MISSING, "KmsKeyId": "no such form of a key"},
        PARAMETER,
        re.compile("The operation failed because of an invalid KMS key: .+"),
    ),
    "create: a tag of AWS's own": Refusal(
        "CreateSecret",
        {"Name": MISSING, "Tags": [{"Key": "aws:mine", "Value": "x"}]},
        PARAMETER,
        "You can't modify system tags. Tag key: 'aws:mine'.",
    ),
    "create: a text too long, which is not repeated": Refusal(
        "CreateSecret",
        {"Name": MISSING, "SecretString": "s" * 65_537},
        VALIDATION,
        TOO_LONG.format(member="secretString"),
    ),
    "create: a binary value too long": Refusal(
        "CreateSecret",
        {"Name": MISSING, "SecretBinary": b"b" * 65_537},
        VALIDATION,
        TOO_LONG.format(member="secretBinary"),
    ),
    "create: a name too long": Refusal("CreateSecret", {"Name": "n" * 513}, VALIDATION),
    "create: a description too long": Refusal("CreateSecret", {"Name": MISSING, "Description": "d" * 2049}, VALIDATION),
    # GetSecretValue
    "get: a label that no version has": Refusal(
        "GetSecretValue", {"SecretId": LIVE, "VersionStage": "NOBODYS"}, NOT_FOUND, NO_VALUE + "staging label: NOBODYS"
    ),
    "get: no value at all": Refusal(
        "GetSecretValue", {"SecretId": EMPTY}, NOT_FOUND, NO_VALUE + "staging label: AWSCURRENT"
    ),
    "get: an unknown version": Refusal(
        "GetSecretValue", {"SecretId": LIVE, "VersionId": UNKNOWN}, NOT_FOUND, NO_VALUE + f"VersionId: {UNKNOWN}"
    ),
    "get: version and label disagree": Refusal(
        "GetSecretValue",
        {"SecretId": LIVE, "VersionId": FIRST, "VersionStage": "AWSCURRENT"},
        REQUEST,
        "You provided a VersionStage that is not associated to the provided VersionId.",
    ),
    "get: the ARN without its suffix, of a name that seems to end in one": Refusal(
        "GetSecretValue",
        {"SecretId": f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:{TRAP}"},
        NOT_FOUND,
        NO_SECRET,
    ),
    "get: an ARN of another region": Refusal(
        "GetSecretValue",
        {"SecretId": f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:{LIVE}"},
        NOT_FOUND,
    ),
    # PutSecretValue and UpdateSecret
    "put: the token belongs to another value": Refusal(
        "PutSecretValue", {"SecretId": LIVE, "SecretString": "x", "ClientRequestToken": FIRST}, EXISTS, TOKEN_TAKEN
    ),
    "put: a value in both forms": Refusal(
        "PutSecretValue", {"SecretId": LIVE, "SecretString": "x", "SecretBinary": b"x"}, PARAMETER, BOTH_FORMS
    ),
    "put: a text too long": Refusal(
        "PutSecretValue",
        {"SecretId": LIVE, "SecretString": "s" * 65_537},
        VALIDATION,
        TOO_LONG.format(member="secretString"),
    ),
    "update: the token belongs to another value": Refusal(
        "UpdateSecret", {"SecretId": LIVE, "SecretString": "x", "ClientRequestToken": FIRST}, EXISTS, TOKEN_TAKEN
    ),
    "update: a value in both forms": Refusal(
        "UpdateSecret", {"SecretId": LIVE, "SecretString": "x", "SecretBinary": b"x"}, PARAMETER, BOTH_FORMS
    ),
    "update: a key that is none": Refusal(
        "UpdateSecret",
        {"SecretId": LIVE, "KmsKeyId": "no such form of a key"},
        PARAMETER,
        re.compile("The operation failed because of an invalid KMS key: .+"),
    ),
    # UpdateSecretVersionStage
    "stage: AWSCURRENT without saying whence": Refusal(
        "UpdateSecretVersionStage",
        {"SecretId": LIVE, "VersionStage": "AWSCURRENT", "MoveToVersionId": FIRST},
        PARAMETER,
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "
        f"{SECOND}, so you must explicitly reference that version in RemoveFromVersionId.",
    ),
    "stage: AWSCURRENT to nowhere": Refusal(
        "UpdateSecretVersionStage",
        {"SecretId": LIVE, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": SECOND},
        PARAMETER,
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
    ),
    # Rotation
    "rotate: without a function": Refusal(
        "RotateSecret",
        {"SecretId": LIVE},
        REQUEST,
        "No Lambda rotation function ARN is associated with this secret.",
    ),
    "rotate: both kinds of rules": Refusal(
        "RotateSecret",
        {
            "SecretId": LIVE,
            "RotationLambdaARN": LAMBDA,
            "RotationRules": {"AutomaticallyAfterDays": 30, "ScheduleExpression": "rate(30 days)"},
        },
        PARAMETER,
        "You cannot specify both rotation frequency and schedule expression together.",
    ),
    "rotate: a schedule that is none": Refusal(
        "RotateSecret",
        {"SecretId": LIVE, "RotationLambdaARN": LAMBDA, "RotationRules": {"ScheduleExpression": "now and then"}},
        PARAMETER,
    ),
    # Replication
    "replicate: to where it is": Refusal(
        "ReplicateSecretToRegions",
        {"SecretId": LIVE, "AddReplicaRegions": [{"Region": REGION}]},
        PARAMETER,
        "Invalid replica region.",
    ),
    "replicate: a region that cannot be one": Refusal(
        "ReplicateSecretToRegions", {"SecretId": LIVE, "AddReplicaRegions": [{"Region": "Nowhere"}]}, VALIDATION
    ),
    # BatchGetSecretValue
    "batch: neither names nor filters": Refusal("BatchGetSecretValue", {}, PARAMETER),
    "batch: both names and filters": Refusal(
        "BatchGetSecretValue",
        {"SecretIdList": [LIVE], "Filters": [{"Key": "name", "Values": ["interop/"]}]},
        PARAMETER,
    ),
    "batch: a page size without filters": Refusal(
        "BatchGetSecretValue", {"SecretIdList": [LIVE], "MaxResults": 2}, PARAMETER
    ),
    "batch: more names than there may be": Refusal(
        "BatchGetSecretValue", {"SecretIdList": [f"name-{number}" for number in range(21)]}, VALIDATION
    ),
    # GetRandomPassword
    "password: shorter than its classes": Refusal(
        "GetRandomPassword",
        {"PasswordLength": 3},
        PARAMETER,
        "Password length is too short based on the required types.",
    ),
    "password: a class without a character left": Refusal(
        "GetRandomPassword", {"ExcludeCharacters": DIGITS}, PARAMETER
    ),
    "password: no character left": Refusal(
        "GetRandomPassword",
        {
            "ExcludeLowercase": True,
            "ExcludeUppercase": True,
            "ExcludePunctuation": True,
            "ExcludeCharacters": DIGITS,
            "RequireEachIncludedType": False,
        },
        PARAMETER,
    ),
    "password: too long": Refusal("GetRandomPassword", {"PasswordLength": 4097}, VALIDATION),
    # DeleteSecret
    "delete: a window too short": Refusal(
        "DeleteSecret", {"SecretId": LIVE, "RecoveryWindowInDays": 6}, PARAMETER, WINDOW
    ),
    "delete: a window too long": Refusal(
        "DeleteSecret", {"SecretId": LIVE, "RecoveryWindowInDays": 31}, PARAMETER, WINDOW
    ),
    "delete: a window and no recovery": Refusal(
        "DeleteSecret",
        {"SecretId": LIVE, "RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
        PARAMETER,
    ),
    # Tags
    "tag: a tag of AWS's own": Refusal(
        "TagResource",
        {"SecretId": LIVE, "Tags": [{"Key": "aws:mine", "Value": "x"}]},
        PARAMETER,
        "You can't modify system tags. Tag key: 'aws:mine'.",
    ),
    "tag: a key too long": Refusal(
        "TagResource", {"SecretId": LIVE, "Tags": [{"Key": "k" * 129, "Value": "x"}]}, VALIDATION
    ),
    "tag: a value too long": Refusal(
        "TagResource", {"SecretId": LIVE, "Tags": [{"Key": "k", "Value": "v" * 257}]}, VALIDATION
    ),
    # Resource policies
    "policy: not JSON": Refusal(
        "PutResourcePolicy",
        {"SecretId": LIVE, "ResourcePolicy": "not json"},
        MALFORMED,
        "This resource policy contains a syntax error.",
    ),
    "policy: an unknown principal": Refusal(
        "PutResourcePolicy",
        {"SecretId": LIVE, "ResourcePolicy": NOBODY_KNOWN},
        MALFORMED,
        "This resource policy contains an unsupported principal.",
    ),
    "policy: open to everyone": Refusal(
        "PutResourcePolicy",
        {"SecretId": LIVE, "ResourcePolicy": EVERYONE, "BlockPublicPolicy": True},
        "PublicPolicyException",
        "You can't attach a resource-based policy that allows broad access to the secret.",
    ),
    "policy: too long": Refusal("PutResourcePolicy", {"SecretId": LIVE, "ResourcePolicy": " " * 20_481}, VALIDATION),
    "policy: validated, and not JSON": Refusal("ValidateResourcePolicy", {"ResourcePolicy": "not json"}, MALFORMED),
    # ListSecrets
    "list: more to a page than there may be": Refusal("ListSecrets", {"MaxResults": 101}, VALIDATION),
    "list: a token that nobody gave": Refusal("ListSecrets", {"NextToken": "made up"}, "InvalidNextTokenException"),
    "list: an order that there is not": Refusal("ListSecrets", {"SortBy": "colour"}, VALIDATION),
    "list: a filter that there is not": Refusal(
        "ListSecrets", {"Filters": [{"Key": "colour", "Values": ["red"]}]}, VALIDATION
    ),
}

# Every operation that takes a SecretId: one that is unknown, one that cannot be a name, and one that is scheduled for
# deletion (the last two for the operations for which it was recorded).
REFUSED_IDS: dict[str, Refusal] = {
    **{
        f"{operation}: an unknown secret": Refusal(operation, {"SecretId": MISSING, **others}, NOT_FOUND, NO_SECRET)
        for operation, others in WITH_SECRET_ID.items()
    },
    **{
        f"{operation}: an illegal name": Refusal(
            operation, {"SecretId": "interop/with space", **WITH_SECRET_ID[operation]}, VALIDATION, ILLEGAL_NAME
        )
        for operation in [
            "DeleteSecret",
            "DescribeSecret",
            "GetSecretValue",
            "ListSecretVersionIds",
            "PutSecretValue",
            "TagResource",
            "UntagResource",
            "UpdateSecret",
            "ValidateResourcePolicy",
        ]
    },
    **{
        f"{operation}: scheduled for deletion": Refusal(
            operation, {"SecretId": LEAVING, **WITH_SECRET_ID[operation]}, REQUEST, SCHEDULED
        )
        for operation in ["GetSecretValue", "PutSecretValue", "TagResource", "UntagResource", "UpdateSecret"]
    },
}

every_refusal = pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
every_refused_id = pytest.mark.parametrize("refusal", REFUSED_IDS.values(), ids=REFUSED_IDS)
