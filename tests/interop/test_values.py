"""Values, from a file that the genuine sops encrypted to what boto3 reads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from aws import REGION, Endpoint
from command import Keywright
from control import calls, forget_calls
from furnished import client
from values import DATABASES, EXPECTED, WITH_KEY, Live, Sops, Values, live_values, sorted_json

# Who has the key is what these tests are about: each says so itself.
pytestmark = pytest.mark.no_key

ACCOUNT = "111111111111"
# To whoever has not assumed a role, moto gives this account.
MOTO_ACCOUNT = "123456789012"
ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"

DONE, ERROR, CHANGES = 0, 1, 2

READS_OF_VALUES = {"GetSecretValue", "BatchGetSecretValue"}
WRITES_OF_VALUES = {"CreateSecret", "PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"}


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Values:
    """The project, encrypted once: tests that edit it take a copy."""
    values = Values.create(tmp_path_factory.mktemp("encrypted") / "values", ACCOUNT)
    values.encrypt_everything()
    return values


@pytest.fixture
def values(encrypted: Values, tmp_path: Path) -> Values:
    folder = tmp_path / "values"
    shutil.copytree(encrypted.folder, folder)
    return Values(folder, ACCOUNT, Sops(folder))


@pytest.fixture
def signed_in(keywright: Keywright) -> Keywright:
    return keywright.signed_in(ACCOUNT)


@pytest.fixture
def applied(values: Values, signed_in: Keywright, sandbox: Endpoint) -> dict[str, Live]:
    """The project, applied to the sandbox: what is live then."""
    done = values.apply(signed_in, sandbox, **WITH_KEY)
    assert done.code == DONE, done
    return live_values(client(sandbox))


def operations(sandbox: Endpoint) -> set[str]:
    return {call["operation"] for call in calls(sandbox)}


def versions(sm: Any, name: str) -> list[dict[str, Any]]:
    """Every version, deprecated ones too. The day of the last access is left out: looking changes it."""
    listed = sm.list_secret_version_ids(SecretId=name, IncludeDeprecated=True)["Versions"]
    return sorted(
        ({member: value for member, value in version.items() if member != "LastAccessedDate"} for version in listed),
        key=lambda version: version["VersionId"],
    )


def value_tag(sm: Any, name: str) -> str | None:
    tags = {tag["Key"]: tag["Value"] for tag in sm.describe_secret(SecretId=name).get("Tags", [])}
    return tags.get("keywright:value")


def test_what_sops_encrypted_is_what_boto3_reads(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    assert {name: live.value for name, live in applied.items()} == EXPECTED
    for name, live in applied.items():
        assert live.version.startswith("kw1-"), (name, live.version)
        assert 32 <= len(live.version) <= 64
    # One version each, and nothing is left to do.
    sm = client(sandbox)
    assert all(len(versions(sm, name)) == 1 for name in applied)
    again = values.plan(signed_in, sandbox)
    assert again.code == DONE and "Nothing to do" in again.out, again


def test_keywright_and_sops_agree_on_the_plaintext(values: Values, applied: dict[str, Live]) -> None:
    # EXPECTED is what the test put in; this is what the genuine program takes out.
    decrypt = values.sops.run
    document = json.loads(decrypt("decrypt", "--output-type", "json", values.databases))
    assert applied["dev/ledger"].value == sorted_json(document["ledger"])
    assert applied["dev/token"].value == document["token"]
    partners = json.loads(decrypt("decrypt", values.folder / "partners.sops.json"))
    assert applied["dev/partners"].value == sorted_json(partners)


def test_no_value_shows_in_what_keywright_prints(values: Values, signed_in: Keywright, sandbox: Endpoint) -> None:
    planned = values.plan(signed_in, sandbox, "--format", "json", **WITH_KEY)
    done = values.apply(signed_in, sandbox, "-vvv", **WITH_KEY)
    assert (planned.code, done.code) == (CHANGES, DONE), (planned, done)
    for plain in ['quote"s', "quote\\", "a token, with", "something that stays", "k-123"]:
        for text in [planned.out, planned.err, done.out, done.err]:
            assert plain not in text, plain


def test_a_plan_needs_no_key_and_reads_no_value(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    values.sops.set(values.databases, "token", "another token")
    forget_calls(sandbox)
    planned = values.plan(signed_in, sandbox)
    assert planned.code == CHANGES, planned
    assert "1 to change; 7 unchanged." in planned.out, planned
    assert "dev/token" in planned.out and "another token" not in planned.out + planned.err, planned
    seen = operations(sandbox)
    assert "ListSecrets" in seen
    assert not seen & (READS_OF_VALUES | WRITES_OF_VALUES), seen


def test_an_apply_needs_the_key_and_without_it_writes_no_value(
    values: Values, signed_in: Keywright, sandbox: Endpoint
) -> None:
    done = values.apply(signed_in, sandbox)
    assert done.code == ERROR, done
    assert "age" in done.err, done
    assert not operations(sandbox) & WRITES_OF_VALUES
    assert live_values(client(sandbox)) == {}


def test_a_key_that_is_set_changes_one_secret(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    sm = client(sandbox)
    before = {name: versions(sm, name) for name in applied}
    values.sops.set(values.databases, "token", "another token")
    done = values.apply(signed_in, sandbox, **WITH_KEY)
    assert done.code == DONE, done
    after = live_values(sm)
    assert after["dev/token"].value == "another token"
    assert after["dev/token"].version.startswith("kw1-")
    assert after["dev/token"].version != applied["dev/token"].version
    assert {name for name in applied if versions(sm, name) != before[name]} == {"dev/token"}
    stages = sm.describe_secret(SecretId="dev/token")["VersionIdsToStages"]
    assert stages == {after["dev/token"].version: ["AWSCURRENT"], applied["dev/token"].version: ["AWSPREVIOUS"]}
    assert values.plan(signed_in, sandbox).code == DONE


def test_a_value_that_is_reverted_gets_its_old_version_back(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    before = values.databases.read_bytes()
    values.sops.set(values.databases, "token", "another token")
    assert values.apply(signed_in, sandbox, **WITH_KEY).code == DONE
    values.databases.write_bytes(before)
    done = values.apply(signed_in, sandbox, **WITH_KEY)
    assert done.code == DONE, done
    sm = client(sandbox)
    assert live_values(sm) == applied
    assert len(versions(sm, "dev/token")) == 2
    assert values.plan(signed_in, sandbox).code == DONE


def test_a_rotated_data_key_makes_no_version(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    sm = client(sandbox)
    before = {name: versions(sm, name) for name in applied}
    assert not any(value_tag(sm, name) for name in applied)
    values.sops.run("rotate", "--in-place", values.databases)
    done = values.apply(signed_in, sandbox, **WITH_KEY)
    assert done.code == DONE, done
    assert {name: versions(sm, name) for name in applied} == before
    # What the file now calls these values is written down beside them.
    rotated = {"dev/ledger", "dev/ledger-password", "dev/token", "dev/other"}
    assert {name for name in applied if value_tag(sm, name)} == rotated
    again = values.plan(signed_in, sandbox)
    assert again.code == DONE and "Nothing to do" in again.out, again
    # A change after that is a change, and leaves nothing behind that is no longer true.
    values.sops.set(values.databases, "other", "something else")
    assert values.apply(signed_in, sandbox, **WITH_KEY).code == DONE
    assert live_values(sm) == applied | {"dev/other": live_values(sm)["dev/other"]}
    assert live_values(sm)["dev/other"].value == "something else"
    assert values.plan(signed_in, sandbox).code == DONE


def test_a_value_that_was_changed_by_hand_is_put_back(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live]
) -> None:
    sm = client(sandbox)
    sm.put_secret_value(SecretId="dev/token", SecretString="by hand")
    planned = values.plan(signed_in, sandbox)
    assert planned.code == CHANGES and "1 to change; 7 unchanged." in planned.out, planned
    assert values.apply(signed_in, sandbox, **WITH_KEY).code == DONE
    assert live_values(sm) == applied


def tampered(text: str) -> str:
    """Another first character in the ciphertext of `other`."""
    before, between, after = text.partition("\nother: ENC[AES256_GCM,data:")
    assert between
    return before + between + ("B" if after.startswith("A") else "A") + after[1:]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(tampered, id="a value"),
        # The value stays what it was, and moves to another place.
        pytest.param(lambda text: text.replace("\nother: ", "\nmoved: ").replace("\ntoken: ", "\nother: "), id="a key"),
        pytest.param(lambda text: text.replace("    mac: ENC[", "    mac: XNC["), id="the MAC"),
    ],
)
def test_a_file_that_was_tampered_with_is_not_written(
    values: Values, signed_in: Keywright, sandbox: Endpoint, applied: dict[str, Live], change: Any
) -> None:
    text = values.databases.read_text()
    values.databases.write_text(change(text))
    assert values.databases.read_text() != text
    # A change elsewhere in the file is due as well, so that there is something to write.
    values.write_manifests({"dev/other": {"file": "db.sops.yaml", "key": "/other"}})
    client(sandbox).put_secret_value(SecretId="dev/other", SecretString="by hand")
    forget_calls(sandbox)
    done = values.apply(signed_in, sandbox, **WITH_KEY)
    assert done.code == ERROR, done
    assert not operations(sandbox) & WRITES_OF_VALUES, done
    assert client(sandbox).get_secret_value(SecretId="dev/other")["SecretString"] == "by hand"


# moto


def test_values_reach_motos_server(keywright: Keywright, moto: Endpoint, encrypted: Values, tmp_path: Path) -> None:
    folder = tmp_path / "values"
    shutil.copytree(encrypted.folder, folder)
    values = Values.create(folder, MOTO_ACCOUNT)
    keywright = keywright.signed_in(ACCESS_KEY_ID)
    done = values.apply(keywright, moto, **WITH_KEY)
    assert done.code == DONE, done
    sm = moto.client("secretsmanager")
    first = live_values(sm)
    assert {name: live.value for name, live in first.items()} == EXPECTED
    assert all(live.version.startswith("kw1-") for live in first.values())
    again = values.plan(keywright, moto)
    assert again.code == DONE, again
    values.sops.set(values.databases, "token", "another token")
    assert values.apply(keywright, moto, **WITH_KEY).code == DONE
    after = live_values(sm)
    assert {name for name in first if after[name] != first[name]} == {"dev/token"}
    assert after["dev/token"].value == "another token"


@pytest.mark.parametrize("context", [None, "Project:values,Stage:dev"], ids=["plain", "with a context"])
def test_a_data_key_that_kms_encrypted(
    keywright: Keywright, moto: Endpoint, tmp_path: Path, context: str | None
) -> None:
    kms = moto.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    source = {"file": "db.sops.yaml", "key": "/ledger"}
    values = Values.create(tmp_path / "values", MOTO_ACCOUNT, {"dev/ledger": source})
    credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": "not checked"}
    # The genuine program asks moto's KMS as well: both ends of the envelope are somebody else's.
    options = ["--kms", key, *(["--encryption-context", context] if context else [])]
    values.sops.encrypt(
        values.databases,
        yaml.safe_dump(DATABASES, sort_keys=False, allow_unicode=True),
        *options,
        AWS_ENDPOINT_URL=moto.url,
        AWS_REGION=REGION,
        **credentials,
    )
    assert "\n    age:" not in values.databases.read_text()
    keywright = keywright.signed_in(ACCESS_KEY_ID)
    done = values.apply(keywright, moto)
    assert done.code == DONE, done
    sm = moto.client("secretsmanager")
    assert live_values(sm)["dev/ledger"].value == EXPECTED["dev/ledger"]
    # What is live needs the key no more. A new secret does, and moto has forgotten the key with everything else.
    assert values.plan(keywright, moto).code == DONE
    requests.post(f"{moto.url}/moto-api/reset", timeout=10).raise_for_status()
    refused = values.apply(keywright, moto)
    assert refused.code == ERROR, refused
    assert live_values(sm) == {}
