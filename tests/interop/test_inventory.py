"""What `keywright inventory` writes, read by the tools that it is meant for: a reader of CSV as spreadsheets have it, validators
of JSON Schema and XML Schema, and the page as the tests of the browser put it together."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from aws import Endpoint
from command import CHANGES, DONE, Keywright, Result
from furnished import client
from inventory_page import page

SCHEMAS = Path(__file__).parent / "schemas"
OURS = Path(__file__).parents[2] / "schemas"
PROJECT = """apiVersion: keywright/v1
kind: Project
metadata: { name: shop }
spec:
  manifests: [secrets]
  targets: [{ name: here, region: eu-west-1 }]
  scope: { namePrefixes: [shop/] }
"""
SECRET = """apiVersion: keywright/v1
kind: Secret
metadata: { name: shop/login }
spec: { description: First, value: { text: C4N4RY } }
"""
HOSTILE = [
    '=HYPERLINK("https://example.invalid","x")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    '</script><img src=x onerror="alert(1)"> \u202e ]]> \u2028',
    'a,b;"c"\r\nd',
]


class Shop:
    """A project with a secret of its own, and others whose texts are hostile."""

    def __init__(self, folder: Path, keywright: Keywright, sandbox: Endpoint) -> None:
        self.folder, self.keywright, self.sandbox = folder, keywright.signed_in("111111111111"), sandbox
        (folder / "secrets").mkdir()
        (folder / "keywright.yaml").write_text(PROJECT)
        (folder / "secrets/login.yaml").write_text(SECRET)
        assert self.run("apply", "--yes").code == DONE
        sm = client(sandbox)
        for at, text in enumerate(HOSTILE):
            tags = [{"Key": "team", "Value": text[:200]}]
            sm.create_secret(Name=f"shop/other-{at}", Description=text, SecretString="C4N4RY", Tags=tags)

    def run(self, *arguments: object) -> Result:
        return self.keywright.run(*arguments, "--project", self.folder, "--endpoint-url", self.sandbox.url)

    def inventory(self, form: str, *more: object, code: int = DONE) -> str:
        result = self.run("inventory", "--audit", "--format", form, *more)
        assert result.code == code, result
        assert "C4N4RY" not in result.out + result.err
        return result.out


@pytest.fixture
def shop(tmp_path: Path, keywright: Keywright, sandbox: Endpoint) -> Shop:
    return Shop(tmp_path, keywright, sandbox)


def test_json_is_as_its_schema_says(shop: Shop) -> None:
    document = json.loads(shop.inventory("json", "--group-by", "tag:team", "--all"))
    jsonschema.validate(document, json.loads((OURS / "inventory.schema.json").read_text()))
    assert document["totals"]["secrets"] == len(HOSTILE) + 1
    kinds = {kind["kind"] for kind in document["kinds"]}
    found = {found["kind"] for secret in document["targets"][0]["secrets"] for found in secret["findings"]}
    assert kinds == found
    assert [grouping["by"] for grouping in document["groups"]] == ["target", "owner", "tag:team"]


def test_no_cell_of_csv_is_a_formula(shop: Shop) -> None:
    rows = list(csv.DictReader(io.StringIO(shop.inventory("csv"), newline="")))
    assert len(rows) == len(HOSTILE) + 1
    for row in rows:
        assert None not in row and None not in row.values()
        for cell in row.values():
            assert not cell.strip().startswith(("=", "+", "-", "@")), cell
    by_name = {row["secret"]: row for row in rows}
    assert by_name["shop/other-0"]["description"] == "'" + HOSTILE[0]
    assert by_name["shop/login"]["owner"] == "shop/here"


def test_junit_and_sarif_are_valid(shop: Shop) -> None:
    text = shop.inventory("junit", "--fail-on", "unmanaged,high", code=CHANGES)
    document = etree.fromstring(text.encode())
    etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd")).assertValid(document)
    failed = {case.getparent().get("name") for case in document.iter("failure")}
    assert failed == {"unmanaged"}
    schema = json.loads((SCHEMAS / "sarif-2.1.0.json").read_text())
    log = json.loads(shop.inventory("sarif"))
    jsonschema.validators.validator_for(schema)(schema).validate(log)
    (run,) = log["runs"]
    prints = [json.dumps(result["partialFingerprints"]) for result in run["results"]]
    assert len(prints) == len(set(prints)) > len(HOSTILE)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_the_page_is_the_one_that_is_driven_in_a_browser(shop: Shop) -> None:
    text = shop.inventory("html")
    _, rest = text.split('<script type="application/json" id="inventory">', 1)
    document = json.loads(rest.split("</script>", 1)[0])
    assert text == page(document)
    jsonschema.validate(document, json.loads((OURS / "inventory.schema.json").read_text()))
