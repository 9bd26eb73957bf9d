"""The example project examples/payments: private copies of it, and what its manifests ask for.

What they ask for is worked out here from the YAML alone, by the rules that the manifest language documents and without
keywright. So the tests compare two independent readings of the same files: this one, and what keywright made of them on
the server.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aws import Endpoint, LiveSecret, live
from command import DONE, EXAMPLE, Keywright
from servers import Proxy

# What values/*.sops.yaml hold, by the part of the name after the scope; sops itself says so too. The key is published
# with the example, so these are no secrets.
VALUES = {
    "db/ledger/admin": '{"password":"example-%s-ledger-owner","username":"ledger_owner"}',
    "db/ledger/app": '{"password":"example-%s-ledger-app","username":"ledger_app"}',
    "third-party/adyen/api-key": "example-%s-adyen-api-key",
    "third-party/gocardless/access-token": "example-%s-gocardless-token",
}

# A field that a manifest leaves out is not managed, which is not the same as null: there must be none.
UNMANAGED = object()


@dataclass(frozen=True)
class Target:
    """One of the project's targets."""

    name: str
    account: str
    region: str
    variables: dict[str, str]


@dataclass(frozen=True)
class Desired:
    """What the manifests want one secret to be. ARNs of other secrets are still written as `${secret:NAME:arn}`."""

    description: Any
    kms_key_id: Any
    tags: dict[str, str]
    additive: bool
    policy: Any


class Payments:
    """A copy of the example that a test may edit."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".keywright"))
        self.folder = folder
        # The targets that the test is about, by name; none means all.
        self.chosen: list[str] = []

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces a text that stands in a file exactly once."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def assume_roles(self) -> None:
        """Lets each target take a role in its account: that is how one pair of credentials reaches both of them."""
        for target in self.targets():
            line = f'      account: "{target.account}"\n'
            role = f"      assumeRole: arn:aws:iam::{target.account}:role/deploy/keywright\n"
            self.edit("keywright.yaml", line, line + role)

    def arguments(self) -> list[str]:
        """What a command line says to mean this project."""
        return ["--project", str(self.folder), *(word for name in self.chosen for word in ("--target", name))]

    def embedded(self) -> list[str]:
        """The same, with a sandbox in a file of the project."""
        return [f"--sandbox={self.folder / 'sandbox.redb'}", *self.arguments()]

    def at(self, server: Endpoint | Proxy) -> list[str]:
        """The same, with a server in the place of AWS."""
        return ["--endpoint-url", server.url, *self.arguments()]

    def remove_manifest(self, file: str, name: str) -> str:
        """Takes the document of one secret out of a file, and returns the file's former text."""
        path = self.folder / file
        text = path.read_text()
        documents = re.split(r"^---\n", text, flags=re.MULTILINE)
        others = [document for document in documents if f"\n  name: {name}\n" not in document]
        assert len(others) == len(documents) - 1, f"{name} is not in {file}"
        path.write_text("---\n".join(others))
        return text

    def project(self) -> dict[str, Any]:
        return yaml.safe_load((self.folder / "keywright.yaml").read_text())

    def targets(self) -> list[Target]:
        return [
            Target(target["name"], target["account"], target["region"], target["vars"])
            for target in self.project()["spec"]["targets"]
            if target["name"] in (self.chosen or [target["name"]])
        ]

    def desired_secrets(self, target: Target) -> dict[str, Desired]:
        """What must exist in `target`, by name."""
        return dict(self._desired_secrets(target))

    def _desired_secrets(self, target: Target) -> Iterator[tuple[str, Desired]]:
        project = self.project()
        owner = f"{project['metadata']['name']}/{target.name}"
        prefixes = [interpolate(prefix, target) for prefix in project["spec"]["scope"]["namePrefixes"]]
        for file in sorted((self.folder / "secrets").rglob("*.yaml")):
            for manifest in filter(None, yaml.safe_load_all(file.read_text())):
                metadata = manifest["metadata"]
                if target.name not in metadata.get("targets", [target.name]) or metadata.get("state") == "absent":
                    continue
                spec = dict(manifest["spec"])
                override = spec.pop("overrides", {}).get(target.name, {})
                spec = merge(merge(project["spec"]["defaults"], spec), override)
                for path in override.get("unset", []):
                    remove(spec, path.split("."))
                policy = spec.get("policy", UNMANAGED)
                if isinstance(policy, dict) and "file" in policy:
                    policy = json.loads((file.parent / policy["file"]).read_text())
                else:
                    policy = interpolate(policy, target)
                name = interpolate(metadata["name"], target)
                prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
                tags = interpolate(spec["tags"], target) | {"keywright:project": owner_tag(owner, name, prefix)}
                if metadata.get("protect"):
                    tags["keywright:protect"] = "true"
                yield (
                    name,
                    Desired(
                        description=interpolate(spec.get("description", UNMANAGED), target),
                        kms_key_id=spec.get("kmsKeyId", UNMANAGED),
                        tags=tags,
                        additive=spec.get("tagMode") == "additive",
                        policy=policy,
                    ),
                )


def owner_tag(owner: str, name: str, prefix: str) -> str:
    """What the tag keywright:project of a secret holds: the owner, bound to the secret's name and the scope's prefix."""
    binding = hashlib.sha256()
    for part in ("keywright owner tag 1", prefix, name):
        binding.update(len(part.encode()).to_bytes(8, "big") + part.encode())
    return f"{owner}:{binding.hexdigest()[:12]}"


def merge(below: Any, above: Any) -> Any:
    """Maps are merged by key; lists and single values, null too, replace."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return below | {key: merge(below.get(key), value) for key, value in above.items()}


def remove(tree: dict[str, Any], path: list[str]) -> None:
    for step in path[:-1]:
        tree = tree[step]
    del tree[path[-1]]


def interpolate(value: Any, target: Target) -> Any:
    """Fills in the target's variables. `$${` is a literal `${`; references to secrets stay, their names filled in."""
    if isinstance(value, dict):
        return {key: interpolate(item, target) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, target) for item in value]
    if not isinstance(value, str):
        return value
    known = target.variables | {
        "target.name": target.name,
        "target.account": target.account,
        "target.region": target.region,
    }
    filled = re.sub(r"(?<!\$)\$\{([\w.]+)\}", lambda match: known[match[1]], value)
    return filled.replace("$${", "${")


def assert_live_matches(project: Payments, endpoint: Endpoint) -> None:
    """Every secret of every target is live as the manifests say, and nothing else is."""
    for target in project.targets():
        found = live(endpoint.secretsmanager(target.account, target.region))
        desired_secrets = project.desired_secrets(target)
        assert sorted(found) == sorted(desired_secrets)
        arns = {name: secret.arn for name, secret in found.items()}
        for name, desired in desired_secrets.items():
            assert_matches(name, desired, found[name], arns)
        assert_values(endpoint.secretsmanager(target.account, target.region), target.variables["env"])


def assert_values(sm: Any, env: str) -> None:
    """The values that the manifests declare are the current ones."""
    for name, value in VALUES.items():
        got = sm.get_secret_value(SecretId=f"{env}/payments/{name}")
        # A version's id is made from the ciphertext, which is how a plan knows it again without any key.
        assert got["VersionId"].startswith("kw1-"), name
        assert got["SecretString"] == value % env, name
    token = f"{env}/payments/third-party/gocardless/access-token"
    assert "AWSCURRENT" in sm.get_secret_value(SecretId=token, VersionStage="FROM_GIT")["VersionStages"]
    generated = sm.get_secret_value(SecretId=f"{env}/payments/service-tokens/checkout-to-ledger-api")
    value = json.loads(generated["SecretString"])
    assert value["ledger"] == f"https://ledger.{env}.payments.internal"
    assert len(value["token"]) == 48 and value["token"].isalnum()


def as_stored(policy: Any) -> Any:
    """A policy as AWS keeps it: an account's id as principal becomes the ARN of its root."""
    def root(principal: Any) -> Any:
        if isinstance(principal, list):
            return [root(item) for item in principal]
        is_account = isinstance(principal, str) and re.fullmatch(r"\d{12}", principal)
        return f"arn:aws:iam::{principal}:root" if is_account else principal

    if not isinstance(policy, dict):
        return policy
    stored = json.loads(json.dumps(policy))
    statements = stored["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for key in ("Principal", "NotPrincipal"):
            principal = statement.get(key)
            if isinstance(principal, dict) and "AWS" in principal:
                principal["AWS"] = root(principal["AWS"])
    return stored


def assert_matches(name: str, desired: Desired, found: LiveSecret, arns: dict[str, str]) -> None:
    def with_arns(text: str) -> str:
        return re.sub(r"\$\{secret:([^:}]+):arn\}", lambda match: arns[match[1]], text)

    assert not found.scheduled_for_deletion, name
    if desired.description is not UNMANAGED:
        assert found.description == with_arns(desired.description or ""), name
    if desired.kms_key_id is not UNMANAGED:
        # The default key is not shown, unless somebody has named it.
        assert found.kms_key_id in ([desired.kms_key_id] if desired.kms_key_id else [None, "alias/aws/secretsmanager"]), name
    tags = {key: with_arns(value) for key, value in desired.tags.items()}
    if desired.additive:
        assert found.tags | tags == found.tags, name
    else:
        assert found.tags == tags, name
    if desired.policy is not UNMANAGED:
        assert as_stored(found.policy) == as_stored(desired.policy), name


def assert_converges(keywright: Keywright, endpoint: Endpoint, project: Payments, *more: str) -> None:
    """The next apply succeeds, everything is live as the manifests say, and a plan is empty."""
    done = keywright.run("apply", "--yes", *more, *project.at(endpoint))
    assert done.code == DONE, done
    assert_live_matches(project, endpoint)
    left = keywright.run("plan", "--detailed-exitcode", *project.at(endpoint))
    assert left.code == DONE, left
