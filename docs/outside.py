"""A preprocessor of mdBook: links that lead out of the book (../examples, ../schemas, …) lead to the repository.

mdBook takes every relative link to a Markdown file for a page of the book. On the hosting site such links work as they
are written, and `tests/book` sees that each leads to a file.
"""

from __future__ import annotations

import json
import posixpath
import re
import sys
from typing import Any

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s]+)\)")
README = re.compile(r"(^|/)README[.]md(?=#|$)")
FENCE = re.compile(r"^\s*```")


def outside(target: str, page: str) -> str | None:
    """The path in the repository to which a link of a page leads; none where it stays in the book."""
    if re.match(r"[a-z]+:|#", target):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
    return path.removeprefix("../") if path.startswith("../") else None


def rewrite(text: str, page: str, base: str | None) -> str:
    """The page with its links that lead out. Links to a page without an address are relative to the built page."""

    def link(found: re.Match[str]) -> str:
        label, target = found[1], found[2]
        path = outside(target, page)
        if path is None:
            # mdBook makes index.html of README.md, and leaves links to it as they are.
            target = README.sub(r"\1index.md", target)
            return f"[{label}]({target})"
        # From target/book/PAGE up to the repository.
        up = "../" * (page.count("/") + 2)
        # mdBook would write .html for .md in HTML as well.
        address = f"{base}/blob/HEAD/{path}" if base else up + path.replace(".md", "%2Emd")
        label = re.sub(r"`([^`]*)`", r"<code>\1</code>", label)
        return f'<a href="{address}">{label}</a>'

    lines, fenced = [], False
    for line in text.split("\n"):
        fenced ^= bool(FENCE.match(line))
        lines.append(line if fenced or FENCE.match(line) else LINK.sub(link, line))
    return "\n".join(lines)


def chapters(items: list[Any], base: str | None) -> None:
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter is not None:
            if chapter["path"]:
                # README.md is index.md here, in the same folder.
                chapter["content"] = rewrite(chapter["content"], chapter["path"], base)
            chapters(chapter["sub_items"], base)


def main() -> None:
    if len(sys.argv) > 1 and sys.argv[1] == "supports":
        sys.exit(0 if sys.argv[2] == "html" else 1)
    context, book = json.load(sys.stdin)
    base = context["config"].get("output", {}).get("html", {}).get("git-repository-url")
    chapters(book.get("items") or book.get("sections"), base.rstrip("/") if base else None)
    json.dump(book, sys.stdout)


if __name__ == "__main__":
    main()
