"""The service's side as boto3 sees it: clients for each account, and what is live, read secret by secret."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"

# An error is what the test looks at, and not something to be tried again.
ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30)

# Loading the API models takes a while, and clients of one session share them.
_session = boto3.session.Session()


@dataclass(frozen=True, eq=False)
class Endpoint:
    """A server that stands in for AWS. Two of them are never equal: clients, and the roles they took, belong to one."""

    url: str

    @functools.cache
    def client(
        self,
        service: str,
        access_key_id: str = "AKIAIOSFODNN7EXAMPLE",
        session_token: str | None = None,
        region: str = REGION,
    ) -> Any:
        # Neither server checks signatures, so any secret key is as good as another.
        return _session.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=access_key_id,
            aws_secret_access_key="not checked",
            aws_session_token=session_token,
            config=ONE_ATTEMPT,
        )

    @functools.cache
    def secretsmanager(self, account: str, region: str = REGION) -> Any:
        """A client in `account`, by way of AssumeRole, which moto and keywright's sandbox both offer."""
        role = f"arn:aws:iam::{account}:role/observer"
        credentials = self.client("sts").assume_role(RoleArn=role, RoleSessionName="interop")["Credentials"]
        return self.client("secretsmanager", credentials["AccessKeyId"], credentials["SessionToken"], region)


@dataclass(frozen=True)
class LiveSecret:
    """One secret as it is."""

    arn: str
    description: str
    kms_key_id: str | None
    tags: dict[str, str]
    policy: Any
    scheduled_for_deletion: bool


def live(client: Any) -> dict[str, LiveSecret]:
    """Every secret of one account and region, by name; those scheduled for deletion too, without their policies."""
    return {
        name: describe(client, name)
        for page in client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        for name in (entry["Name"] for entry in page["SecretList"])
    }


def describe(client: Any, name: str) -> LiveSecret:
    secret = client.describe_secret(SecretId=name)
    scheduled = "DeletedDate" in secret
    policy = None if scheduled else client.get_resource_policy(SecretId=name).get("ResourcePolicy")
    return LiveSecret(
        arn=secret["ARN"],
        description=secret.get("Description", ""),
        kms_key_id=secret.get("KmsKeyId"),
        tags={tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])},
        policy=json.loads(policy) if policy else None,
        scheduled_for_deletion=scheduled,
    )
