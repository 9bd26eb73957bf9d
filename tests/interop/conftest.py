"""The suite's fixtures: the binary, servers, and copies of the example project."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws import Endpoint
from command import EXAMPLE, Keywright
from furnished import FIRST, client
from lifecycle import FRANKFURT, LOGIN
from payments import Payments
from servers import moto_server, served_sandbox

# boto3 runs in this process: nothing of the developer's own AWS configuration, and no proxy, may reach it.
for variable in list(os.environ):
    if variable.startswith("AWS_") or variable.lower().endswith("_proxy"):
        del os.environ[variable]
os.environ |= {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="session")
def keywright_once(tmp_path_factory: pytest.TempPathFactory) -> Keywright:
    """The binary, for servers that several tests share."""
    binary = Path(os.environ.get("KEYWRIGHT_BIN", Path(__file__).parents[2] / "target/debug/keywright"))
    assert binary.is_file(), f"there is no {binary}: build it first, or name one with KEYWRIGHT_BIN"
    return Keywright(binary.resolve(), tmp_path_factory.mktemp("home"))


@pytest.fixture
def keywright(
    keywright_once: Keywright, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Keywright:
    """The binary, with an empty home of the test's own and no credentials. It has the key of the example's values, unless
    the test is marked `no_key`."""
    key = None if request.node.get_closest_marker("no_key") else EXAMPLE / "sandbox-age-key.txt"
    return Keywright(keywright_once.binary, tmp_path_factory.mktemp("home"), key=key)


@pytest.fixture
def sandbox(keywright: Keywright) -> Iterator[Endpoint]:
    """keywright's sandbox over HTTP, empty."""
    with served_sandbox(keywright) as endpoint:
        yield endpoint


@pytest.fixture
def sm(sandbox: Endpoint) -> Any:
    """A boto3 client of that sandbox."""
    return client(sandbox)


@pytest.fixture
def frankfurt(sandbox: Endpoint) -> Any:
    """A client of the same sandbox and account in another region."""
    return client(sandbox, region=FRANKFURT)


@pytest.fixture
def login(sm: Any) -> str:
    """The name of a secret with a value."""
    return sm.create_secret(Name="login", SecretString=LOGIN, ClientRequestToken=FIRST)["Name"]


@pytest.fixture(scope="session")
def moto_process() -> Iterator[Endpoint]:
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture
def moto(moto_process: Endpoint) -> Endpoint:
    """moto's server, empty."""
    import requests

    requests.post(f"{moto_process.url}/moto-api/reset", timeout=10).raise_for_status()
    # moto forgets the roles that were assumed too, so clients of an earlier test are of no use.
    return Endpoint(moto_process.url)


@pytest.fixture
def payments(tmp_path: Path) -> Payments:
    """A copy of the example project whose targets assume roles in their accounts."""
    project = Payments(tmp_path / "payments")
    project.assume_roles()
    return project


@pytest.fixture
def staging(payments: Payments) -> Payments:
    """The same with its staging target alone: 35 secrets, 17 of them with a policy and 5 with a value."""
    payments.chosen = ["staging"]
    return payments
