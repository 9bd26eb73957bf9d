"""ListSecrets of keywright's sandbox, as boto3 sees it: pages, orders and filters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from command import Keywright
from furnished import (
    client,
)
from servers import served_sandbox


def test_pages(sm: Any) -> None:
    names = [f"p/{number:03}" for number in range(105)]
    for name in names:
        sm.create_secret(Name=name)
    # A hundred to a page where nothing is said; the oldest first.
    first = sm.list_secrets()
    assert [entry["Name"] for entry in first["SecretList"]] == names[:100]
    rest = sm.list_secrets(NextToken=first["NextToken"])
    assert [entry["Name"] for entry in rest["SecretList"]] == names[100:]
    assert "NextToken" not in rest
    for size in (1, 7, 100):
        pages = sm.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": size})
        assert [entry["Name"] for page in pages for entry in page["SecretList"]] == names
    newest = sm.list_secrets(SortOrder="desc", MaxResults=2)["SecretList"]
    assert [entry["Name"] for entry in newest] == [names[-1], names[-2]]


def test_orders(sm: Any) -> None:
    for name in ["b", "c", "a"]:
        sm.create_secret(Name=name)
    sm.tag_resource(SecretId="c", Tags=[{"Key": "k", "Value": "v"}])

    def listed(**order: str) -> str:
        return "".join(entry["Name"] for entry in sm.list_secrets(**order)["SecretList"])

    assert listed() == listed(SortBy="created-date") == "bca"
    assert listed(SortBy="created-date", SortOrder="desc") == "acb"
    assert listed(SortBy="name") == "abc"
    assert listed(SortBy="name", SortOrder="desc") == "cba"
    assert listed(SortBy="last-changed-date") == "bac"


LISTED = {
    "dev/app": {"Description": "a secret", "Tags": [{"Key": "team", "Value": "red"}]},
    "dev/db": {"Description": "an secret", "Tags": [{"Key": "team", "Value": "blue"}, {"Key": "tier", "Value": "one"}]},
    "Dev/upper": {"Description": "asecret"},
    "prod/COMPANYthings": {"Description": "thesecret", "Tags": [{"Key": "Stage", "Value": "redundant"}]},
    "plain": {},
}


@pytest.mark.parametrize(
    "filters, names",
    [
        ({"name": ["dev/"]}, ["dev/app", "dev/db"]),
        ({"name": ["!dev/"]}, ["Dev/upper", "prod/COMPANYthings", "plain"]),
        ({"name": ["dev/app", "pl"]}, ["dev/app", "plain"]),
        ({"name": ["ev/"]}, []),
        ({"description": ["a"]}, ["dev/app", "dev/db", "Dev/upper"]),
        ({"description": ["!a"]}, ["prod/COMPANYthings", "plain"]),
        ({"description": ["a secret"]}, ["dev/app", "dev/db"]),
        ({"description": ["SECRET"]}, ["dev/app", "dev/db"]),
        ({"description": ["!c"]}, list(LISTED)),
        ({"tag-key": ["t"]}, ["dev/app", "dev/db"]),
        ({"tag-key": ["stage"]}, []),
        ({"tag-value": ["red"]}, ["dev/app", "prod/COMPANYthings"]),
        # Filters of several keys must all pass; of the values of one, any.
        ({"tag-key": ["team"], "tag-value": ["one"]}, ["dev/db"]),
        ({"all": ["blue"]}, ["dev/db"]),
        ({"all": ["ythings"]}, ["prod/COMPANYthings"]),
        ({"all": ["PROD"]}, ["prod/COMPANYthings"]),
        ({"all": ["/"]}, []),
        ({"owning-service": ["rds"]}, []),
    ],
    ids=str,
)
def test_filters(filters: dict[str, list[str]], names: list[str], listed_secrets: Any) -> None:
    wanted = [{"Key": key, "Values": values} for key, values in filters.items()]
    assert [entry["Name"] for entry in listed_secrets.list_secrets(Filters=wanted)["SecretList"]] == names


def test_the_same_filter_twice_must_pass_twice(listed_secrets: Any) -> None:
    twice = [{"Key": "name", "Values": ["dev/"]}, {"Key": "name", "Values": ["dev/d", "plain"]}]
    assert [entry["Name"] for entry in listed_secrets.list_secrets(Filters=twice)["SecretList"]] == ["dev/db"]


@pytest.fixture(scope="module")
def listed_secrets(keywright_once: Keywright) -> Iterator[Any]:
    with served_sandbox(keywright_once) as endpoint:
        sm = client(endpoint)
        for name, what in LISTED.items():
            sm.create_secret(Name=name, **what)
        yield sm
