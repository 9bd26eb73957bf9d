"""`jq`, as far as recipes and documents use it, over jq itself: options, a filter, and files or standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jq


def main() -> None:
    raw, compact, status, null, slurp, words, named = False, False, False, False, False, [], {}
    given = sys.argv[1:]
    while given:
        word = given.pop(0)
        if word in ("--arg", "--argjson", "--slurpfile"):
            name, text = given.pop(0), given.pop(0)
            named[name] = {
                "--arg": lambda text: text,
                "--argjson": json.loads,
                "--slurpfile": lambda file: [json.loads(Path(file).read_text())],
            }[word](text)
        elif word.startswith("-"):
            unknown = set(word[1:]) - set("rcens")
            assert not unknown, f"fake_jq.py does not know {word}"
            raw, compact, status = raw or "r" in word, compact or "c" in word, status or "e" in word
            null, slurp = null or "n" in word, slurp or "s" in word
        else:
            words.append(word)
    filter, *files = words
    texts = ["null"] if null else [Path(file).read_text() for file in files] or [sys.stdin.read()]
    if not null and not files and not slurp and not texts[0].strip():
        texts = []
    last: object = None
    for text in texts:
        try:
            results = jq.compile(filter, args=named).input_text(text, slurp=slurp).all()
        except ValueError as error:
            print(f"jq: error: {error}", file=sys.stderr)
            sys.exit(5)
        for last in results:
            if raw and isinstance(last, str):
                print(last)
            else:
                layout = {"separators": (",", ":")} if compact else {"indent": 2}
                print(json.dumps(last, ensure_ascii=False, **layout))
    sys.exit(1 if status and last in (None, False) else 0)


main()
