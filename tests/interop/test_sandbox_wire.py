"""keywright's sandbox on the wire: what boto3 would fill in, or hide; and what no browser may do."""

from __future__ import annotations

import http.client
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from aws import REGION, Endpoint
from furnished import (
    ACCOUNT,
    client,
)


def wire(
    endpoint: Endpoint, operation: str, body: bytes, **headers: str | None
) -> tuple[http.client.HTTPResponse, bytes]:
    """Sends a signed request as it stands. A header that is None is left out."""
    request = botocore.awsrequest.AWSRequest(
        "POST",
        endpoint.url + "/",
        data=body,
        headers={"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"secretsmanager.{operation}"},
    )
    credentials = botocore.credentials.Credentials(ACCOUNT, "not checked")
    botocore.auth.SigV4Auth(credentials, "secretsmanager", REGION).add_auth(request)
    sent = dict(request.headers.items()) | {name.replace("_", "-"): value for name, value in headers.items()}
    address = urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("POST", "/", body, {name: value for name, value in sent.items() if value is not None})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_form_of_an_answer(sandbox: Endpoint) -> None:
    client(sandbox).create_secret(Name="w", SecretBinary=b"\xff")
    answer, body = wire(sandbox, "GetSecretValue", b'{"SecretId": "w"}')
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-amz-json-1.1")
    assert uuid.UUID(answer.headers["x-amzn-RequestId"])
    value = json.loads(body)
    assert value["SecretBinary"] == "/w=="
    # Seconds since 1970, with milliseconds and no more.
    assert value["CreatedDate"] == round(value["CreatedDate"], 3)
    assert None not in value.values()


def test_the_form_of_an_error(sandbox: Endpoint) -> None:
    answer, body = wire(sandbox, "DescribeSecret", b'{"SecretId": "nobody"}')
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/x-amz-json-1.1")
    assert json.loads(body) == {
        "__type": "ResourceNotFoundException",
        "Message": "Secrets Manager can't find the specified secret.",
    }


@pytest.mark.parametrize(
    "operation, more", [("TagResource", {"Tags": [{"Key": "k", "Value": "v"}]}), ("UntagResource", {"TagKeys": ["k"]})]
)
def test_tagging_is_answered_with_nothing_at_all(sandbox: Endpoint, operation: str, more: dict[str, Any]) -> None:
    client(sandbox).create_secret(Name="w")
    answer, body = wire(sandbox, operation, json.dumps({"SecretId": "w", **more}).encode())
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "0", b"")


@pytest.mark.parametrize(
    "operation, code",
    [
        ("CreateSecret", "InvalidRequestException"),
        ("PutSecretValue", "InvalidRequestException"),
        ("UpdateSecret", "InvalidRequestException"),
        ("RotateSecret", "InvalidParameterException"),
    ],
)
def test_a_missing_token_comes_before_a_missing_secret(sandbox: Endpoint, operation: str, code: str) -> None:
    named = {"Name": "w"} if operation == "CreateSecret" else {"SecretId": "nobody"}
    value = {} if operation == "RotateSecret" else {"SecretString": "x"}
    answer, body = wire(sandbox, operation, json.dumps(named | value).encode())
    assert (answer.status, json.loads(body)) == (
        400,
        {
            "__type": code,
            "Message": "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
        },
    )


def test_a_missing_member(sandbox: Endpoint) -> None:
    _, body = wire(sandbox, "CreateSecret", b"{}")
    assert json.loads(body)["__type"] == "ValidationException"
    assert json.loads(body)["Message"] == (
        "1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"
    )


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"SecretId": 7}', b"\xff"], ids=repr)
def test_a_body_that_cannot_be_read(sandbox: Endpoint, body: bytes) -> None:
    answer, body = wire(sandbox, "DescribeSecret", body)
    assert (answer.status, json.loads(body)["__type"]) == (400, "SerializationException")


def test_a_request_without_a_signature(sandbox: Endpoint) -> None:
    answer, body = wire(sandbox, "ListSecrets", b"{}", Authorization=None)
    assert (answer.status, json.loads(body)["__type"]) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    "header",
    [
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Host": "secretsmanager.example.com"},
        {"Host": "127.0.0.1.example.com"},
    ],
    ids=str,
)
def test_requests_that_a_browser_may_have_sent_are_refused(sandbox: Endpoint, header: dict[str, str]) -> None:
    sm = client(sandbox)
    sm.create_secret(Name="w", SecretString="not for web pages")
    answer, body = wire(sandbox, "GetSecretValue", b'{"SecretId": "w"}', **header)
    assert answer.status == 403
    assert b"not for web pages" not in body
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    assert "LastAccessedDate" not in sm.describe_secret(SecretId="w")


def test_an_operation_that_the_sandbox_has_never_heard_of(sandbox: Endpoint) -> None:
    answer, body = wire(sandbox, "MakeCoffee", b'{"SecretId": "x"}')
    assert (answer.status, json.loads(body)["__type"]) == (400, "UnknownOperationException")
    assert "MakeCoffee" in json.loads(body)["Message"]


def test_a_member_that_an_operation_lacks_is_refused(sandbox: Endpoint) -> None:
    sm = client(sandbox)
    sm.create_secret(Name="w")
    answer, body = wire(sandbox, "DeleteSecret", b'{"SecretId": "w", "RecoveryWindow": 7}')
    assert (answer.status, json.loads(body)["__type"]) == (400, "SerializationException")
    assert json.loads(body)["Message"].startswith("DeleteSecret has no member RecoveryWindow. ")
    assert "DeletedDate" not in sm.describe_secret(SecretId="w")
