"""What the tests of rotation and replication share: names, texts of the service, and short ways to ask."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from control import control
from furnished import ACCOUNT, members

LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"
EVERY_MONTH = {"AutomaticallyAfterDays": 30}
LOGIN = json.dumps({"username": "app", "password": "first"})

FRANKFURT, DUBLIN, OREGON = "eu-central-1", REGION, "us-west-2"
DEFAULT_KEY = "alias/aws/secretsmanager"

NO_FUNCTION = "No Lambda rotation function ARN is associated with this secret."
NOT_INVOCABLE = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the "
    "principal secretsmanager.amazonaws.com."
)
UNFINISHED = "A previous rotation isn't complete. That rotation will be reattempted."
BOTH_FREQUENCIES = "You cannot specify both rotation frequency and schedule expression together."
ON_A_REPLICA = "Operation not permitted on a replica secret. Call must be made in primary secret's region."

# What a description has to say about rotation.
ROTATION = {"RotationEnabled", "RotationLambdaARN", "RotationRules", "LastRotatedDate", "NextRotationDate"}


def described(sm: Any, name: str) -> dict[str, Any]:
    return members(sm.describe_secret(SecretId=name))


def labels(sm: Any, name: str) -> dict[str, set[str]]:
    return {version: set(stages) for version, stages in described(sm, name).get("VersionIdsToStages", {}).items()}


def current(sm: Any, name: str) -> str:
    return sm.get_secret_value(SecretId=name)["SecretString"]


def refusal_of(call: Any, **parameters: Any) -> tuple[str, str]:
    """Code and text of the error that a call is answered with, which is a 400."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
    return answer["Error"]["Code"], answer["Error"]["Message"]


def now(sandbox: Endpoint) -> datetime:
    return datetime.fromisoformat(control(sandbox, "GET", "clock")["now"].replace("Z", "+00:00"))
