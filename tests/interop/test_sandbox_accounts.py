"""Accounts, regions and STS of keywright's sandbox, as boto3 sees them; and keywright as its client."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from command import Keywright
from furnished import (
    ACCOUNT,
    OTHER_ACCOUNT,
    client,
)
from payments import Payments, assert_live_matches
from servers import served_sandbox


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


def test_the_example_is_applied_to_the_served_sandbox(
    keywright: Keywright, sandbox: Endpoint, payments: Payments
) -> None:
    keywright = keywright.signed_in(ACCOUNT)
    command = ["--endpoint-url", sandbox.url, *payments.arguments()]
    done = keywright.run("apply", "--yes", *command)
    assert done.code == 0, done
    assert_live_matches(payments, sandbox)
    again = keywright.run("plan", "--detailed-exitcode", *command)
    assert again.code == 0 and again.out.count("Nothing to apply: ") == 2, again


def test_a_sandbox_in_a_file_is_the_same_embedded_and_served(keywright: Keywright, payments: Payments) -> None:
    file = payments.folder / "sandbox.redb"
    done = keywright.run("apply", "--yes", f"--sandbox={file}", *payments.arguments())
    assert done.code == 0, done
    with served_sandbox(keywright, "--file", file) as endpoint:
        assert_live_matches(payments, endpoint)
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
