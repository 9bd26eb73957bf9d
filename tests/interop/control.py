"""The sandbox's control path: its clock, its faults and its log of calls, apart from the service's own API."""

from __future__ import annotations

import json
import urllib.request
from datetime import timedelta
from typing import Any

from aws import Endpoint


def control(endpoint: Endpoint, method: str, order: str, body: Any = None) -> Any:
    """Carries out an order; a text goes as it is, anything else as JSON."""
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(f"{endpoint.url}/_keywright/{order}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def calls(endpoint: Endpoint) -> list[dict[str, Any]]:
    """The calls since the last `forget_calls`, the oldest first."""
    return control(endpoint, "GET", "calls")["calls"]


def forget_calls(endpoint: Endpoint) -> None:
    control(endpoint, "DELETE", "calls")


def advance(endpoint: Endpoint, **time: float) -> None:
    """Moves the clock forward, by days, hours and so on as a timedelta has them."""
    control(endpoint, "POST", "clock", {"advance": int(timedelta(**time).total_seconds())})


def rotations(endpoint: Endpoint, outcome: Any, of: Any = "any") -> None:
    """Says how rotations end."""
    control(endpoint, "POST", "faults", {"rotations": [{"of": of, "outcome": outcome}]})
