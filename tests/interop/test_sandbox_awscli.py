"""keywright's sandbox as the AWS CLI sees it: every operation with the CLI's own options, and the table of refusals."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from aws import REGION, Endpoint
from command import LIMIT, Keywright
from furnished import (
    ACCOUNT,
    FIRST,
    LAMBDA,
    LIVE,
    READER,
    SECOND,
    THIRD,
    Refusal,
    client,
    every_refusal,
    furnish,
)
from servers import served_sandbox

# What version 1 of the CLI ends with when the service has refused.
REFUSED = 255


class Cli:
    """The AWS CLI, set up as a user would: the sandbox as endpoint, a region, and the account as the access key id."""

    def __init__(self, endpoint: Endpoint, home: Path) -> None:
        self.url = endpoint.url
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "not checked",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    def run(self, service: str, operation: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "awscli", "--endpoint-url", self.url, service, operation, *options],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )

    def sm(self, operation: str, *options: str) -> Any:
        """Runs an operation that succeeds; returns the JSON that it prints, or None where it prints nothing."""
        return self.succeed("secretsmanager", operation, *options)

    def succeed(self, service: str, operation: str, *options: str) -> Any:
        done = self.run(service, operation, *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture
def cli(sandbox: Endpoint, tmp_path: Path) -> Cli:
    return Cli(sandbox, tmp_path)


@pytest.fixture(scope="module")
def furnished(
    keywright_once: Keywright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Cli, dict[str, str]]]:
    with served_sandbox(keywright_once) as endpoint:
        yield Cli(endpoint, tmp_path_factory.mktemp("cli")), furnish(endpoint)


def refused(cli: Cli, operation: str, parameters: dict[str, Any]) -> tuple[str, str]:
    """The code and text of the error that the CLI reports."""

    def as_json(value: bytes) -> str:
        # Version 1 takes a blob in its JSON input as it stands.
        return value.decode()

    command = xform_name(operation, "-")
    done = cli.run("secretsmanager", command, "--cli-input-json", json.dumps(parameters, default=as_json))
    assert done.returncode == REFUSED, (done.stdout, done.stderr)
    assert done.stdout == ""
    before, between = "An error occurred (", f") when calling the {operation} operation: "
    text = done.stderr.strip()
    assert text.startswith(before) and between in text, text
    code, message = text.removeprefix(before).split(between, 1)
    return code, message


@every_refusal
def test_a_request_is_refused_as_documented(refusal: Refusal, furnished: tuple[Cli, dict[str, str]]) -> None:
    cli, arns = furnished
    code, message = refused(cli, refusal.operation, refusal.parameters)
    assert code == refusal.code
    assert refusal.says(message, arns), message


def test_the_life_of_a_secret(cli: Cli, tmp_path: Path) -> None:
    made = cli.sm(
        *("create-secret", "--name", "cli/life", "--description", "Made by the CLI.", "--kms-key-id", "alias/payments"),
        *("--secret-string", '{"user":"app"}', "--client-request-token", FIRST),
        *("--tags", "Key=team,Value=payments", "Key=tier,Value="),
    )
    arn = made["ARN"]
    assert made == {"ARN": arn, "Name": "cli/life", "VersionId": FIRST}
    assert arn.startswith(f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:cli/life-")

    got = cli.sm("get-secret-value", "--secret-id", "cli/life")
    assert (got["SecretString"], got["VersionStages"]) == ('{"user":"app"}', ["AWSCURRENT"])

    file = tmp_path / "value"
    file.write_bytes(b"\xff\x00\xfe")
    put = cli.sm(
        *("put-secret-value", "--secret-id", arn, "--secret-binary", f"fileb://{file}"),
        *("--client-request-token", SECOND, "--version-stages", "AWSCURRENT", "BLUE"),
    )
    assert (put["VersionId"], sorted(put["VersionStages"])) == (SECOND, ["AWSCURRENT", "BLUE"])
    blue = cli.sm("get-secret-value", "--secret-id", "cli/life", "--version-stage", "BLUE")
    assert blue["SecretBinary"] == "/wD+"
    first = cli.sm("get-secret-value", "--secret-id", "cli/life", "--version-id", FIRST)
    assert (first["SecretString"], first["VersionStages"]) == ('{"user":"app"}', ["AWSPREVIOUS"])

    moved = cli.sm(
        *("update-secret-version-stage", "--secret-id", "cli/life", "--version-stage", "AWSCURRENT"),
        *("--move-to-version-id", FIRST, "--remove-from-version-id", SECOND),
    )
    assert moved == {"ARN": arn, "Name": "cli/life"}
    versions = cli.sm("list-secret-version-ids", "--secret-id", "cli/life")
    assert {version["VersionId"]: sorted(version["VersionStages"]) for version in versions["Versions"]} == {
        FIRST: ["AWSCURRENT"],
        SECOND: ["AWSPREVIOUS", "BLUE"],
    }

    updated = cli.sm("update-secret", "--secret-id", "cli/life", "--description", "Changed.", "--kms-key-id", "")
    assert updated == {"ARN": arn, "Name": "cli/life"}
    updated = cli.sm(
        *("update-secret", "--secret-id", "cli/life", "--secret-string", "three", "--client-request-token", THIRD)
    )
    assert updated["VersionId"] == THIRD

    # These two are answered without a body, and the CLI prints nothing.
    tags = ["Key=tier,Value=one", "Key=new,Value=x y"]
    assert cli.sm("tag-resource", "--secret-id", "cli/life", "--tags", *tags) is None
    assert cli.sm("untag-resource", "--secret-id", "cli/life", "--tag-keys", "team", "never-there") is None

    secret = cli.sm("describe-secret", "--secret-id", arn[: -len("-XXXXXX")])
    assert secret["Description"] == "Changed."
    assert "KmsKeyId" not in secret
    assert {tag["Key"]: tag["Value"] for tag in secret["Tags"]} == {"tier": "one", "new": "x y"}
    assert secret["VersionIdsToStages"][THIRD] == ["AWSCURRENT"]

    deleted = cli.sm("delete-secret", "--secret-id", "cli/life", "--recovery-window-in-days", "7")
    assert deleted["ARN"] == arn and deleted["DeletionDate"] > secret["LastChangedDate"]
    assert cli.sm("list-secrets") == {"SecretList": []}
    [entry] = cli.sm("list-secrets", "--include-planned-deletion")["SecretList"]
    assert entry["Name"] == "cli/life" and "DeletedDate" in entry
    assert cli.sm("restore-secret", "--secret-id", "cli/life") == {"ARN": arn, "Name": "cli/life"}
    assert cli.sm("get-secret-value", "--secret-id", "cli/life")["SecretString"] == "three"
    cli.sm("delete-secret", "--secret-id", "cli/life", "--force-delete-without-recovery")
    assert cli.sm("list-secrets", "--include-planned-deletion") == {"SecretList": []}


def test_the_policy_of_a_secret(cli: Cli, tmp_path: Path) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps(READER))
    arn = cli.sm("create-secret", "--name", "cli/policy")["ARN"]
    named = {"ARN": arn, "Name": "cli/policy"}
    of_it = ("--secret-id", "cli/policy")
    text = ("--resource-policy", f"file://{policy}")
    assert cli.sm("get-resource-policy", *of_it) == named
    assert cli.sm("validate-resource-policy", *of_it, *text) == {"PolicyValidationPassed": True, "ValidationErrors": []}
    assert cli.sm("put-resource-policy", *of_it, *text, "--block-public-policy") == named
    assert json.loads(cli.sm("get-resource-policy", *of_it)["ResourcePolicy"]) == READER
    assert cli.sm("delete-resource-policy", *of_it) == named
    assert cli.sm("get-resource-policy", *of_it) == named


def test_lists(cli: Cli, sandbox: Endpoint) -> None:
    sm = client(sandbox)
    for number in range(5):
        sm.create_secret(Name=f"cli/{number}", SecretString=f"value {number}")
    sm.create_secret(Name="other")
    # The CLI follows the pages by itself.
    everything = cli.sm("list-secrets", "--page-size", "2")
    assert [secret["Name"] for secret in everything["SecretList"]] == [*(f"cli/{n}" for n in range(5)), "other"]
    some = cli.sm("list-secrets", "--filters", "Key=name,Values=cli/", "--sort-order", "desc", "--max-items", "2")
    assert [secret["Name"] for secret in some["SecretList"]] == ["cli/4", "cli/3"]
    rest = cli.sm(
        *("list-secrets", "--filters", "Key=name,Values=cli/", "--sort-order", "desc"),
        *("--starting-token", some["NextToken"]),
    )
    assert [secret["Name"] for secret in rest["SecretList"]] == ["cli/2", "cli/1", "cli/0"]
    batch = cli.sm("batch-get-secret-value", "--secret-id-list", "cli/0", "cli/nobody")
    assert [value["SecretString"] for value in batch["SecretValues"]] == ["value 0"]
    assert [error["ErrorCode"] for error in batch["Errors"]] == ["ResourceNotFoundException"]


def test_rotation_and_replicas(cli: Cli) -> None:
    made = cli.sm("create-secret", "--name", "cli/rotated", "--secret-string", '{"user":"app","password":"old"}')
    it = ("--secret-id", "cli/rotated")
    rotated = cli.sm(
        *("rotate-secret", *it, "--rotation-lambda-arn", LAMBDA),
        *("--rotation-rules", "ScheduleExpression=rate(10 days),Duration=3h"),
    )
    assert rotated["ARN"] == made["ARN"] and rotated["VersionId"] != made["VersionId"]
    secret = cli.sm("describe-secret", *it)
    assert secret["RotationEnabled"] is True
    assert secret["RotationRules"]["ScheduleExpression"] == "rate(10 days)"
    assert cli.sm("get-secret-value", *it)["VersionId"] == rotated["VersionId"]
    cli.sm("cancel-rotate-secret", *it)
    assert cli.sm("describe-secret", *it)["RotationEnabled"] is False

    regions = ("Region=eu-central-1", "Region=us-east-1,KmsKeyId=alias/there")
    begun = cli.sm("replicate-secret-to-regions", *it, "--add-replica-regions", *regions)
    assert {entry["Region"]: entry["KmsKeyId"] for entry in begun["ReplicationStatus"]} == {
        "eu-central-1": "alias/aws/secretsmanager",
        "us-east-1": "alias/there",
    }
    there = ("--region", "eu-central-1")
    assert cli.sm("get-secret-value", *it, *there)["VersionId"] == rotated["VersionId"]
    cli.sm("stop-replication-to-replica", *it, *there)
    left = cli.sm("remove-regions-from-replication", *it, "--remove-replica-regions", "us-east-1")
    assert left["ReplicationStatus"] == []
    assert cli.sm("describe-secret", *it, *there).get("PrimaryRegion") is None


def test_a_random_password(cli: Cli) -> None:
    answer = cli.sm("get-random-password", "--password-length", "12", "--exclude-punctuation")
    assert len(answer["RandomPassword"]) == 12 and answer["RandomPassword"].isalnum()


def test_who_somebody_is(cli: Cli) -> None:
    assert cli.succeed("sts", "get-caller-identity")["Account"] == ACCOUNT
    role = "arn:aws:iam::222222222222:role/deploy"
    taken = cli.succeed("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")
    cli.environment |= {
        "AWS_ACCESS_KEY_ID": taken["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["Credentials"]["SessionToken"],
    }
    identity = cli.succeed("sts", "get-caller-identity")
    assert identity["Arn"] == taken["AssumedRoleUser"]["Arn"] == "arn:aws:sts::222222222222:assumed-role/deploy/cli"
    assert ":222222222222:" in cli.sm("create-secret", "--name", "theirs")["ARN"]


def test_a_profile_with_a_role(cli: Cli, tmp_path: Path) -> None:
    # As a user would write it down: the CLI assumes the role itself, at the same endpoint.
    config = tmp_path / ".aws"
    config.mkdir()
    (config / "config").write_text(
        "[profile prod]\n"
        "role_arn = arn:aws:iam::222222222222:role/deploy\n"
        "credential_source = Environment\n"
        f"endpoint_url = {cli.url}\n"
        f"region = {REGION}\n"
    )
    done = cli.run("secretsmanager", "create-secret", "--name", "by-profile", "--profile", "prod")
    assert done.returncode == 0, done.stderr
    assert ":222222222222:" in json.loads(done.stdout)["ARN"]


def test_values_do_not_show_in_errors(furnished: tuple[Cli, dict[str, str]]) -> None:
    parameters = {"SecretId": LIVE, "SecretString": "hunter2-hunter2", "ClientRequestToken": FIRST}
    _, message = refused(furnished[0], "PutSecretValue", parameters)
    assert "hunter2" not in message


def test_what_pages_say_to_the_cli_needs_nothing_of_the_machine(sandbox: Endpoint, tmp_path: Path) -> None:
    """Version 1 of the CLI does not know AWS_REGION, and a reader may have neither a profile nor another variable."""
    root = Path(__file__).resolve().parents[2]
    client(sandbox).create_secret(Name="staging/payments/third-party/adyen/api-key")
    commands = []
    for page in [root / "README.md", *sorted((root / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.M | re.S):
            # With what the page itself exports before it.
            exported = [line for line in block.splitlines() if line.startswith("export AWS_")]
            lines = block.replace("\\\n", " ").splitlines()
            commands += ["\n".join([*exported, line]) for line in lines if re.match(r"(AWS_\w+=\S+ )*aws --endpoint-url ", line)]
    assert len(commands) >= 2
    (tmp_path / "aws").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m awscli "$@"\n')
    (tmp_path / "aws").chmod(0o755)
    known = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "PYTHONPATH": os.environ.get("PYTHONPATH", ""), "AWS_PAGER": ""}
    for command in commands:
        words = ["sh", "-c", command.replace("http://127.0.0.1:4566", sandbox.url)]
        done = subprocess.run(words, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, (command, done)
