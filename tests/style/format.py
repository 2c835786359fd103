#!/usr/bin/python3
"""Fails when clang-format would change a C or C++ file of the tree (.clang-format)."""

import subprocess
import sys

from files import C_LIKE, TOP, tracked


def main():
    names = tracked(C_LIKE)
    if not names:
        print("no files found")
        return 1
    found = subprocess.run(["clang-format", "--dry-run", "-Werror", *names], cwd=TOP)
    print(f"{len(names)} files looked at")
    if found.returncode != 0:
        print("to mend: clang-format -i FILE")
    return found.returncode


if __name__ == "__main__":
    sys.exit(main())
