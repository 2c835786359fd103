#!/usr/bin/python3
"""Fails when clang-tidy objects to a source file below one of the folders, or to a header it includes.

    lint.py [--thorough] BUILD FOLDER...

Compiler flags come from BUILD/compile_commands.json; a file that is not there (its build rule is a custom
one) gets plain ones. The static analyzer, which follows paths through functions, runs only with --thorough:
in ring 0 it takes several times as long as all other checks together.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from files import TOP, tracked

LIGHT_CATCH = Path(__file__).resolve().parent / "lint"
# Of GCC: clang does not know the one, and without x87 it refuses the standard library's headers.
DROPPED = {"-mgeneral-regs-only", "-fno-tree-loop-distribute-patterns"}
FINDING = re.compile(r"^(/[^:\n]+):(\d+):(\d+): (?:warning|error): (.*)$", re.MULTILINE)
# Read by programs for their layout alone, never linked.
EXCEPT = ("arch/x86_64/offsets.cpp",)


def known_commands(build):
    """File -> its flags in that build tree, without compiler, output and input."""
    commands = {}
    for entry in json.loads((Path(build) / "compile_commands.json").read_text(encoding="utf-8")):
        words = shlex.split(entry["command"])
        start = next(i for i, word in enumerate(words) if word.startswith("-"))
        end = words.index("-o", start)
        commands.setdefault(os.path.realpath(entry["file"]), words[start:end])
    return commands


def database(names, build):
    known = known_commands(build)
    entries = []
    for name in names:
        path = str(TOP / name)
        plain = ["-I", str(TOP)] + (["-std=c++20"] if name.endswith(".cpp") else [])
        flags = [flag for flag in known.get(path, plain) if flag not in DROPPED]
        compiler = "clang++" if name.endswith(".cpp") else "clang"
        arguments = [compiler, f"-I{LIGHT_CATCH}", *flags, "-c", path]
        entries.append({"directory": str(Path(build).resolve()), "file": path, "arguments": arguments})
    return entries


def run_clang_tidy(names, build, checks):
    """All that clang-tidy says about the files, and about their headers once for each file."""
    if not names:
        return ""
    with tempfile.TemporaryDirectory(prefix="reprise-lint-") as scratch:
        (Path(scratch) / "compile_commands.json").write_text(
            json.dumps(database(names, build)), encoding="utf-8")
        command = ["clang-tidy", "--quiet", "-p", scratch, *checks, *(str(TOP / name) for name in names)]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    if ran.returncode != 0 and not FINDING.search(ran.stdout):
        print(ran.stdout, ran.stderr)
        return f"{TOP}:0:0: error: clang-tidy ended with status {ran.returncode}\n"
    return ran.stdout


def findings(output):
    """Each finding once, with the header's own path rather than that of a link to it."""
    seen = {}
    for match in FINDING.finditer(output):
        path, line, column, text = match.groups()
        seen[f"{os.path.relpath(os.path.realpath(path), TOP)}:{line}:{column}: {text}"] = None
    return list(seen)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thorough", action="store_true")
    parser.add_argument("build")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    names = [name for name in tracked({".cpp", ".c"}, tuple(f"{folder}" for folder in options.folders))
             if name not in EXCEPT]
    checks = [] if options.thorough else ["--checks=-clang-analyzer-*"]
    found = findings(run_clang_tidy(names, options.build, checks))
    print("\n".join(found))
    print(f"{len(names)} files, {len(found)} findings")
    return 1 if found or not names else 0


if __name__ == "__main__":
    sys.exit(main())
