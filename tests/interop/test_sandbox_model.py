"""What the sandbox knows of the API, held against botocore's newest model: it fails with the difference when AWS grows
(KEYWRIGHT_NEWEST of `run` takes the newest botocore of all).

`KEYWRIGHT_BLESS=1` writes both files: the members that the sandbox refuses all others beside (`members.json`, a part of
the program: build it again), and all of the API that the sandbox was made after (`secretsmanager-model.json`).
Then the unit tests of the sandbox say which operation is missing, and which member an operation passes over.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from aws import Endpoint
from test_sandbox_wire import wire

MEMBERS = Path(__file__).parents[2] / "src/sandbox/wire/members.json"
API = Path(__file__).parent / "secretsmanager-model.json"


def newest_model() -> ServiceModel:
    """The model of the botocore in the folder KEYWRIGHT_BOTOCORE, or else of the one that the suite runs with."""
    elsewhere = os.environ.get("KEYWRIGHT_BOTOCORE")
    loader = Loader([f"{elsewhere}/botocore/data"], include_default_search_paths=False) if elsewhere else Loader()
    return ServiceModel(loader.load_service_model("secretsmanager", "service-2"), "secretsmanager")


MODEL = newest_model()


def input_members(shape: Shape | None) -> dict[str, Any] | None:
    """The members of a structure, or of the structures in a list, by name; nothing of any other shape."""
    if isinstance(shape, ListShape):
        return input_members(shape.member)
    if isinstance(shape, StructureShape):
        return {name: input_members(member) for name, member in shape.members.items()}
    return None


def inputs() -> dict[str, Any]:
    return {name: input_members(MODEL.operation_model(name).input_shape) for name in sorted(MODEL.operation_names)}


# What a shape says of its values.
RULES = ("min", "max", "pattern", "enum", "box", "sensitive")


def described(shape: Shape | None, required: bool = False) -> Any:
    """A shape with all that is to be said of it, but its documentation."""
    if shape is None:
        return None
    rules = {rule: shape.metadata[rule] for rule in RULES if rule in shape.metadata}
    it = {"type": shape.type_name, **rules} | ({"required": True} if required else {})
    if isinstance(shape, StructureShape):
        needed = shape.required_members
        it["members"] = {name: described(member, name in needed) for name, member in shape.members.items()}
    elif isinstance(shape, ListShape):
        it["of"] = described(shape.member)
    elif isinstance(shape, MapShape):
        it["of"] = [described(shape.key), described(shape.value)]
    return it


def api() -> dict[str, Any]:
    operations = {name: MODEL.operation_model(name) for name in sorted(MODEL.operation_names)}
    return {
        name: {
            "input": described(operation.input_shape),
            "output": described(operation.output_shape),
            "errors": sorted(error.name for error in operation.error_shapes),
        }
        for name, operation in operations.items()
    }


def flat(value: Any, place: str = "") -> set[str]:
    """A line for each leaf, so that a difference reads as lines that came and lines that went."""
    if isinstance(value, dict) and value:
        return {line for key, item in value.items() for line in flat(item, f"{place}.{key}" if place else key)}
    return {f"{place} = {json.dumps(value)}" if value is not None else place}


@pytest.mark.parametrize("file, made", [(MEMBERS, inputs), (API, api)], ids=["members", "api"])
def test_the_newest_model_is_the_one_that_the_sandbox_knows(file: Path, made: Any) -> None:
    newest = made()
    if os.environ.get("KEYWRIGHT_BLESS"):
        file.write_text(json.dumps(newest, indent=2) + "\n")
    known, wanted = flat(json.loads(file.read_text())), flat(newest)
    difference = [f"+ {line}" for line in sorted(wanted - known)] + [f"- {line}" for line in sorted(known - wanted)]
    assert not difference, "botocore's model is another one than the sandbox knows:\n" + "\n".join(difference)


def places(members: dict[str, Any]) -> list[tuple[str, ...]]:
    """The place of each member, those within others too."""
    return [
        place
        for name, inner in members.items()
        for place in [(name,), *((name, *rest) for rest in places(inner or {}))]
    ]


@pytest.mark.parametrize("operation", sorted(MODEL.operation_names))
def test_the_sandbox_takes_the_members_of_the_newest_model_and_no_other(sandbox: Endpoint, operation: str) -> None:
    members = inputs()[operation]

    def message(place: tuple[str, ...]) -> str:
        value: Any = None
        for name in reversed(place):
            value = {name: value}
        _, body = wire(sandbox, operation, json.dumps(value).encode())
        return json.loads(body).get("Message", "")

    for place in places(members):
        assert "has no member" not in message(place), place
    for owner in [(), *(place for place in places(members) if nested(members, place) is not None)]:
        assert message((*owner, "Newer")).startswith(f"{operation} has no member {'.'.join((*owner, 'Newer'))}.")


def nested(members: dict[str, Any], place: tuple[str, ...]) -> dict[str, Any] | None:
    first, *rest = place
    return nested(members[first], tuple(rest)) if rest else members[first]
