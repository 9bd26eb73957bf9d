"""CHANGELOG.md, as far as a release needs it: the sections of versions, and whether one may be released."""

from __future__ import annotations

import re

from . import Refused

# ## 0.2.0 (2026-12-01)
HEADING = re.compile(r"^## (?P<version>\S+)(?: \((?P<date>\d{4}-\d\d-\d\d)\))?$", re.M)


def sections(text: str) -> dict[str, tuple[str | None, str]]:
    """By version, in the order of the file: the date and what stands below the heading."""
    found: dict[str, tuple[str | None, str]] = {}
    headings = list(HEADING.finditer(text))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["version"] in found:
            raise Refused(f"CHANGELOG.md has two sections {heading['version']}")
        body = text[heading.end() : following.start() if following else len(text)]
        found[heading["version"]] = (heading["date"], body.strip("\n"))
    return found


def release(text: str, version: str) -> str:
    """What is new in a version. It has to be the newest, with a date, and nothing may wait above it."""
    known = sections(text)
    waiting = known.pop("Unreleased", (None, ""))[1]
    if re.sub(r"^#.*$", "", waiting, flags=re.M).strip():
        raise Refused("CHANGELOG.md has entries under Unreleased, which would be in no release: move them to the section of this version")
    if next(iter(known), None) != version:
        raise Refused(f"the newest section of CHANGELOG.md is {next(iter(known), 'none')}, and the release is {version}")
    date, body = known[version]
    if date is None:
        raise Refused(f"the section {version} of CHANGELOG.md has no date: ## {version} (2026-12-31)")
    if not body.strip():
        raise Refused(f"the section {version} of CHANGELOG.md is empty")
    return body
