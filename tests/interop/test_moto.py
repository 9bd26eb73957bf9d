"""keywright against moto's server, and boto3's word on what is live.

moto is an independent stand-in for AWS, so it catches what keywright's own sandbox might have wrong in the same way as
keywright itself. Where moto differs from the real service, a comment says so, and the test keeps to what both do.
"""

from __future__ import annotations

import json
import re

import pytest

from aws import Endpoint, describe, live
from command import Keywright, Result
from payments import Payments, assert_live_matches
from servers import WRITES, Proxy

STAGING = "111111111111"
PROD = "222222222222"
# Whoever has not assumed a role belongs to this account of moto's.
NOBODY = "123456789012"

RABBITMQ_FILE = "secrets/messaging/brokers.yaml"
ROLE_LINE = f"      assumeRole: arn:aws:iam::{STAGING}:role/deploy/keywright\n"
RABBITMQ = "${env}/payments/messaging/settlements/rabbitmq"


@pytest.fixture
def signed_in(keywright: Keywright) -> Keywright:
    return keywright.signed_in("AKIAIOSFODNN7EXAMPLE")


@pytest.fixture
def applied(signed_in: Keywright, moto: Endpoint, payments: Payments) -> Payments:
    """The example, its staging target applied to moto; a test with both would only take longer."""
    payments.chosen = ["staging"]
    done = apply(signed_in, moto, payments)
    assert done.code == 0, done
    return payments


def apply(keywright: Keywright, endpoint: Endpoint, project: Payments, *more: object) -> Result:
    return keywright.run("apply", "--yes", "-v", *project.at(endpoint), *more)


def plan(keywright: Keywright, endpoint: Endpoint, project: Payments, *more: object) -> Result:
    return keywright.run("plan", "--detailed-exitcode", "-v", *project.at(endpoint), *more)


def calls(result: Result) -> dict[str, int]:
    """The calls that `-v` counts at the end."""
    [line] = re.findall(r"^API calls: \d+ in all: ?(.*)$", result.err, flags=re.MULTILINE)
    return {operation: int(number) for operation, number in re.findall(r"(\w+) (\d+)", line)}


def assert_nothing_to_do(result: Result, targets: int = 1) -> None:
    assert result.code == 0, result
    assert result.out.count("Nothing to apply: ") == targets, result
    assert not WRITES & calls(result).keys(), result


def test_the_example_is_planned_applied_and_planned_again(
    signed_in: Keywright, moto: Endpoint, payments: Payments
) -> None:
    first = plan(signed_in, moto, payments)
    assert first.code == 2, first
    assert "35 to create" in first.out and "37 to create" in first.out, first
    assert not WRITES & calls(first).keys(), first
    assert not live(moto.secretsmanager(STAGING)) and not live(moto.secretsmanager(PROD))

    done = apply(signed_in, moto, payments)
    assert done.code == 0, done
    assert "staging: 35 created" in done.out and "prod: 37 created" in done.out, done
    assert_live_matches(payments, moto)

    assert_nothing_to_do(plan(signed_in, moto, payments), targets=2)
    assert_nothing_to_do(apply(signed_in, moto, payments), targets=2)


def test_a_policy_is_put_although_moto_cannot_validate_it(
    signed_in: Keywright, moto: Endpoint, payments: Payments
) -> None:
    # moto has no ValidateResourcePolicy and answers it with 500. That is advice that is missing, and no failure.
    name = "staging/payments/db/ledger/app"
    payments.chosen = ["staging"]
    done = apply(signed_in, moto, payments, "--select", "staging/payments/db/ledger/*")
    assert done.code == 0, done
    assert f"warning: {name}: the policy is put without validation" in done.err, done
    assert describe(moto.secretsmanager(STAGING), name).policy["Statement"]["Sid"] == "ServiceReadsCurrent"


def test_changes_by_hand_are_shown_and_repaired(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    staging = moto.secretsmanager(STAGING)
    login, admin = "staging/payments/db/ledger/app", "staging/payments/db/ledger/admin"
    archive = "staging/payments/db/disputes/archive-bulk-load"
    tags = [{"Key": "touched-by", "Value": "hand"}, {"Key": "team", "Value": "somebody-else"}]
    description = "Read-write login of the billing service."
    staging.update_secret(SecretId=login, Description=description, KmsKeyId="alias/another")
    staging.tag_resource(SecretId=login, Tags=tags)
    staging.untag_resource(SecretId=login, TagKeys=["engine"])
    staging.delete_resource_policy(SecretId=admin)
    staging.put_resource_policy(SecretId=archive, ResourcePolicy=policy_for(STAGING))

    planned = plan(signed_in, moto, applied)
    assert planned.code == 2, planned
    assert "3 to change; 4 unchanged; 30 wait for a value." in planned.out, planned
    for shown in [
        "Read-write login of the [-billing-]{+ledger+} service.",
        "alias/another → alias/payments",
        "~ team = somebody-else → ledger",
        "- touched-by = hand",
        "+ engine = aurora-postgresql",
        '+       "Sid": "MigrationsRead"',
        '-       "Sid": "ByHand"',
    ]:
        assert shown in planned.out, (shown, planned)
    assert not WRITES & calls(planned).keys(), planned

    done = apply(signed_in, moto, applied)
    assert done.code == 0, done
    assert "staging: 3 changed" in done.out, done
    assert_live_matches(applied, moto)
    assert_nothing_to_do(plan(signed_in, moto, applied))


def test_tags_that_are_not_ours_stay(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    # What ignoreTags names, and whatever else is on a secret with tagMode: additive.
    staging = moto.secretsmanager(STAGING)
    ignored, additive = "staging/payments/db/ledger/app", "staging/payments/tls/merchant-gateway/private-key"
    staging.tag_resource(SecretId=ignored, Tags=[{"Key": "cost-centre", "Value": "4711"}])
    staging.tag_resource(SecretId=additive, Tags=[{"Key": "expires-on", "Value": "2027-01-31"}])
    assert_nothing_to_do(plan(signed_in, moto, applied))
    assert describe(staging, ignored).tags["cost-centre"] == "4711"
    assert describe(staging, additive).tags["expires-on"] == "2027-01-31"


def test_a_policy_in_another_form_is_no_difference(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    # moto keeps a policy to the letter, where AWS would lay it out anew; what it means is the same.
    name = "staging/payments/db/ledger/reporting-readonly"
    staging = moto.secretsmanager(STAGING)
    policy = describe(staging, name).policy
    [statement] = policy["Statement"]
    assert statement["Principal"] == {"AWS": "333333333333"}
    statement["Principal"] = {"AWS": ["arn:aws:iam::333333333333:root"]}
    statement["Action"] = ["secretsmanager:getsecretvalue"]
    policy["Statement"] = statement
    staging.put_resource_policy(SecretId=name, ResourcePolicy=json.dumps(policy, indent=4))
    assert_nothing_to_do(plan(signed_in, moto, applied))


def test_an_empty_description_is_repaired(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    # Only this way round: moto cannot clear a description, as UpdateSecret with an empty one keeps the old one there.
    # So the description is gone because the secret was made without one.
    name = "staging/payments/cache/rate-limits/redis-auth"
    staging = moto.secretsmanager(STAGING)
    before = describe(staging, name)
    staging.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    staging.create_secret(Name=name, Tags=[{"Key": key, "Value": value} for key, value in before.tags.items()])
    planned = plan(signed_in, moto, applied)
    assert planned.code == 2 and "1 to change" in planned.out, planned
    done = apply(signed_in, moto, applied)
    assert done.code == 0 and "UpdateSecret" in calls(done), done
    assert_live_matches(applied, moto)


def test_an_unmanaged_secret_is_reported_then_adopted(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    name = "staging/payments/cache/made-by-hand"
    staging = moto.secretsmanager(STAGING)
    arn = staging.create_secret(Name=name, SecretString="a value that nobody may lose", Description="By hand.")["ARN"]
    reported = plan(signed_in, moto, applied)
    assert_nothing_to_do(reported)
    assert f"{name} is live and in scope, and no manifest names it" in reported.out, reported

    manifests = applied.folder / "secrets/caches/redis.yaml"
    manifests.write_text(
        manifests.read_text()
        + "---\napiVersion: keywright/v1\nkind: Secret\n"
        + "metadata:\n  name: ${env}/payments/cache/made-by-hand\n  targets: [staging]\n"
        + "spec:\n  description: In git now.\n"
    )
    planned = plan(signed_in, moto, applied)
    assert planned.code == 2 and "1 to adopt" in planned.out, planned
    done = apply(signed_in, moto, applied)
    assert done.code == 0 and "staging: 1 adopted" in done.out, done
    assert_live_matches(applied, moto)
    assert describe(staging, name).arn == arn
    assert staging.get_secret_value(SecretId=name)["SecretString"] == "a value that nobody may lose"
    assert_nothing_to_do(plan(signed_in, moto, applied))


def test_a_secret_that_left_git_is_deleted_and_restored_when_it_comes_back(
    signed_in: Keywright, moto: Endpoint, applied: Payments
) -> None:
    staging = moto.secretsmanager(STAGING)
    name, before = "staging/payments/messaging/settlements/rabbitmq", live(staging)
    applied.edit(
        "keywright.yaml",
        "prune: report\n  pruneDeletion: { recoveryWindowDays: 30 }",
        "prune: delete\n  pruneDeletion: { recoveryWindowDays: 9 }",
    )
    original = applied.remove_manifest(RABBITMQ_FILE, RABBITMQ)

    planned = plan(signed_in, moto, applied)
    assert planned.code == 2 and "1 to delete; 6 unchanged; 29 wait for a value." in planned.out, planned
    assert "can be restored for 9 days" in planned.out, planned
    done = apply(signed_in, moto, applied)
    assert done.code == 0 and calls(done)["DeleteSecret"] == 1, done
    # moto's DeletedDate is the day on which the deletion is due; AWS shows the moment at which it was asked for. What
    # both agree on is that there is one.
    after = live(staging)
    assert after[name].scheduled_for_deletion
    assert {**before, name: None} == {**after, name: None}
    assert_nothing_to_do(plan(signed_in, moto, applied))

    (applied.folder / RABBITMQ_FILE).write_text(original)
    planned = plan(signed_in, moto, applied)
    assert planned.code == 2 and "1 to restore" in planned.out, planned
    done = apply(signed_in, moto, applied)
    assert done.code == 0 and calls(done)["RestoreSecret"] == 1 and "CreateSecret" not in calls(done), done
    # Its policy too: what was restored is what was deleted, and no new secret of the same name.
    assert live(staging) == before
    assert_live_matches(applied, moto)
    assert_nothing_to_do(plan(signed_in, moto, applied))


def test_a_secret_that_left_git_is_only_reported_by_default(
    signed_in: Keywright, moto: Endpoint, applied: Payments
) -> None:
    applied.remove_manifest(RABBITMQ_FILE, RABBITMQ)
    reported = plan(signed_in, moto, applied)
    assert_nothing_to_do(reported)
    name = "staging/payments/messaging/settlements/rabbitmq"
    assert f"{name} belongs to this project, and no manifest names it any more" in reported.out, reported


def test_a_retired_secret_is_deleted_on_purpose(signed_in: Keywright, moto: Endpoint, applied: Payments) -> None:
    # secrets/retired.yaml says state: absent, with a window of 14 days. A live secret without an owner tag has a guard.
    name = "staging/payments/third-party/worldpay/merchant-code"
    staging = moto.secretsmanager(STAGING)
    staging.create_secret(Name=name, SecretString="x")
    refused = apply(signed_in, moto, applied)
    assert refused.code == 3 and "--allow-delete-unowned" in refused.out, refused
    assert not describe(staging, name).scheduled_for_deletion
    done = apply(signed_in, moto, applied, "--allow-delete-unowned")
    assert done.code == 0 and "staging: 1 deleted" in done.out, done
    assert describe(staging, name).scheduled_for_deletion
    assert_nothing_to_do(plan(signed_in, moto, applied))


def test_credentials_of_another_account_are_refused(keywright: Keywright, moto: Endpoint, payments: Payments) -> None:
    for target in payments.targets():
        line = f"      assumeRole: arn:aws:iam::{target.account}:role/deploy/keywright\n"
        payments.edit("keywright.yaml", line, "")
    with Proxy(moto).serving() as proxy:
        refused = apply(keywright.signed_in("AKIAIOSFODNN7EXAMPLE"), Endpoint(proxy.url), payments)
        assert {call.operation for call in proxy.calls} == {"STS"}
    assert refused.code == 1, refused
    for account in (STAGING, PROD):
        assert f"the credentials belong to account {NOBODY}, and the target is in account {account}" in refused.err
    assert calls(refused) == {"GetCallerIdentity": 2}, refused
    assert not any(live(moto.secretsmanager(account)) for account in (STAGING, PROD, NOBODY))


def test_one_target_in_the_wrong_account_keeps_the_other_from_being_applied(
    signed_in: Keywright, moto: Endpoint, payments: Payments
) -> None:
    payments.edit("keywright.yaml", f"      assumeRole: arn:aws:iam::{PROD}:role/deploy/keywright\n", "")
    refused = apply(signed_in, moto, payments)
    assert refused.code == 1, refused
    assert f"prod: the credentials belong to account {NOBODY}, and the target is in account {PROD}" in refused.err
    assert "35 to create" in refused.out, refused
    assert not any(live(moto.secretsmanager(account)) for account in (STAGING, PROD, NOBODY))


def test_missing_credentials_say_where_they_were_looked_for(
    keywright: Keywright, moto: Endpoint, payments: Payments
) -> None:
    for verb in (plan, apply):
        refused = verb(keywright, moto, payments)
        assert refused.code == 1, refused
        assert calls(refused) == {}, refused
        for place in [
            "AWS_ACCESS_KEY_ID",
            "~/.aws/config",
            "~/.aws/credentials",
            f"the role arn:aws:iam::{STAGING}:role/deploy/keywright was to be assumed",
            "--sandbox",
        ]:
            assert place in refused.err, (place, refused)
        # Nobody set these, so nothing was looked for there.
        for place in ["AWS_PROFILE", "ECS, EKS", "EC2 instance"]:
            assert place not in refused.err, (place, refused)
    assert not live(moto.secretsmanager(STAGING))


def test_a_missing_profile_is_named(keywright: Keywright, moto: Endpoint, payments: Payments) -> None:
    payments.chosen = ["staging"]
    payments.edit("keywright.yaml", ROLE_LINE, "      profile: payments-staging\n")
    refused = plan(keywright, moto, payments)
    assert refused.code == 1, refused
    assert "there is no profile payments-staging" in refused.err and "which the target names" in refused.err, refused


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="alone"),
        pytest.param(
            {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "not checked"},
            id="beside the environment",
        ),
    ],
)
def test_a_target_can_name_a_profile(
    environment: dict[str, str], keywright: Keywright, moto: Endpoint, payments: Payments
) -> None:
    payments.chosen = ["staging"]
    payments.edit("keywright.yaml", ROLE_LINE, "      profile: payments-staging\n")
    role = f"arn:aws:iam::{STAGING}:role/deploy/keywright"
    credentials = moto.client("sts").assume_role(RoleArn=role, RoleSessionName="profile")["Credentials"]
    (keywright.home / ".aws").mkdir()
    (keywright.home / ".aws/credentials").write_text(
        "[payments-staging]\n"
        f"aws_access_key_id = {credentials['AccessKeyId']}\n"
        f"aws_secret_access_key = {credentials['SecretAccessKey']}\n"
        f"aws_session_token = {credentials['SessionToken']}\n"
    )
    keywright.credentials = environment
    planned = plan(keywright, moto, payments)
    assert planned.code == 2 and "35 to create" in planned.out, planned


def test_an_endpoint_where_nobody_listens_is_unreachable(
    signed_in: Keywright, moto: Endpoint, payments: Payments
) -> None:
    payments.chosen = ["staging"]
    payments.edit("keywright.yaml", ROLE_LINE, "")
    with Proxy(moto).serving() as proxy:
        gone = Endpoint(proxy.url)
    refused = plan(signed_in, gone, payments)
    assert refused.code == 1, refused
    assert "check the target's region and endpoint, and the network" in refused.err, refused


def policy_for(account: str) -> str:
    statement = {
        "Sid": "ByHand",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:role/console"},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
