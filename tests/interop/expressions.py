"""GitHub's expressions, as far as workflows of examples/ci use them: literals, contexts, `! == != && ||` and functions.

What a workflow says and this does not know is an error, so that no condition is passed over."""

from __future__ import annotations

import json
import re
from typing import Any

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(\|\||&&|==|!=|[!()\[\],.*])|([A-Za-z_][\w-]*)|(\d+))")
STATUS = {"success", "failure", "always", "cancelled"}


class Scope:
    """What expressions see: contexts by name, and what became of the steps or jobs before."""

    def __init__(self, contexts: dict[str, Any], failed: bool = False, cancelled: bool = False) -> None:
        self.contexts, self.failed, self.cancelled = contexts, failed, cancelled

    def call(self, name: str, given: list[Any]) -> Any:
        match name, given:
            case "success", []:
                return not self.failed and not self.cancelled
            case "failure", []:
                return self.failed
            case "always", []:
                return True
            case "cancelled", []:
                return self.cancelled
            case "fromJSON", [text]:
                return json.loads(text)
            case "toJSON", [value]:
                return json.dumps(value)
        raise AssertionError(f"this interpreter has no {name} with {len(given)} arguments")


class Parser:
    def __init__(self, text: str, scope: Scope) -> None:
        self.scope, self.tokens, self.at = scope, [], 0
        end = 0
        while text[end:].strip():
            found = TOKEN.match(text, end)
            assert found, f"cannot read {text[end:]!r} of {text!r}"
            self.tokens.append(found)
            end = found.end()

    def sign(self) -> str | None:
        return self.tokens[self.at][2] if self.at < len(self.tokens) else None

    def take(self, sign: str) -> bool:
        taken = self.sign() == sign
        self.at += taken
        return taken

    def whole(self) -> Any:
        value = self.either()
        assert self.at == len(self.tokens), "there is more behind the expression"
        return value

    def either(self) -> Any:
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value if truthy(value) else other
        return value

    def both(self) -> Any:
        value = self.equality()
        while self.take("&&"):
            other = self.equality()
            value = other if truthy(value) else value
        return value

    def equality(self) -> Any:
        value = self.negation()
        while (sign := self.sign()) in ("==", "!="):
            self.at += 1
            other = self.negation()
            # Texts are compared without regard to case; nothing and the empty text are equal.
            same = plain(value) == plain(other)
            value = same if sign == "==" else not same
        return value

    def negation(self) -> Any:
        return not truthy(self.negation()) if self.take("!") else self.primary()

    def primary(self) -> Any:
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return value
        text, _, name, number = self.tokens[self.at].groups()
        self.at += 1
        if text is not None:
            return text.replace("''", "'")
        if number is not None:
            return int(number)
        if name in ("true", "false", "null"):
            return json.loads(name)
        if self.take("("):
            given = []
            while not self.take(")"):
                given.append(self.either())
                self.take(",")
            return self.scope.call(name, given)
        assert name in self.scope.contexts, f"there is no context {name} here"
        value = self.scope.contexts[name]
        while self.take("."):
            # What is not there is nothing, as it is on GitHub.
            value = (value or {}).get(self.tokens[self.at][3])
            self.at += 1
        return value


def truthy(value: Any) -> bool:
    return value not in (None, False, 0, "")


def plain(value: Any) -> Any:
    return "" if value is None else value.lower() if isinstance(value, str) else value


def evaluate(text: str, scope: Scope) -> Any:
    return Parser(text, scope).whole()


def filled(value: Any, scope: Scope) -> Any:
    """A value of a workflow with its expressions filled in. One that is a single expression keeps its type."""
    if isinstance(value, dict):
        return {name: filled(part, scope) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, scope) for part in value]
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*", value, re.DOTALL):
        return evaluate(whole[1], scope)

    def text(found: re.Match[str]) -> str:
        part = evaluate(found[1], scope)
        return "" if part is None else str(part)

    return re.sub(r"\$\{\{(.+?)\}\}", text, value)


def holds(condition: str | bool | None, scope: Scope) -> bool:
    """An `if`: without a function that asks for the status, it holds only after success."""
    if condition is None:
        return scope.call("success", [])
    text = str(condition).strip()
    text = text.removeprefix("${{").removesuffix("}}") if text.startswith("${{") else text
    asks = any(re.search(rf"\b{name}\(\)", text) for name in STATUS)
    return truthy(evaluate(text, scope)) and (asks or scope.call("success", []))


