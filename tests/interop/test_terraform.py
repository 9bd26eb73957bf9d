"""Secrets change hands from a genuine Terraform to keywright, and nothing of them is lost on the way.

Terraform and version 5 of its AWS provider are no Python packages: the test runs where `terraform` is found and
KEYWRIGHT_TF_PLUGINS names a folder with the provider (as `terraform providers mirror` makes one), and is skipped elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from aws import Endpoint
from command import DONE, LIMIT, Keywright
from furnished import client

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "tfstate"
ACCOUNT, REGION = "123456789012", "us-east-1"
MARK = "NOT-TO-BE-PRINTED"

MODULE = """
module "app" {
  source   = "./app"
  for_each = toset(["eu", "us"])
  key      = each.key
}
"""

APP = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "key" { type = string }
resource "aws_secretsmanager_secret" "this" {
  name = "prod/app/${var.key}"
  tags = { team = "app" }
  replica { region = "us-west-2" }
}
resource "aws_secretsmanager_secret_version" "this" {
  secret_id     = aws_secretsmanager_secret.this.id
  secret_string = "NOT-TO-BE-PRINTED-app"
}
"""

PROJECT = f"""apiVersion: keywright/v1
kind: Project
metadata: {{ name: shop }}
spec:
  manifests: [secrets/]
  targets: [{{ name: prod, region: {REGION}, account: "{ACCOUNT}" }}]
  scope: {{ namePrefixes: [prod/] }}
"""


class Terraform:
    """Terraform in a folder of its own."""

    def __init__(self, folder: Path, plugins: str) -> None:
        self.folder = folder
        self.run("init", f"-plugin-dir={plugins}")

    def run(self, verb: str, *arguments: str) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "CHECKPOINT_DISABLE": "1"}
        done = subprocess.run(
            ["terraform", verb, *(["-no-color"] if verb != "state" else []), *arguments],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == 0, f"terraform {verb}: {done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def terraform(tmp_path: Path, sandbox: Endpoint) -> Terraform:
    plugins = os.environ.get("KEYWRIGHT_TF_PLUGINS")
    if not plugins or not shutil.which("terraform"):
        pytest.skip("needs terraform, and KEYWRIGHT_TF_PLUGINS for its AWS provider")
    folder = tmp_path / "terraform"
    (folder / "app").mkdir(parents=True)
    main = (FIXTURES / "main.tf").read_text()
    main = re.sub(r'secretsmanager = "[^"]*"', f'secretsmanager = "{sandbox.url}"', main)
    main = main.replace('access_key = "test"', f'access_key = "{ACCOUNT}"')
    (folder / "main.tf").write_text(main + MODULE)
    (folder / "app" / "main.tf").write_text(APP)
    return Terraform(folder, plugins)


def current(sandbox: Endpoint) -> dict[str, tuple[str, str, str]]:
    """Every secret's ARN, value and version id."""
    sm = client(sandbox, ACCOUNT, REGION)
    secrets = [secret for page in sm.get_paginator("list_secrets").paginate() for secret in page["SecretList"]]
    return {
        secret["Name"]: (secret["ARN"], value["SecretString"], value["VersionId"])
        for secret in secrets
        if "SecretVersionsToStages" in secret
        for value in [sm.get_secret_value(SecretId=secret["Name"])]
    }


def test_secrets_change_hands(keywright: Keywright, sandbox: Endpoint, terraform: Terraform, tmp_path: Path) -> None:
    terraform.run("apply", "-auto-approve")
    before = current(sandbox)
    assert len(before) == 5 and all(MARK in value for _, value, _ in before.values())

    project = tmp_path / "project"
    (project / "secrets").mkdir(parents=True)
    (project / "keywright.yaml").write_text(PROJECT)
    signed_in = keywright.signed_in(ACCOUNT)
    live = ["--project", project, "--endpoint-url", sandbox.url]
    removed = terraform.folder / "removed.tf"
    state = terraform.folder / "terraform.tfstate"
    assert MARK in state.read_text()

    # No credentials are needed to read a state.
    imported = keywright.run("import", "--project", project, "--from-tfstate", state, "--removed", removed)
    assert imported.code == DONE and "(8 to adopt)" in imported.out, imported
    planned = signed_in.run("plan", *live)
    assert "8 to adopt; 0 unchanged" in planned.out, planned
    assert planned.out.count("      tags ") == 8 and "description" not in planned.out, planned
    written = "".join(path.read_text() for path in [removed, *project.rglob("*.yaml")])
    assert MARK not in written + str(imported) + str(planned)

    # What is live says the same as the state.
    shutil.rmtree(project / "secrets")
    (project / "secrets").mkdir()
    from_live = signed_in.run("import", *live)
    assert from_live.code == DONE and "(8 to adopt)" in from_live.out, from_live

    main = terraform.folder / "main.tf"
    main.write_text(main.read_text().split("resource ", 1)[0])
    forgetting = terraform.run("plan")
    assert "0 to add, 0 to change, 0 to destroy" in forgetting, forgetting
    terraform.run("apply", "-auto-approve")
    assert terraform.run("state", "list") == ""

    applied = signed_in.run("apply", "--yes", *live)
    assert applied.code == DONE and "8 adopted" in applied.out, applied
    assert current(sandbox) == before, "ARNs, values and versions stay"
    assert signed_in.run("plan", "--detailed-exitcode", *live).code == DONE
