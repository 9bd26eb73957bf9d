"""Reports of `keywright drift`, read by the tools that they are meant for: a validator of XML Schema, one of JSON Schema, and
Prometheus' own parser."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
from lxml import etree
from prometheus_client.parser import text_string_to_metric_families

from aws import Endpoint
from command import CHANGES, DONE, ERROR, Keywright
from furnished import client

SCHEMAS = Path(__file__).parent / "schemas"
HOSTILE = "<b> & \"quoted\" ]]> '\\ @octocat"
TARGETS = """    - { name: here, region: eu-west-1 }
    - { name: there, region: us-west-2 }
"""
PROJECT = """apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets]
  targets:
%s  scope: { namePrefixes: [shop/] }
"""
SECRET = """apiVersion: keywright/v1
kind: Secret
metadata: { name: shop/login }
spec: { description: First }
"""


class Shop:
    """A project with two targets, of which one drifted."""

    def __init__(self, folder: Path, keywright: Keywright, sandbox: Endpoint) -> None:
        self.folder = folder
        self.keywright = keywright.signed_in("111111111111")
        self.sandbox = sandbox
        (folder / "secrets").mkdir()
        (folder / "keywright.yaml").write_text(PROJECT % TARGETS)
        (folder / "secrets/login.yaml").write_text(SECRET)
        assert self.run("apply", "--yes").code == DONE

    def run(self, *arguments: object):
        return self.keywright.run(*arguments, "--project", self.folder, "--endpoint-url", self.sandbox.url)

    def drift(self, form: str, code: int, *more: object) -> str:
        result = self.run("drift", "--format", form, *more)
        assert result.code == code, result
        return result.out

    def break_one_target(self) -> None:
        """From now on one target's account is another one than the credentials'."""
        text = (self.folder / "keywright.yaml").read_text()
        broken = text.replace("name: there,", 'name: there, account: "222222222222",')
        (self.folder / "keywright.yaml").write_text(broken)


@pytest.fixture
def shop(tmp_path: Path, keywright: Keywright, sandbox: Endpoint) -> Shop:
    shop = Shop(tmp_path, keywright, sandbox)
    sm = client(sandbox)
    sm.update_secret(SecretId="shop/login", Description=HOSTILE)
    sm.create_secret(Name="shop/unknown", Tags=[{"Key": "keywright:project", "Value": "a@b/c d"}])
    return shop


def test_junit_is_valid_and_counts_what_it_holds(shop: Shop) -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd"))
    for broken in (False, True):
        if broken:
            shop.break_one_target()
        for more in ([], ["--fail-on", "changed,missing"]):
            document = etree.fromstring(shop.drift("junit", ERROR if broken else CHANGES, *more).encode())
            schema.assertValid(document)
            for part in [document, *document]:
                assert int(part.get("tests")) == len(part.findall(".//testcase"))
                assert int(part.get("failures")) == len(part.findall(".//failure"))
                assert int(part.get("errors")) == len(part.findall(".//error"))
            failures = {case.getparent().get("name") for case in document.iter("failure")}
            assert failures == ({"changed"} if more else {"changed", "foreign"})
            assert len(document.findall(".//error")) == broken


def test_sarif_is_valid_and_its_fingerprints_stay(shop: Shop) -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    seen = []
    for broken in (False, True):
        if broken:
            shop.break_one_target()
            # Lines move, and nothing else does.
            (shop.folder / "secrets/login.yaml").write_text("\n\n" + SECRET)
        log = json.loads(shop.drift("sarif", ERROR if broken else CHANGES))
        validator.validate(log)
        (run,) = log["runs"]
        for result in run["results"]:
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        seen.append({result["ruleId"]: result for result in run["results"]})
    before, after = seen
    assert before.keys() == {"changed", "foreign"} and after.keys() == {"changed", "foreign", "unreachable"}
    for rule in before:
        assert before[rule]["partialFingerprints"] == after[rule]["partialFingerprints"]
    regions = [side["changed"]["locations"][0]["physicalLocation"]["region"]["startLine"] for side in seen]
    assert regions == [3, 5]


def test_validation_of_diagnostics_is_sarif_too(shop: Shop) -> None:
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text())
    (shop.folder / "secrets/login.yaml").write_text(SECRET.replace("description", "descriptoin"))
    result = shop.keywright.run("validate", "--format", "sarif", "--project", shop.folder)
    assert result.code == ERROR
    jsonschema.validators.validator_for(schema)(schema).validate(json.loads(result.out))


def test_metrics_are_read_by_prometheus(shop: Shop) -> None:
    def read(text: str) -> dict[str, dict[tuple[str, ...], float]]:
        families = list(text_string_to_metric_families(text))
        names = Counter(family.name for family in families)
        assert all(family.type == "gauge" and family.documentation for family in families), names
        assert set(names.values()) == {1}, names
        return {
            family.name: {
                tuple(value for label, value in sample.labels.items() if label != "project"): sample.value
                for sample in family.samples
            }
            for family in families
        }

    file = shop.folder / "keywright.prom"
    metrics = read(shop.drift("prometheus", CHANGES, "--also", f"prometheus={file}"))
    assert metrics["keywright_drift"][("here", "changed")] == 1
    assert metrics["keywright_drift"][("there", "changed")] == 0
    assert metrics["keywright_target_up"] == {("here",): 1, ("there",): 1}
    success = metrics["keywright_last_success_timestamp_seconds"][()]
    assert success == metrics["keywright_last_run_timestamp_seconds"][()] > 1_700_000_000
    assert metrics["keywright_api_calls"][("ListSecrets",)] >= 2

    shop.break_one_target()
    shop.drift("text", ERROR, "--also", f"prometheus={file}")
    metrics = read(file.read_text())
    assert metrics["keywright_target_up"] == {("here",): 1, ("there",): 0}
    assert [labels for labels in metrics["keywright_drift"] if labels[0] == "there"] == [("there", "unreachable")]
    assert metrics["keywright_last_success_timestamp_seconds"][()] == success
