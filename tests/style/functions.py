#!/usr/bin/python3
"""Fails when a function of ring 0 is longer than 40 lines, from its first line to its closing brace.

It reads the layout that clang-format gives (the format test holds it): a body opens at the end of a line, and
its closing brace stands as deep as the function's first line. So templates in headers count, too.
Assembly routines do not: an entry path is one straight piece, whatever its length.
"""

import re
import sys

from files import C_LIKE, RING_0, TOP, tracked

LIMIT = 40
NO_FUNCTION = re.compile(r"^\s*(namespace|extern|class|struct|union|enum|if|else|for|while|switch|do|case|"
                         r"default|return|using|concept|try|static_assert|constinit)\b")
LITERAL_OR_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.DOTALL)


def code_lines(text):
    """The lines without comments and without what literals hold."""
    def keep(match):
        piece = match.group()
        return "\n" * piece.count("\n") if piece.startswith("/") else "''"

    return [line.rstrip() for line in LITERAL_OR_COMMENT.sub(keep, text).split("\n")]


def head_start(lines, at):
    """Where the declaration begins whose body opens at the end of line `at`: behind the last line
    that ends a statement, a block, a label or a comment."""
    start = at
    while start > 0:
        above = lines[start - 1]
        ends = not above or above.endswith((";", "}", "{")) or re.match(r"\s*(#|\w+:$)", above)
        if ends and not (above.endswith("}") and lines[start].lstrip().startswith((",", ":"))):
            break
        start -= 1
    return start


def closing_line(lines, opened):
    """The line whose brace closes the block that opened in line `opened`."""
    level = 0
    for at in range(opened, len(lines)):
        for sign in lines[at] if at > opened else "{":
            level += (sign == "{") - (sign == "}")
            if level == 0:
                return at
    return len(lines) - 1


def functions(text):
    """Triples of first line, number of lines and first line's text, for functions of several lines."""
    lines = code_lines(text)
    at = 0
    while at < len(lines):
        if lines[at].endswith("{"):
            start = head_start(lines, at)
            head = " ".join(line.strip() for line in lines[start:at + 1])
            if "(" in head and not NO_FUNCTION.match(re.sub(r"^template <.*?> (?=\w)", "", head)):
                end = closing_line(lines, at)
                yield start + 1, end - start + 1, lines[start].strip()
                at = end
        at += 1


def main():
    names = tracked(C_LIKE, RING_0)
    seen = 0
    too_long = []
    for name in names:
        for line, length, head in functions((TOP / name).read_text(encoding="utf-8")):
            seen += 1
            if length > LIMIT:
                too_long.append(f"{name}:{line}: {length} lines: {head}")
    print("\n".join(too_long))
    print(f"{seen} functions of several lines, {len(too_long)} longer than {LIMIT}")
    return 1 if too_long or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
