"""CloudTrail's LookupEvents of keywright's sandbox, as boto3 sees it; and `drift --who` on changes by several identities."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws import REGION, Endpoint
from command import Keywright
from control import advance, control
from furnished import ACCOUNT, FIRST, SECOND, THIRD, client


def trail(endpoint: Endpoint, access_key_id: str = ACCOUNT, region: str = REGION) -> Any:
    return endpoint.client("cloudtrail", access_key_id, region=region)


def by_name(name: str) -> list[dict[str, str]]:
    return [{"AttributeKey": "EventName", "AttributeValue": name}]


def as_role(endpoint: Endpoint, role: str, session: str) -> Any:
    taken = endpoint.client("sts", access_key_id=ACCOUNT).assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName=session
    )["Credentials"]
    return endpoint.client("secretsmanager", taken["AccessKeyId"], taken["SessionToken"])


def test_an_event_is_as_the_model_has_it(sandbox: Endpoint) -> None:
    sm = client(sandbox)
    arn = sm.create_secret(Name="login", SecretString="hunter2", ClientRequestToken=FIRST)["ARN"]
    (event,) = trail(sandbox).lookup_events(LookupAttributes=by_name("CreateSecret"))["Events"]
    assert (event["EventName"], event["ReadOnly"], event["Username"]) == ("CreateSecret", "false", "sandbox")
    assert event["EventSource"] == "secretsmanager.amazonaws.com" and event["AccessKeyId"] == ACCOUNT
    assert event["Resources"] == [{"ResourceType": "AWS::SecretsManager::Secret", "ResourceName": "login"}]
    document = json.loads(event["CloudTrailEvent"])
    assert document["eventID"] == event["EventId"] and document["sourceIPAddress"] == "127.0.0.1"
    assert document["requestParameters"] == {"name": "login", "clientRequestToken": FIRST}
    assert document["responseElements"] == {"arn": arn}
    assert document["userAgent"].startswith("Boto3/")
    assert "hunter2" not in event["CloudTrailEvent"]


def test_pages_and_times(sandbox: Endpoint) -> None:
    sm = client(sandbox)
    for number in range(60):
        sm.create_secret(Name=f"s{number}")
    first_half = trail(sandbox).lookup_events(MaxResults=1)["Events"][0]["EventTime"]
    advance(sandbox, hours=1)
    for number in range(60, 70):
        sm.create_secret(Name=f"s{number}")
    pages = list(trail(sandbox).get_paginator("lookup_events").paginate(LookupAttributes=by_name("CreateSecret")))
    assert [len(page["Events"]) for page in pages] == [50, 20]
    names = [json.loads(event["CloudTrailEvent"])["requestParameters"]["name"] for page in pages for event in page["Events"]]
    assert names == [f"s{number}" for number in reversed(range(70))]
    later = trail(sandbox).lookup_events(StartTime=first_half + timedelta(minutes=30))["Events"]
    earlier = trail(sandbox).lookup_events(EndTime=first_half)["Events"]
    assert (len(later), len(earlier)) == (10, 50)
    advance(sandbox, hours=91 * 24)
    assert trail(sandbox).lookup_events()["Events"] == []


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"LookupAttributes": by_name("a") * 2}, "InvalidLookupAttributesException"),
        ({"StartTime": 2, "EndTime": 1}, "InvalidTimeRangeException"),
        ({"NextToken": "x"}, "InvalidNextTokenException"),
        ({"EventCategory": "data"}, "InvalidEventCategoryException"),
    ],
    ids=str,
)
def test_a_lookup_that_is_refused(sandbox: Endpoint, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        trail(sandbox).lookup_events(**wrong)
    assert caught.value.response["Error"]["Code"] == code


def test_attributes(sandbox: Endpoint) -> None:
    client(sandbox).create_secret(Name="a")
    as_role(sandbox, "deploy", "alice").tag_resource(SecretId="a", Tags=[{"Key": "k", "Value": "v"}])

    def found(key: str, value: str) -> list[str]:
        events = trail(sandbox).lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]
        return [event["EventName"] for event in events]

    assert found("Username", "alice") == ["TagResource"]
    assert found("ResourceName", "a") == ["TagResource", "CreateSecret"]
    assert found("ReadOnly", "true") == []
    assert found("EventSource", "secretsmanager.amazonaws.com") == ["TagResource", "CreateSecret"]
    assert trail(sandbox, region="us-east-1").lookup_events()["Events"] == []


def project(folder: Path) -> list[object]:
    (folder / "keywright.yaml").write_text(
        f"""apiVersion: keywright/v1
kind: Project
metadata: {{ name: shop }}
spec:
  manifests: [secrets]
  targets: [{{ name: prod, account: "{ACCOUNT}", region: {REGION} }}]
  scope: {{ namePrefixes: [prod/] }}
"""
    )
    (folder / "secrets").mkdir()
    (folder / "secrets" / "all.yaml").write_text(
        """apiVersion: keywright/v1
kind: Secret
metadata: { name: prod/db }
spec: { description: First, value: { text: one } }
---
apiVersion: keywright/v1
kind: Secret
metadata: { name: prod/api }
spec: { tags: { tier: high }, value: { text: one } }
"""
    )
    return ["--project", folder]


def test_who_changed_what(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> None:
    arguments = ["--endpoint-url", sandbox.url, *project(tmp_path)]
    keywright = keywright.signed_in(ACCOUNT)
    assert keywright.run("apply", "--yes", *arguments).code == 0
    advance(sandbox, hours=1)
    client(sandbox, f"{ACCOUNT}.bob").update_secret(SecretId="prod/db", Description="by hand", ClientRequestToken=SECOND)
    sso = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef"
    as_role(sandbox, sso, "carol").untag_resource(SecretId="prod/api", TagKeys=["tier"])
    as_role(sandbox, "ci/deploy", "build-1").put_secret_value(
        SecretId="prod/api", SecretString="hunter2", ClientRequestToken=THIRD
    )
    looked = keywright.run("drift", "--who", "--format", "json", *arguments)
    assert looked.code == 2, looked
    drifts = json.loads(looked.out)["targets"][0]["drifts"]
    newest = {(drift["secret"], drift["class"]): drift["who"]["events"][0] for drift in drifts}
    assert {key: (event["by"], event["eventName"]) for key, event in newest.items()} == {
        ("prod/db", "changed"): ("IAM user bob", "UpdateSecret"),
        ("prod/api", "changed"): ("carol by IAM Identity Center, Admin", "UntagResource"),
        ("prod/api", "value-changed"): ("role deploy, session build-1", "PutSecretValue"),
    }
    assert all(event["source"] == "127.0.0.1" and event["userAgent"].startswith("Boto3/") for event in newest.values())
    assert all(drift["who"]["complete"] for drift in drifts)
    # A delay of CloudTrail hides them all, and one without the permission is a note: the exit code stays.
    control(sandbox, "POST", "faults", {"profile": {"eventDelay": "PT2H"}})
    looked = keywright.run("drift", "--who", *arguments)
    assert looked.code == 2 and looked.out.count("nothing found in CloudTrail") == 3, looked
    control(sandbox, "POST", "faults", {"rules": [{"operation": "LookupEvents", "kind": "accessDenied"}]})
    looked = keywright.run("drift", "--who", *arguments)
    assert looked.code == 2 and looked.err.count("CloudTrail could not be asked") == 1 and "who:" not in looked.out, looked


def test_an_endpoint_of_cloudtrail_alone(keywright: Keywright, sandbox: Endpoint, tmp_path: Path) -> None:
    """AWS_ENDPOINT_URL_CLOUDTRAIL goes before AWS_ENDPOINT_URL, as with the AWS CLI."""
    arguments = project(tmp_path)
    keywright = keywright.signed_in(ACCOUNT)
    everywhere = {"AWS_ENDPOINT_URL": sandbox.url}
    client(sandbox).create_secret(Name="prod/extra")
    looked = keywright.run("drift", "--who", *arguments, **everywhere)
    assert "who: IAM user sandbox" in looked.out, looked
    nowhere = {**everywhere, "AWS_ENDPOINT_URL_CLOUDTRAIL": "http://127.0.0.1:9"}
    looked = keywright.run("drift", "--who", *arguments, **nowhere)
    assert looked.code == 2 and "CloudTrail could not be asked" in looked.err and "prod/extra" in looked.out, looked
