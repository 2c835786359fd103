#!/usr/bin/python3
"""Fails when clang-tidy objects to a source file below one of the folders, or to a header it includes.

    lint.py [--thorough] BUILD FOLDER...

Compiler flags come from BUILD/compile_commands.json; a file that is not there (its build rule is a custom
one) gets plain ones.

Most of the time goes into headers, which many files share. So files with the same flags are read as one: a
generated file includes them all. A name that two of them give to something of their own gets a number in
each. Files that do not compile together even so are read apart. Where clang-tidy objects to the whole, it reads each file alone, and only that counts. Read so, a
`using` without use may hide behind its use in another file. --thorough therefore reads each file alone, and
adds the static analyzer, which follows paths through functions and takes several times as long as the rest.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from files import TOP, tracked

LIGHT_CATCH = Path(__file__).resolve().parent / "lint"
# Flags that say what the compiler reads. The others (optimization, warnings, code generation) only keep
# files apart, and clang does not know some of GCC's.
KEPT = re.compile(r"-I|-D|-std=|-isystem|-include|-ffreestanding|-fno-exceptions|-fno-rtti")
WITH_VALUE = ("-I", "-D", "-isystem", "-include")
FINDING = re.compile(r"^(/[^:\n]+):(\d+):(\d+): (?:warning|(?:fatal )?error): (.*)$", re.MULTILINE)
COLLISION = re.compile(r"^(/[^:\n]+):(\d+):(\d+): error: (?:(?:type alias )?redefinition|functions that differ only in their return type)",
                       re.MULTILINE)
# Read by programs for their layout alone, never linked.
EXCEPT = ("arch/x86_64/offsets.cpp",)


def known_commands(build):
    """File -> its flags in that build tree. A layer's own include root has links into the tree: the tree's
    top in its place lets files of several layers be read as one."""
    commands = {}
    roots = f"-I{build}/include/"
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        words = iter(shlex.split(entry["command"]))
        flags = []
        for word in words:
            if word == "-Xclang":  # CMake's way to a precompiled header, which is not wanted here
                next(words)
            elif KEPT.match(word):
                value = (next(words),) if word in WITH_VALUE else ()
                flags.append((f"-I{TOP}" if word.startswith(roots) else word, *value))
        unique = dict.fromkeys(flags)
        commands.setdefault(os.path.realpath(entry["file"]), [word for flag in unique for word in flag])
    return commands


def by_command(names, build):
    """The compiler's name and flags -> the files that are compiled so."""
    known = known_commands(build)
    groups = {}
    for name in names:
        path = str(TOP / name)
        is_c = name.endswith(".c")
        flags = known.get(path, [f"-I{TOP}", *([] if is_c else ["-std=c++20"])])
        command = ("clang" if is_c else "clang++", f"-I{LIGHT_CATCH}", *flags)
        groups.setdefault(command, []).append(path)
    return groups


def joined(paths, scratch, colliding=()):
    """A file that includes them all. Each program's main(), and each colliding name, differs from file to file."""
    if len(paths) == 1:
        return paths[0]
    whole = scratch / f"joined{Path(paths[0]).suffix}"
    names = ["main", *colliding]
    whole.write_text("".join(
        "".join(f"#define {name} {name}{i}\n" for name in names) + f'#include "{path}"\n' +
        "".join(f"#undef {name}\n" for name in names) for i, path in enumerate(paths)))
    return str(whole)


@dataclass
class Together:
    """Files that compile as one when the colliding names differ."""
    paths: list
    colliding: list


def colliding_names(errors):
    """The names at which the compiler says that two files collide."""
    names = set()
    for path, line, column in COLLISION.findall(errors):
        text = Path(path).read_text(encoding="utf-8").split("\n")[int(line) - 1]
        names.update(re.findall(r"^\w+", text[int(column) - 1:]))
    return names


def split(paths, command, scratch):
    """What compiles as one, and the files that got in the way."""
    together, apart = Together(list(paths), []), []
    while len(together.paths) > 1:
        whole = joined(together.paths, scratch, together.colliding)
        ran = subprocess.run([*command, "-w", "-ferror-limit=0", "-fsyntax-only", whole],
                             capture_output=True, text=True, cwd=TOP)
        if ran.returncode == 0:
            break
        found = sorted(colliding_names(ran.stderr) - set(together.colliding))
        if found:
            together.colliding += found
            continue
        named = {match[1] for match in FINDING.finditer(ran.stderr)}
        blamed = [path for path in together.paths if path in named] or together.paths[1:]
        apart += blamed
        together.paths = [path for path in together.paths if path not in blamed]
    return together, apart


def compiled_together(paths, command, scratch):
    """What compiles as one. After two, further attempts cost more than they save."""
    first, apart = split(paths, command, scratch)
    second, apart = split(apart, command, scratch)
    return [some for some in (first, second, *(Together([path], []) for path in apart)) if some.paths]


def clang_tidy(path, command, checks, scratch):
    """All that clang-tidy says about the file and about its headers."""
    entry = {"directory": str(scratch), "file": path, "arguments": [*command, "-c", path]}
    (scratch / "compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
    ran = subprocess.run(["clang-tidy", "--quiet", "--header-filter=.*", "-p", scratch, *checks, path],
                         capture_output=True, text=True, cwd=TOP)
    if ran.returncode != 0 and not FINDING.search(ran.stdout):
        print(ran.stdout, ran.stderr)
        return f"{TOP}/:0:0: error: clang-tidy ended with status {ran.returncode}\n"
    return ran.stdout


def findings(output):
    """Each finding within the tree once, with the header's own path rather than that of a link to it."""
    seen = {}
    for match in FINDING.finditer(output):
        path, line, column, text = match.groups()
        path = os.path.relpath(os.path.realpath(path), TOP)
        if not path.startswith(".."):
            seen[f"{path}:{line}:{column}: {text}"] = None
    return list(seen)


def read(together, command, checks, scratch):
    """What clang-tidy finds in files that compile as one, and in their headers."""
    whole = joined(together.paths, scratch, together.colliding)
    found = findings(clang_tidy(whole, command, checks, scratch))
    if not found or len(together.paths) == 1:
        return found
    return [finding for path in together.paths
            for finding in read(Together([path], []), command, checks, scratch)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--thorough", action="store_true")
    parser.add_argument("build")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    names = [name for name in tracked({".cpp", ".c"}, tuple(f"{folder}" for folder in options.folders))
             if name not in EXCEPT]
    found = {}
    with tempfile.TemporaryDirectory(prefix="reprise-lint-") as folder:
        scratch = Path(folder)
        # clang-tidy looks for its settings above the file that it reads.
        (scratch / ".clang-tidy").symlink_to(TOP / ".clang-tidy")
        for command, paths in by_command(names, Path(options.build).resolve()).items():
            if options.thorough:
                lists, checks = [Together([path], []) for path in paths], []
            else:
                lists, checks = compiled_together(paths, command, scratch), ["--checks=-clang-analyzer-*"]
            for together in lists:
                found.update(dict.fromkeys(read(together, command, checks, scratch)))
    print("\n".join(found))
    print(f"{len(names)} files, {len(found)} findings")
    return 1 if found or not names else 0


if __name__ == "__main__":
    sys.exit(main())
