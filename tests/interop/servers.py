"""Servers on 127.0.0.1, each on a free port: keywright's sandbox, moto, and a proxy that slows down or drops requests.

Each one is ended by the handle that started it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from aws import Endpoint
from command import Keywright

READY = "keywright sandbox ready on "


@contextlib.contextmanager
def served_sandbox(keywright: Keywright, *arguments: object) -> Iterator[Endpoint]:
    """`keywright sandbox serve`; in memory, unless the arguments say otherwise."""
    process = subprocess.Popen(
        [keywright.binary, "sandbox", "serve", "--port", "0", *map(str, arguments or ["--memory"])],
        env=keywright.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith(READY), f"the sandbox did not start: it said {line!r}"
        url = line.removeprefix(READY).strip()
        with urllib.request.urlopen(f"{url}/_keywright/health", timeout=10) as answer:
            assert answer.status == 200
        yield Endpoint(url)
        # It stops when it is asked to, also while clients keep their connections open.
        process.terminate()
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait(timeout=10)
        process.stdout.close()


@contextlib.contextmanager
def moto_server() -> Iterator[Endpoint]:
    """moto's server, in a thread of this process."""
    from moto.server import ThreadedMotoServer

    # It would log every request, and a traceback for every operation that moto lacks.
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Endpoint(f"http://{host}:{port}")
    finally:
        server.stop()


# The operations that change something. ValidateResourcePolicy only looks, and GetRandomPassword is about no secret.
WRITES = {
    "AssociateCrossAccountReplica",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DisassociateCrossAccountReplica",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
}


@dataclass
class Call:
    """One request that went through the proxy."""

    operation: str
    # The secret's name or ARN, as the request has it.
    secret: str | None
    # Counts the writes, from 1; 0 for a read.
    write: int = 0
    # Whether the answer was delivered to the client.
    answered: bool = False


class Dropped(Exception):
    """Raised by a hook: the connection is closed without an answer."""


@dataclass
class Proxy:
    """Stands between keywright and a server, and remembers what went through.

    The hooks run in the thread of their request: `arrived` before the request is passed on, `carried_out` after the
    server has done its work and before the client hears of it. `arrived` may return an error, as status and code, that
    is answered instead.
    """

    upstream: Endpoint
    arrived: Callable[[Call], tuple[int, str] | None] = lambda call: None
    carried_out: Callable[[Call], None] = lambda call: None
    calls: list[Call] = field(default_factory=list)
    url: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.write]

    def note(self, operation: str, secret: str | None) -> Call:
        with self._lock:
            call = Call(operation, secret)
            if operation in WRITES:
                call.write = len(self.writes()) + 1
            self.calls.append(call)
            return call

    @contextlib.contextmanager
    def serving(self) -> Iterator[Proxy]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def slowly(seconds: float) -> Callable[[Call], None]:
    """A hook that makes every write take its time."""

    def wait(call: Call) -> None:
        if call.write:
            time.sleep(seconds)

    return wait


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    upstream = urlsplit(proxy.upstream.url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            call = self.call(body)
            try:
                refused = proxy.arrived(call)
                status, kind, answer = self.error(*refused) if refused else self.passed_on(body)
                proxy.carried_out(call)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
                call.answered = True
            except (Dropped, ConnectionError):
                self.close_connection = True

        def call(self, body: bytes) -> Call:
            target = self.headers.get("X-Amz-Target")
            if target is None:
                # The query protocol of STS.
                return proxy.note("STS", None)
            names = json.loads(body)
            return proxy.note(target.removeprefix("secretsmanager."), names.get("SecretId") or names.get("Name"))

        def passed_on(self, body: bytes) -> tuple[int, str, bytes]:
            connection = http.client.HTTPConnection(upstream.hostname, upstream.port, timeout=30)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection.request("POST", self.path, body, headers)
                answer = connection.getresponse()
                return answer.status, answer.headers["Content-Type"], answer.read()
            finally:
                connection.close()

        def error(self, status: int, code: str) -> tuple[int, str, bytes]:
            text = json.dumps({"__type": code, "Message": "The proxy of the test answers so."})
            return status, "application/x-amz-json-1.1", text.encode()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    return Handler
