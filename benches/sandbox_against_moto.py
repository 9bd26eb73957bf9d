"""DescribeSecret and ListSecrets over HTTP: keywright's sandbox against moto's server, the same client and the same run."""

from __future__ import annotations

import subprocess
import sys
import time

import boto3
from botocore.config import Config
from common import ACCOUNT, BINARY


def client(url: str):
    return boto3.client(
        "secretsmanager",
        region_name="eu-west-1",
        endpoint_url=url,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="not checked",
        config=Config(retries={"max_attempts": 1}),
    )


def measure(name: str, url: str, secrets: int) -> tuple[float, float]:
    service = client(url)
    for number in range(secrets):
        service.create_secret(Name=f"bench/{number:06}", Description=f"Secret {number}", Tags=[{"Key": "team", "Value": "x"}])
    describes = 300
    begun = time.monotonic()
    for number in range(describes):
        service.describe_secret(SecretId=f"bench/{(number * 7919) % secrets:06}")
    describe = (time.monotonic() - begun) / describes
    begun, pages, token = time.monotonic(), 0, {}
    while pages < 20:
        page = service.list_secrets(MaxResults=100, **token)
        pages += 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    listing = (time.monotonic() - begun) / pages
    print(f"{name:<10} DescribeSecret {describe * 1000:8.2f} ms    ListSecrets, a page of 100 {listing * 1000:8.2f} ms")
    return describe, listing


def main() -> None:
    secrets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sandbox = subprocess.Popen(
        [BINARY, "sandbox", "serve", "--memory", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        ours = measure("keywright", sandbox.stdout.readline().rsplit(" ", 1)[1].strip(), secrets)
    finally:
        sandbox.terminate()
        sandbox.wait(timeout=10)
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        theirs = measure("moto", "http://{}:{}".format(*server.get_host_and_port()), secrets)
    finally:
        server.stop()
    print(f"{secrets} secrets: DescribeSecret {theirs[0] / ours[0]:.1f} times as fast, ListSecrets {theirs[1] / ours[1]:.1f} times")


main()
