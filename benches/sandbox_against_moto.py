"""DescribeSecret and ListSecrets over HTTP: keywright's sandbox against moto's server, the same client and the same run."""

from __future__ import annotations

import http.client
import json
import logging
import subprocess
import sys
import time
import uuid

from common import ACCOUNT, BINARY


class Client:
    """The thinnest client: one connection that stays open. An SDK's own work would be most of what is measured."""

    def __init__(self, address: str) -> None:
        self.connection = http.client.HTTPConnection(address)
        scope = f"{ACCOUNT}/20260101/eu-west-1/secretsmanager/aws4_request"
        self.headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }

    def call(self, operation: str, **members: object) -> dict:
        headers = {**self.headers, "X-Amz-Target": f"secretsmanager.{operation}"}
        self.connection.request("POST", "/", json.dumps(members), headers)
        answer = self.connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return json.loads(body)


def measure(name: str, address: str, secrets: int) -> tuple[float, float]:
    service = Client(address)
    for number in range(secrets):
        service.call(
            "CreateSecret",
            Name=f"bench/{number:06}",
            Description=f"Secret {number}",
            Tags=[{"Key": "team", "Value": "x"}],
            ClientRequestToken=str(uuid.uuid4()),
        )
    describes = 500
    begun = time.monotonic()
    for number in range(describes):
        service.call("DescribeSecret", SecretId=f"bench/{(number * 7919) % secrets:06}")
    describe = (time.monotonic() - begun) / describes
    begun, pages, token = time.monotonic(), 0, {}
    while pages < 20:
        page = service.call("ListSecrets", MaxResults=100, **token)
        pages += 1
        if not page.get("NextToken"):
            break
        token = {"NextToken": page["NextToken"]}
    listing = (time.monotonic() - begun) / pages
    print(f"{name:<10} DescribeSecret {describe * 1000:8.2f} ms    ListSecrets, a page of 100 {listing * 1000:8.2f} ms", flush=True)
    return describe, listing


def main() -> None:
    secrets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sandbox = subprocess.Popen(
        [BINARY, "sandbox", "serve", "--memory", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        ours = measure("keywright", sandbox.stdout.readline().rsplit("//", 1)[1].strip(), secrets)
    finally:
        sandbox.terminate()
        sandbox.wait(timeout=10)
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        theirs = measure("moto", "{}:{}".format(*server.get_host_and_port()), secrets)
    finally:
        server.stop()
    print(f"{secrets} secrets: DescribeSecret {theirs[0] / ours[0]:.1f} times as fast, ListSecrets {theirs[1] / ours[1]:.1f} times")


main()
