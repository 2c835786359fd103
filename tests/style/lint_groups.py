#!/usr/bin/python3
"""Fails when a source file is in no lint group, or when no such file includes a header.

    lint_groups.py FOLDER...        all that the lint tests read
"""

import re
import sys
from pathlib import Path

from files import C_LIKE, TOP, tracked
from lint import EXCEPT

# The compiler puts it before each program of ring 3 (-include).
INCLUDED_BY_FLAG = "scripts/cmake/one_image.h"
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.MULTILINE)


def with_headers(sources, headers):
    """The sources and all that they include, at any depth. A name stands for each header whose path ends
    so: a fake header has the name of the real one."""
    reached, waiting = set(), list(sources)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        text = (TOP / name).read_text(encoding="utf-8")
        for included in INCLUDE.findall(text):
            waiting += [header for header in headers if f"/{header}".endswith(f"/{included}")]
    return reached


def main():
    folders = tuple(f"{folder}/" for folder in sys.argv[1:])
    files = tracked(C_LIKE)
    sources = [name for name in files if Path(name).suffix in (".cpp", ".c")]
    headers = [name for name in files if name not in sources]
    linted = [name for name in sources if name.startswith(folders)]
    forgotten = sorted(set(files) - with_headers(linted, headers) - set(EXCEPT) - {INCLUDED_BY_FLAG})
    for name in forgotten:
        print(f"{name}: clang-tidy does not read it; tests/style/CMakeLists.txt has the folders")
    print(f"{len(files)} files, {len(forgotten)} that clang-tidy does not read")
    return 1 if forgotten or not files else 0


if __name__ == "__main__":
    sys.exit(main())
