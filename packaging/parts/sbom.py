"""The bill of materials: CycloneDX 1.6 as JSON (https://cyclonedx.org/docs/1.6/json/). The same for the same Cargo.lock, target and time."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timezone
from typing import Any

from .crate import Crate, Dependency

# Identifiers of SPDX that crates use (which of them are taken is in deny.toml); what is none of these is told as a name.
SPDX = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "LGPL-2.1-or-later", "MIT", "MIT-0",
    "MPL-2.0", "OpenSSL", "Unicode-3.0", "Unlicense", "Zlib", "GPL-2.0-only",
}  # fmt: skip


def purl(name: str, version: str) -> str:
    return f"pkg:cargo/{name}@{version.replace('+', '%2B')}"


def licences(text: str) -> list[dict[str, Any]]:
    """An expression of SPDX, or a name when it holds something that SPDX does not know."""
    expression = re.sub(r"\s*/\s*", " OR ", text)
    words = set(re.findall(r"[A-Za-z0-9.-]+", re.sub(r" WITH [A-Za-z0-9.-]+", "", expression))) - {"AND", "OR"}
    if not text:
        return []
    return [{"expression": expression}] if words <= SPDX else [{"license": {"name": text}}]


def component(dependency: Dependency) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl(dependency.name, dependency.version),
        "name": dependency.name,
        "version": dependency.version,
        # Build scripts and what they use run while the binary is made, and are no part of it.
        "scope": "excluded" if dependency.build_only else "required",
        "hashes": [{"alg": "SHA-256", "content": dependency.checksum}],
        "licenses": licences(dependency.licence),
        "purl": purl(dependency.name, dependency.version),
    }
    if re.fullmatch(r"https?://\S+", dependency.repository):
        found["externalReferences"] = [{"type": "vcs", "url": dependency.repository}]
    return found


def sbom(crate: Crate, target: str, seconds: int) -> str:
    own = purl("keywright", crate.version)
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"{crate.repository}#{crate.version}#{target}#{seconds}")
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "keywright",
                "version": crate.version,
                "description": crate.description,
                "licenses": [{"expression": crate.licence}],
                "purl": own,
                "externalReferences": [{"type": "vcs", "url": crate.repository}],
            },
            "properties": [{"name": "keywright:target", "value": target}],
        },
        "components": [component(dependency) for dependency in crate.dependencies],
        "dependencies": [
            {"ref": ref, "dependsOn": [purl(*need.rsplit("@", 1)) for need in needs]}
            for ref, needs in [(own, crate.needs), *((purl(d.name, d.version), d.needs) for d in crate.dependencies)]
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
