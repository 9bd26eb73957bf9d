"""`jq`, as far as recipes and documents use it, over jq itself: options, a filter, and files or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jq


def main() -> None:
    raw, compact, status, words, named = False, False, False, [], {}
    given = sys.argv[1:]
    while given:
        word = given.pop(0)
        if word == "--arg":
            named[given.pop(0)] = given.pop(0)
        elif word.startswith("-"):
            unknown = set(word[1:]) - set("rce")
            assert not unknown, f"fake_jq.py does not know {word}"
            raw, compact, status = raw or "r" in word, compact or "c" in word, status or "e" in word
        else:
            words.append(word)
    filter, *files = words
    texts = [Path(file).read_text() for file in files] or [sys.stdin.read()]
    last: object = None
    for text in texts:
        for last in jq.compile(filter, args=named).input_text(text).all():
            if raw and isinstance(last, str):
                print(last)
            else:
                print(json.dumps(last, ensure_ascii=False, **({"separators": (",", ":")} if compact else {"indent": 2})))
    sys.exit(1 if status and last in (None, False) else 0)


main()
