"""The embedded Secrets Manager over HTTP against moto's server, with the same client and in the same run: reading one secret, lists, lists that
find few secrets, and creating them (ours to a file, acknowledged when they are on the disk)."""

from __future__ import annotations

import json
import logging
import socket
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from common import ACCOUNT, served


class Client:
    """The thinnest client: one socket that stays open, requests that are text. With an SDK, or only `http.client`, the
    client's own work is most of what is measured, of ours above all."""

    def __init__(self, address: str, keeps: bool = True) -> None:
        """`keeps` the connection. moto's web server throws away a request that comes right behind its last answer, and
        then both wait for ever: to it, each request has a connection of its own, which is a fiftieth of what it takes."""
        self.address, self.keeps = address, keeps
        self.connect()
        scope = f"{ACCOUNT}/20260101/eu-west-1/secretsmanager/aws4_request"
        self.head = (
            f"POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.1\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n"
        )

    def connect(self) -> None:
        host, port = self.address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers = self.socket.makefile("rb")

    def request(self, operation: str, **members: object) -> bytes:
        body = json.dumps(members)
        head = f"{self.head}X-Amz-Target: secretsmanager.{operation}\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    def send(self, request: bytes) -> bytes:
        """The body of the answer."""
        self.socket.sendall(request)
        status = self.answers.readline()
        length = 0
        while (line := self.answers.readline()) not in (b"\r\n", b""):
            if line[:15].lower() == b"content-length:":
                length = int(line[15:])
        answer = self.answers.read(length)
        assert b" 200 " in status, answer
        if not self.keeps:
            self.answers.close()
            self.socket.close()
            self.connect()
        return answer

    def call(self, operation: str, **members: object) -> dict:
        return json.loads(self.send(self.request(operation, **members)))


# Opens one more connection to the service that is measured.
Connect = Callable[[], Client]

CLIENTS = 16


def creation(service: Client, name: str, team: str) -> bytes:
    return service.request(
        "CreateSecret",
        Name=name,
        Description=f"Secret {name}",
        Tags=[{"Key": "team", "Value": team}],
        ClientRequestToken=str(uuid.uuid4()),
    )


def fill(connect: Connect, secrets: int) -> None:
    """`secrets` secrets, of which 200 are below one prefix."""
    service = connect()
    for number in range(secrets):
        service.send(creation(service, name_of(number, secrets), "x"))


def seconds(times: int, work) -> float:
    begun = time.monotonic()
    for number in range(times):
        work(number)
    return (time.monotonic() - begun) / times


def measure(connect: Connect, secrets: int) -> dict[str, float]:
    """Seconds for each kind of call."""
    service = connect()

    def pages(most: int, **members: object) -> int:
        """Reads a list to its end, or so many pages; the number of secrets."""
        found, token = 0, {}
        for _ in range(most):
            page = service.call("ListSecrets", MaxResults=100, **members, **token)
            found += len(page["SecretList"])
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        return found

    def found(expected: int, key: str, value: str) -> None:
        count = pages(100, Filters=[{"Key": key, "Values": [value]}])
        assert count == expected, (key, value, count)

    return {
        "DescribeSecret": seconds(500, lambda number: service.call("DescribeSecret", SecretId=name_of(number * 7919 % secrets, secrets))),
        "ListSecrets, a page of 100": seconds(1, lambda _: pages(20)) / 20,
        "… one exact name": seconds(20, lambda _: found(1, "name", name_of(secrets // 2 + 1, secrets))),
        "… a prefix with 200 secrets": seconds(10, lambda _: found(200, "name", "few/")),
        "… a tag value without any": seconds(20, lambda _: found(0, "tag-value", "nobody")),
    }


def name_of(number: int, secrets: int) -> str:
    return f"{'few' if number % (secrets // 200) == 0 else 'bench'}/{number:06}"


def creates(connect: Connect, clients: int, each: int) -> float:
    """Seconds for one of the secrets that so many clients create side by side. The requests are made before."""
    services = [connect() for _ in range(clients)]
    requests = [
        [creation(service, f"created/{clients}/{client}/{number}", "y") for number in range(each)]
        for client, service in enumerate(services)
    ]

    def one(service: Client, requests: list[bytes]) -> None:
        for request in requests:
            service.send(request)

    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(one, services, requests))
    return (time.monotonic() - begun) / (clients * each)


def compare(secrets: int) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds for each kind of call, ours and moto's."""
    with served(None, "--memory") as address:
        connect = partial(Client, address.removeprefix("http://"))
        fill(connect, secrets)
        ours = measure(connect, secrets)
    with tempfile.TemporaryDirectory() as folder, served(None, f"--file={folder}/sandbox.redb") as address:
        ours |= created(partial(Client, address.removeprefix("http://")))
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        connect = partial(Client, "{}:{}".format(*server.get_host_and_port()), keeps=False)
        # While it is empty: moto looks at every secret for each that it creates.
        theirs = created(connect)
        fill(connect, secrets)
        return ours, measure(connect, secrets) | theirs
    finally:
        server.stop()


def created(connect: Connect) -> dict[str, float]:
    each = {clients: creates(connect, clients, 600 // clients) for clients in (1, CLIENTS)}
    return {f"CreateSecret, {clients} clients": seconds for clients, seconds in each.items()}


def main() -> None:
    secrets = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    ours, theirs = compare(secrets)
    print(f"{secrets} secrets, ms for each{'keywright':>25} {'moto':>10}   ratio")
    for kind, time_of_ours in ours.items():
        print(f"{kind:<40} {time_of_ours * 1000:9.2f} {theirs[kind] * 1000:10.2f} {theirs[kind] / time_of_ours:7.1f}")


if __name__ == "__main__":
    main()
