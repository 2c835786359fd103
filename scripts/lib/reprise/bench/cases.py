"""The cases: programs, and the settings that they run with. Each program checks its own result."""

import gzip
import random
from dataclasses import dataclass, field

BUSYBOX = "/bin/busybox"


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    programs: tuple                # of argument lists; the first one's name is looked up among native programs
    arguments: str = ""            # kernel command line
    files: dict = field(default_factory=dict)  # name on the machine -> bytes
    as_on_host: bool = False       # the first program must print what it prints on this machine
    x: float = 0                   # its place on a plot's axis
    series: str = ""               # its line or colour there
    memory: int = 256              # of the machine, in MiB


def _text(size):
    """Words that compress about as well as prose."""
    source = random.Random(1)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(400)]
    return " ".join(source.choices(words, k=size // 6)).encode()[:size]


# A few built-ins of the shell and no other process: what a system does while it starts.
SCRIPT = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); s=${s}x; test -e /no/$i || n=$i; done; echo $n ${#s}"

WORKLOADS = "workloads"
LENGTHS = "length of a PE"
POLICIES = "policies"
RANDOM_WRITES = "random writes"


def _workloads():
    text = _text(200_000)

    def linux(name, *argv, files=None):
        return Case(WORKLOADS, name, ([BUSYBOX, *argv],), files=files or {}, as_on_host=True)

    def native(name, *programs, arguments=""):
        return Case(WORKLOADS, name, programs, arguments)

    return [
        linux("start-up: a shell script", "sh", "-c", SCRIPT),
        native("one native call in each PE", ["vectors", "500"]),
        native("messages: ask and answer", ["pingpong", "ping", "300"], ["pingpong", "pong", "300"]),
        native("integers in registers", ["compute", "1000000"]),
        linux("busybox sha512sum, 200 kB", "sha512sum", "data", files={"data": text}),
        linux("busybox gunzip -t, 200 kB", "gunzip", "-t", "data.gz", files={"data.gz": gzip.compress(text, mtime=0)}),
        linux("busybox awk, a loop", "awk", "BEGIN { for (i = 0; i < 20000; i++) s += i % 7; print s }"),
        *(native(f"{pages} modified page{'' if pages == 1 else 's'} in each PE of 200 us", ["sweep", str(pages), "12000"],
                 arguments="pe.limit=200") for pages in (0, 1, 10, 60)),
    ]


def _lengths():
    found = []
    for pages in (0, 1, 10, 60):
        for length in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000):
            rounds = max(12_000, 150 * length)  # some 250 instructions each: ten PEs at least
            found.append(Case(LENGTHS, f"{pages} pages, {length} us", (["sweep", str(pages), str(rounds)],),
                              f"pe.limit={length}", x=length, series=f"{pages} modified pages"))
    return found


def _policies():
    return [Case(POLICIES, f"{policy}, flush={flush}", (["sweep", "10", "12000"],),
                 f"pe.limit=200 policy={policy} flush={flush}", series=policy)
            for policy in ("rotate", "classic") for flush in ("none", "touched", "all")]


def _random_writes():
    return [Case(RANDOM_WRITES, f"into {pages:,} pages", (["random_writes", str(pages)],), x=pages, memory=512)
            for pages in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)]


ALL = _random_writes() + _workloads() + _lengths() + _policies()
