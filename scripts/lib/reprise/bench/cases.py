"""The cases: programs, and the settings that they run with. Each program checks its own result."""

import gzip
import random
from dataclasses import dataclass, field, replace

BUSYBOX = "/bin/busybox"


@dataclass(frozen=True)
class Case:
    group: str
    name: str
    programs: tuple                # of argument lists; names are looked up among the tree's programs
    arguments: str = ""            # kernel command line
    files: dict = field(default_factory=dict)  # name on the machine -> bytes
    as_on_host: bool = False       # the first program must print what it prints on this machine
    x: float = 0                   # its place on a plot's axis
    series: str = ""               # its line or colour there
    memory: int = 256              # of the machine, in MiB
    against_once: bool = False     # boot it with harden=none, too
    timeline: bool = False         # keep what the machine says of each PE
    process: str = ""              # its name in the image for a real machine
    once_too: bool = False         # there it runs with harden=none, too


def _text(size):
    """Words that compress about as well as prose."""
    source = random.Random(1)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(400)]
    return " ".join(source.choices(words, k=size // 6)).encode()[:size]


# A few built-ins of the shell and no other process: what a system does while it starts.
SCRIPT = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); s=${s}x; test -e /no/$i || n=$i; done; echo $n ${#s}"

# Tables, strings, sorting and closures.
LUA = b"""
local words, seen = {}, {}
for i = 1, 20000 do words[i] = string.format("%05d", i * 7919 % 20011) end
table.sort(words)
for place, word in ipairs(words) do seen[word] = (seen[word] or 0) + place end
local function counter() local n = 0; return function(by) n = n + by; return n end end
local count = counter()
for word, place in pairs(seen) do count(place * #word) end
print(#words, words[1], words[#words], count(0), table.concat(words):reverse():sub(1, 20))
"""

AWK_LOOP = "BEGIN { for (i = 0; i < 20000; i++) s += i % 7; print s }"

START_UP = "start-up: a shell script"

WORKLOADS = "workloads"
LENGTHS = "length of a PE"
POLICIES = "policies"
COPIES = "copies and write faults"
HEAVY = "compressors and a sort"
FLUSHES = "flushes"
RANDOM_WRITES = "random writes"
DISTRIBUTION = "PE by PE"
MACHINE = "real machine"


def _workloads():
    text = _text(200_000)

    def linux(name, *argv, files=None):
        return Case(WORKLOADS, name, ([BUSYBOX, *argv],), files=files or {}, as_on_host=True)

    def native(name, *programs, arguments=""):
        return Case(WORKLOADS, name, programs, arguments)

    return [
        linux(START_UP, "sh", "-c", SCRIPT),
        native("one native call in each PE", ["vectors", "500"]),
        native("messages: ask and answer", ["pingpong", "ping", "300"], ["pingpong", "pong", "300"]),
        native("integers in registers", ["compute", "1000000"]),
        native("floating point in registers", ["floats", "800000"]),
        native("AVX in registers", ["avx", "30"]),
        native("pointer chasing in 256 pages", ["chase", "256", "64"]),
        linux("busybox sha512sum, 200 kB", "sha512sum", "data", files={"data": text}),
        linux("busybox gunzip -t, 200 kB", "gunzip", "-t", "data.gz", files={"data.gz": gzip.compress(text, mtime=0)}),
        linux("busybox awk, a loop", "awk", AWK_LOOP),
        Case(WORKLOADS, "SQLite: 10,000 inserts, an index, queries", (["sqlite_inserts"],), as_on_host=True),
        Case(WORKLOADS, "Lua: a script", (["lua_run", "bench.lua"],), files={"bench.lua": LUA}, as_on_host=True),
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


def _copies():
    """Stable sets: each PE modifies the same pages. The program's start, which lets them in, is a small part."""
    programs = {
        "calls, few pages": (["vectors", "500"],),
        "calls, 10 pages in each PE": (["pages", "10", "1000"],),
        **{f"200 us, {pages} modified page{'' if pages == 1 else 's'} in each PE": (["sweep", str(pages), rounds],)
           for pages, rounds in ((1, "100000"), (10, "40000"), (60, "40000"))},
    }
    return [Case(COPIES, f"{name}: {policy}", program, f"pe.limit=200 policy={policy}", series=policy)
            for name, program in programs.items() for policy in ("rotate", "classic")]


def _lines(size):
    """Numbered lines of words, in random order."""
    source = random.Random(7)
    words = ["bit", "flip", "page", "frame", "run", "commit", "restart", "rotate", "copy", "word"]
    numbered = [f"{number} {' '.join(source.choices(words, k=source.randint(1, 9)))}\n" for number in range(size // 34)]
    source.shuffle(numbered)
    return "".join(numbered).encode()


def _heavy():
    """Programs that nobody here wrote and that write many pages."""
    def case(name, *argv, files=None):
        return Case(HEAVY, name, (list(argv),), files=files or {}, as_on_host=True, memory=1024, against_once=True)

    levels = [("zstd", 1), ("zstd", 5), ("zstd", 9), ("bzip2", 9), ("lzma", 6)]
    return [*(case(f"{library}, level {level}, 2 MiB of text, and back", "compress", library, str(level), "2048")
              for library, level in levels),
            case("busybox sort -u, 4 MiB of lines", BUSYBOX, "sort", "-u", "-k2,2", "text",
                 files={"text": _lines(4 << 20)})]


def _flushes():
    """Short PEs: what a flush costs does not shrink with them."""
    programs = {START_UP: [BUSYBOX, "sh", "-c", SCRIPT],
                "busybox awk, a loop": [BUSYBOX, "awk", AWK_LOOP],
                "one native call in each PE": ["vectors", "500"]}
    return [Case(FLUSHES, f"{name}, flush={flush}", (argv,), f"flush={flush}", series=name, as_on_host=argv[0] == BUSYBOX)
            for name, argv in programs.items() for flush in ("none", "touched", "all")]


def _random_writes():
    return [Case(RANDOM_WRITES, f"into {pages:,} pages", (["random_writes", str(pages)],), x=pages, memory=512)
            for pages in (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)]


def _distribution():
    """Some of the workloads once more, with a record of each PE. Sending it makes interrupts find other PEs."""
    chosen = (START_UP, "messages: ask and answer", "busybox gunzip -t, 200 kB",
              "SQLite: 10,000 inserts, an index, queries", "10 modified pages in each PE of 200 us")
    return [replace(case, group=DISTRIBUTION, arguments=f"{case.arguments} timeline=com2".strip(), timeline=True)
            for case in _workloads() if case.name in chosen]


def _machine():
    """What an image for a real machine runs, one after the other in one boot. A real CPU is many times as fast as QEMU, so they
    are longer than the workloads: some tens of milliseconds there."""
    text = _text(2_000_000)

    def case(process, name, program, arguments="", once_too=False, **more):
        return Case(MACHINE, name, program, arguments, process=process, once_too=once_too, **more)

    def linux(process, name, *argv, files=None, **more):
        return case(process, name, ([BUSYBOX, *argv],), files=files or {}, as_on_host=True, **more)

    def sweep(process, name, pages, arguments):
        return case(process, name, (["sweep", str(pages), "400000"],), arguments)

    start_up = ("sh", "-c", SCRIPT)
    return [
        linux("startup", START_UP, *start_up, once_too=True),
        linux("startup-t", f"{START_UP}, flush=touched", *start_up, arguments="flush=touched"),
        linux("startup-a", f"{START_UP}, flush=all", *start_up, arguments="flush=all"),
        case("calls", "one native call in each PE", (["vectors", "5000"],), once_too=True),
        case("messages", "messages: ask and answer", (["pingpong", "ping", "3000"], ["pingpong", "pong", "3000"])),
        case("integers", "integers in registers", (["compute", "20000000"],), once_too=True),
        case("floats", "floating point in registers", (["floats", "10000000"],), once_too=True),
        case("avx", "AVX in registers", (["avx", "500"],), once_too=True),
        case("chase", "pointer chasing in 256 pages", (["chase", "256", "1000"],), once_too=True),
        linux("sha512", "busybox sha512sum, 2 MB", "sha512sum", "data", files={"data": text}, once_too=True),
        linux("gunzip", "busybox gunzip -t, 2 MB", "gunzip", "-t", "data.gz",
              files={"data.gz": gzip.compress(text, mtime=0)}, once_too=True),
        linux("awk", "busybox awk, a loop", "awk", AWK_LOOP.replace("20000", "100000"), once_too=True),
        case("sqlite", "SQLite: 10,000 inserts, an index, queries", (["sqlite_inserts"],), as_on_host=True, once_too=True),
        case("lua", "Lua: a script", (["lua_run", "bench.lua"],), files={"bench.lua": LUA}, as_on_host=True, once_too=True),
        *(sweep(f"p{pages}", f"{pages} modified page{'' if pages == 1 else 's'} in each PE of 200 us", pages, "pe.limit=200")
          for pages in (0, 1, 10, 60)),
        sweep("p10-c", "10 modified pages, policy=classic", 10, "pe.limit=200 policy=classic"),
        sweep("p10-t", "10 modified pages, flush=touched", 10, "pe.limit=200 flush=touched"),
        sweep("p10-a", "10 modified pages, flush=all", 10, "pe.limit=200 flush=all"),
    ]


ALL = (_random_writes() + _heavy() + _workloads() + _lengths() + _policies() + _copies() + _flushes() +
       _distribution() + _machine())
