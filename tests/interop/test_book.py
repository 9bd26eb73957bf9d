"""docs/outside.py, by which mdBook's pages link to files of the repository: each of its links leads to one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = ROOT / "docs/outside.py"
BASE = "https://example.com/keywright"


def preprocessed(address: str | None) -> dict[str, str]:
    """Every page of docs/ as mdBook hands it on."""
    pages = {path.relative_to(ROOT / "docs").as_posix(): path.read_text() for path in (ROOT / "docs").rglob("*.md")}
    chapters = [{"Chapter": {"path": name, "content": text, "sub_items": []}} for name, text in pages.items()]
    html = {"git-repository-url": address} if address else {}
    book = [{"root": "docs", "config": {"output": {"html": html}}}, {"items": [{"Separator": None}, *chapters]}]
    done = subprocess.run([sys.executable, OUTSIDE], input=json.dumps(book), capture_output=True, text=True, check=True)
    return {item["Chapter"]["path"]: item["Chapter"]["content"] for item in json.loads(done.stdout)["items"][1:]}


def test_links_out_of_the_book_lead_to_files() -> None:
    followed = 0
    for name, text in preprocessed(None).items():
        for target in re.findall(r'<a href="([^"]+)">', text):
            followed += 1
            built = ROOT / "target/book" / Path(name).parent / target.replace("%2E", ".").partition("#")[0]
            # The folder of the built book need not be there.
            assert Path(os.path.normpath(built)).exists(), f"{name}: {target}"
    assert followed > 10


def test_with_an_address_they_lead_there() -> None:
    pages = preprocessed(BASE)
    targets = [target for text in pages.values() for target in re.findall(r'<a href="([^"]+)">', text)]
    assert len(targets) > 10
    for target in targets:
        assert (ROOT / target.removeprefix(f"{BASE}/blob/HEAD/").partition("#")[0]).exists(), target


def test_code_and_pages_of_the_book_stay_as_they_are() -> None:
    spec = importlib.util.spec_from_file_location("outside", OUTSIDE)
    assert spec and spec.loader
    outside = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(outside)
    page = "[a](b.md#c) [d](../../examples/x) [e](https://f) [g](decisions/README.md)\n```sh\n[h](../../i)\n```"
    said = '[a](b.md#c) <a href="B/blob/HEAD/examples/x">d</a> [e](https://f) [g](decisions/index.md)\n```sh\n[h](../../i)\n```'
    assert outside.rewrite(page, "guides/p.md", "B") == said
