"""Replicas and approved plans against moto's server, with boto3's word on what is live.

moto makes a replica at once and ignores its key; it calls no rotation function and knows neither schedules nor windows, so
rotation is judged on the sandbox alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aws import Endpoint
from command import CHANGES, DONE, GUARD, STALE, Keywright, Result

ACCOUNT = "111111111111"
PROJECT = f"""apiVersion: keywright/v1
kind: Project
metadata: {{ name: upkeep }}
spec:
  manifests: [secrets]
  targets:
    - name: prod
      account: "{ACCOUNT}"
      region: eu-west-1
      assumeRole: arn:aws:iam::{ACCOUNT}:role/deploy/keywright
  scope: {{ namePrefixes: [prod/] }}
"""
SECRET = """apiVersion: keywright/v1
kind: Secret
metadata: {{ name: prod/db, {metadata} }}
spec:
  description: {description}
  value: {{ text: first }}
  replicas: {replicas}
"""


class Project:
    """A project of one secret on a server."""

    def __init__(self, keywright: Keywright, folder: Path, server: Endpoint) -> None:
        self.keywright, self.folder, self.server = keywright, folder, server
        (folder / "secrets").mkdir(parents=True)
        (folder / "keywright.yaml").write_text(PROJECT)

    def write(self, replicas: str, description: str = "Primary", metadata: str = "state: present") -> None:
        text = SECRET.format(replicas=replicas, description=description, metadata=metadata)
        (self.folder / "secrets/db.yaml").write_text(text)

    def run(self, verb: str, *arguments: object) -> Result:
        return self.keywright.run(verb, *arguments, "--endpoint-url", self.server.url, "--project", self.folder)

    def apply(self, *arguments: object) -> Result:
        done = self.run("apply", "--yes", *arguments)
        assert done.code == DONE, done
        return done

    def assert_nothing_to_do(self) -> None:
        planned = self.run("plan", "--detailed-exitcode")
        assert planned.code == DONE and "Nothing to do" in planned.out, planned

    def regions(self) -> dict[str, str]:
        described = self.server.secretsmanager(ACCOUNT).describe_secret(SecretId="prod/db")
        return {status["Region"]: status["Status"] for status in described.get("ReplicationStatus", [])}


@pytest.fixture
def project(keywright: Keywright, moto: Endpoint, tmp_path: Path) -> Project:
    return Project(keywright.signed_in("AKIAIOSFODNN7EXAMPLE"), tmp_path / "project", moto)


def test_replicas_come_and_go(project: Project) -> None:
    project.write("[{ region: us-west-2 }, { region: us-east-1 }]")
    project.apply("--wait-replicas")
    assert project.regions() == {"us-west-2": "InSync", "us-east-1": "InSync"}
    project.assert_nothing_to_do()

    project.write("[{ region: us-west-2 }]")
    planned = project.run("plan", "--detailed-exitcode")
    assert planned.code == GUARD and "- us-east-1" in planned.out, planned
    refused = project.run("apply", "--yes")
    assert refused.code == GUARD and "--allow-remove-replicas" in refused.out, refused
    project.apply("--allow-remove-replicas")
    assert project.regions() == {"us-west-2": "InSync"}
    project.assert_nothing_to_do()


def test_a_replicated_secret_is_deleted(project: Project) -> None:
    project.write("[{ region: us-west-2 }]")
    project.apply()
    project.write("[]", metadata="state: absent")
    done = project.apply()
    assert "1 deleted" in done.out, done
    assert project.regions() == {}
    west = project.server.secretsmanager(ACCOUNT, "us-west-2")
    assert not west.list_secrets()["SecretList"], "the replica is gone too"


def test_a_failed_replica_is_drift(project: Project) -> None:
    west = project.server.secretsmanager(ACCOUNT, "us-west-2")
    west.create_secret(Name="prod/db", SecretString="somebody else's")
    project.write("[{ region: us-west-2 }]")
    refused = project.run("apply", "--yes")
    assert refused.code != DONE, refused
    drift = project.run("drift")
    assert drift.code == CHANGES and "replica-failed" in drift.out, drift


def test_an_approved_plan_is_applied_as_it_was_approved(project: Project, tmp_path: Path) -> None:
    project.write("[]")
    project.apply()
    project.write("[]", description="Renamed")
    approved = tmp_path / "approved.json"
    assert project.run("plan", "--out", approved).code == DONE

    client = project.server.secretsmanager(ACCOUNT)
    client.update_secret(SecretId="prod/db", Description="changed by hand")
    stale = project.run("apply", approved)
    assert stale.code == STALE and "changed by hand" in stale.out, stale
    assert client.describe_secret(SecretId="prod/db")["Description"] == "changed by hand"

    client.update_secret(SecretId="prod/db", Description="Primary")
    done = project.run("apply", approved)
    assert done.code == DONE, done
    assert client.describe_secret(SecretId="prod/db")["Description"] == "Renamed"
