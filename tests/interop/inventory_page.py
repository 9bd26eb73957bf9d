"""The page of `keywright inventory --format html`, put together from its parts as src/render/inventory/html.rs does."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

PARTS = Path(__file__).resolve().parents[2] / "src" / "render" / "inventory"

# Characters that reorder or hide text: those of src/render/escape/terminal.rs.
DECEPTIVE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)


def script() -> str:
    """The files that html.rs names, in its order."""
    named = re.findall(r'include_str!\("(page/[a-z]+\.js)"\)', (PARTS / "html.rs").read_text())
    assert set(named) == {f"page/{path.name}" for path in (PARTS / "page").glob("*.js")}
    return "".join((PARTS / name).read_text() for name in named)


def visible(text: str) -> str:
    """Text with its hidden characters as escapes, as `escape::markup` has it."""
    known = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    hidden = r"[\x00-\x1f\x7f-\x9f]|" + DECEPTIVE.pattern
    return re.sub(hidden, lambda c: known.get(c[0], f"\\u{{{ord(c[0]):x}}}"), text)


def markup(text: str) -> str:
    return html.escape(visible(text)).replace("&#x27;", "&#39;")


def data(document: dict[str, Any]) -> str:
    """The document as `escape::data` has it: nothing but printable ASCII, and no `<`."""
    return json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")


def sha256(content: str) -> str:
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def page(document: dict[str, Any], live: bool = False) -> str:
    """The page of a document."""
    style, code, totals = (PARTS / "page.css").read_text(), script(), document["totals"]
    project = markup(document["project"])
    found = ", ".join(f"{totals['findings'].get(name, 0)} {name}" for name in ("high", "medium", "low", "info"))
    policy = (
        f"default-src 'none'; script-src 'sha256-{sha256(code)}'; style-src 'sha256-{sha256(style)}'; img-src 'none'; "
        f"base-uri 'none'; form-action 'none'{chr(59) + ' connect-src ' + chr(39) + 'self' + chr(39) if live else ''}"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8" />\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />\n'
        f"<title>keywright inventory of {project}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f'<div id="page">\n<div class="cover">\n<h1>Inventory of {project}</h1>\n'
        f"<p>{counted(totals['secrets'], 'secret')} in {counted(len(document['targets']), 'target')}, looked at "
        f"{markup(document['started'])}. They cost ${totals['monthlyCents'] / 100:.2f} a month by the list price; "
        f"{totals['unused']} of them are unused.</p>\n<p>Findings: {found}.</p>\n"
        "<p>The table is drawn by this page's own script, which loads nothing. Without it, "
        "<code>keywright inventory --format text</code> prints the same.</p>\n</div>\n</div>\n"
        f'<script type="application/json" id="inventory"{" data-live=" + chr(34) + "yes" + chr(34) if live else ""}>'
        f'{data(document)}</script>\n<script type="module">{code}</script>\n</body>\n</html>\n'
    )
