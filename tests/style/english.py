#!/usr/bin/python3
"""Fails when a comment, a message or a page of docs has a phrase that readers stumble over.

CONTRIBUTING.md says how to write instead: subject first, one idea a sentence. A phrase is found across the
end of a line, too. In pages, text in `code` or in quotes is a mention of the phrase and does not count.
"""

import bisect
import re
import sys

from files import C_LIKE, TOP, tracked

PHRASES = ["for who", "to who", "by who", "of who", "from who", "with who", "such that",
           "in case that", "whoever", "whomever"]
SUFFIXES = C_LIKE | {".asm", ".inc", ".py", ".cmake", ".txt", ".md", ".ld", ""}
# "Of what" that opens a sentence, and the others anywhere.
PATTERN = re.compile(r"\b((?i:" + "|".join(PHRASES) + r")|Of what)\b")
OPENING = re.compile(r"^\s*(?://+|/?\*+|;+|#+|>)?\s*")  # what opens a line of a comment or a quote
MENTION = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”")
# Recorded output and files that other projects wrote; and this list itself.
EXCEPT = ("LICENSE", "tests/qemu/golden/", "tests/fuzz/corpus/", "tests/style/english.py")


def running_text(text):
    """The text as one line, comment signs taken away, and where in it each line begins."""
    pieces, starts, at = [], [], 0
    for line in text.splitlines():
        piece = OPENING.sub("", line, count=1).rstrip() + " "
        starts.append(at)
        pieces.append(piece)
        at += len(piece)
    return "".join(pieces), starts


def findings(text, is_page):
    """Pairs of line number and phrase."""
    if is_page:
        text = MENTION.sub("", text)
    joined, starts = running_text(text)
    return [(bisect.bisect_right(starts, match.start()), match.group().lower())
            for match in PATTERN.finditer(joined)]


def is_text(path):
    return b"\0" not in path.read_bytes()[:1000]


def all_findings():
    """Triples of path, line number and phrase."""
    for name in tracked(SUFFIXES):
        if name.startswith(EXCEPT) or not is_text(TOP / name):
            continue
        text = (TOP / name).read_text(encoding="utf-8", errors="replace")
        for line, phrase in findings(text, name.endswith(".md")):
            yield name, line, phrase


def main():
    found = list(all_findings())
    for name, line, phrase in found:
        print(f"{name}:{line}: \"{phrase}\"")
    print(f"{len(found)} phrases to rewrite")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
