#!/usr/bin/python3
"""Fails when ring 0 has mutable data at file or function scope beyond the list below.

What a CPU, the machine or a context has belongs into its structure, so that there can be two of them. Two
looks: the symbols of kernel.elf between data_start and data_end, which the compiler cannot hide, and the
sources, which also show what no program has needed yet.

    symbols.py NM KERNEL.ELF
"""

import re
import subprocess
import sys

from files import C_LIKE, RING_0, TOP, tracked

# symbol of kernel.elf -> why it may be there
ALLOWED = {
    "reprise::machine_storage": "the kernel's one object: frames, processes, CPUs, log, settings",
    "arch::x86::board": "what the machine has once: IDT, clock rates, I/O APICs, kernel root, serial line",
    "arch::x86::boot_cpu": "per-processor state of the processor that boots, reached by GS base",
    "kernel_stack_guard": "the boot processor's kernel stack begins: a page that is never mapped",
}
# What the linker script defines: bounds, not data.
BOUNDS = {"data_start", "data_end", "rodata_end"}

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
DECLARATION = re.compile(r"\s*(?:inline\s+)?(?:static|constinit|thread_local|extern)\b(?!\s*\"C\")([^={;]*)")
CONSTANT = re.compile(r"\b(?:const|constexpr|consteval|template)\b")


def without_module(symbol):
    """Anonymous namespaces say nothing about what an object is for."""
    return symbol.replace("(anonymous namespace)::", "")


def data_symbols(nm, kernel):
    """Pairs of name and size for all that lies in writable memory."""
    listed = subprocess.run([nm, "-C", "-S", "-n", kernel], capture_output=True, text=True, check=True)
    symbols = []
    for line in listed.stdout.splitlines():
        match = re.match(r"([0-9a-f]+) (?:([0-9a-f]+) )?(\w) (.*)", line)
        if match:
            address, size, _, name = match.groups()
            symbols.append((int(address, 16), int(size or "0", 16), name))
    bounds = {name: address for address, _, name in symbols if name in BOUNDS}
    return [(without_module(name), size) for address, size, name in symbols
            if bounds["data_start"] <= address < bounds["data_end"] and name not in BOUNDS]


def check_symbols(nm, kernel):
    found = data_symbols(nm, kernel)
    errors = [f"kernel.elf: {name} ({size} bytes) is mutable data at file or function scope"
              for name, size in found if name not in ALLOWED]
    names = {name for name, _ in found}
    errors += [f"symbols.py: {name} is allowed, but kernel.elf has no such symbol"
               for name in ALLOWED if name not in names]
    return errors


def mutable_declarations(text):
    """Pairs of line number and line: objects that `static`, `constinit` or `extern` introduces."""
    text = COMMENT.sub(lambda match: "\n" * match.group().count("\n"), text)
    for number, line in enumerate(text.splitlines(), start=1):
        match = DECLARATION.match(line)
        if match and "(" not in match.group(1) and not CONSTANT.search(match.group(1)):
            yield number, line.strip()


def check_sources():
    allowed = {name.rpartition("::")[2] for name in ALLOWED}
    for name in tracked(C_LIKE, RING_0):
        for number, line in mutable_declarations((TOP / name).read_text(encoding="utf-8")):
            if not allowed & set(re.findall(r"\w+", line)):
                yield f"{name}:{number}: {line}"


def main():
    nm, kernel = sys.argv[1:]
    errors = [*check_symbols(nm, kernel), *check_sources()]
    print("\n".join(errors))
    print(f"{len(errors)} objections")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
