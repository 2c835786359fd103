"""What the tests of scripts/campaign share: descriptions, and an injector that is played."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from reprise import machine  # noqa: E402
from reprise.campaign import description, outcome, outer, store  # noqa: E402

DESCRIPTION = """
seed = 7
confidence = 0.99
margin = 0.1
[programs.victim]
command = ["/bin/true"]
[[series]]
name = "one"
program = "victim"
injector = "outer"
targets = "general"
[[series]]
name = "two"
program = "victim"
injector = "outer"
targets = "flags"
faults = 40
"""
PRUNED = DESCRIPTION + """
[[series]]
name = "three"
program = "victim"
injector = "outer"
targets = "kernel"
prune = true
faults = 200
"""
GOLDEN = outcome.Seen(value=machine.CLEAN, hang=False, output="right\n", status=0, standing=False, differences=0,
                      by_exception=0, broken=False)


ELEMENTS = [[100, 2], [1, 0], [5000, 3], [40, 1]]  # instructions and modified pages
# Plays an injector: a population, and a class that depends on nothing but the fault.
FAKE = """
import sys
sys.path.insert(0, {lib!r})
from reprise.campaign import conduct, description, outcome

class Fake:
    def __init__(self, series, victim): pass
    def golden(self, scratch): return {{"end": 1000}}
    def population(self, golden): return 64000
    def draw(self, golden, random): return {{"at": random.randrange(1000), "target": "rax", "bit": random.randrange(64)}}
    def resolve(self, golden, faults, scratch):
        # Of each ten the first six do nothing, and the last two are the same as the one before them.
        return [{{"dead": "written", "ring": 0}} if n % 10 < 6 else {{"same_as": n // 10 * 10 + 7, "ring": 5}} if n % 10 > 7 else
                {{"used_by": n}} if n % 10 == 6 else {{}}
                for n in range(len(faults))]
    def divide(self, faults): return [list(range(n, min(n + 3, len(faults)))) for n in range(0, len(faults), 3)]
    def run(self, golden, faults, scratch):
        return [(outcome.ALL[(f["at"] * 31 + f["bit"]) % len(outcome.ALL)],
                 {{"ring": f["at"] % 2 * 3}} | ({{"together": "hang"}} if f["at"] % 7 == 0 else {{}})) for f in faults]

conduct.INJECTORS = {{"outer": Fake}}
conduct.Victim = lambda *given: None
"""
GO = "conduct.run(description.read(sys.argv[1]), sys.argv[2], {shard}, 2)\n"


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="reprise-campaign-test-")
        self.addCleanup(folder.cleanup)
        self.scratch = Path(folder.name)


def injector(kind, targets, **changes):
    """One that has no victim: it can draw faults and not make them."""
    made = object.__new__(kind)
    series = description.Series("name", "victim", "outer", targets, **changes)
    made._series, made._victim = series, type("Victim", (), {"memory": 2, "process": "victim"})
    made._words = outer.words_of(targets, 2) if kind is outer.Outer else []
    return made


class Campaigns(Scratch):
    """Whole campaigns with an injector that is played."""

    TEXT, SERIES = DESCRIPTION, ("one", "two")

    def setUp(self):
        super().setUp()
        self.description = self.scratch / "it.toml"
        self.description.write_text(self.TEXT)

    def started(self, name, shard=(1, 1), before=""):
        code = FAKE.format(lib=str(TOP / "scripts" / "lib")) + before + GO.format(shard=shard)
        return subprocess.Popen([sys.executable, "-B", "-c", code, self.description, self.scratch / name],
                                stderr=subprocess.DEVNULL)

    def finish(self, name, shard=(1, 1)):
        self.assertEqual(self.started(name, shard).wait(), 0)

    def found(self, name):
        with store.Store(self.scratch / name, must_exist=True) as results:
            return {series: results.results(series) for series in self.SERIES}
