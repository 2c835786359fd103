"""The shares of a PE's parts in the time of a system's start: the paper's two pies and ours.

The paper gives one figure for each of its pies: all of the time, in percent of the second run. How the rest of a pie was
split is not known here (docs/references.md), so it is one part, and nothing is made up for it."""

from dataclasses import dataclass

from . import cases, figures, model

# As the paper names them, and what is left: load and save registers, write faults, the search.
PARTS = {"first run": ("first_run",), "rewind": ("rewind",), "flush": ("flush",), "second run": ("second_run",),
         "compare and commit": ("compare_commit",), "rest": ("load", "fault", "convergence")}
SECOND, UNKNOWN = "second run", "not stated"
NOTE = ("Of the paper's prototype two figures are known, 527 % and 3,400 %: they give the second run's share. How the rest "
        "was split is not known here. Ours: the start-up workload, a shell script.")
FLUSHES = ("none", "touched", "all")


@dataclass(frozen=True)
class Pie:
    title: str
    flush: str      # one of FLUSHES
    parts: dict     # part -> instructions, cycles, or percent of the second run
    clock: str

    @property
    def total(self):
        return sum(self.parts.values())

    @property
    def overhead(self):
        return 100 * self.total / self.parts[SECOND]

    def percent(self, part):
        return 100 * self.parts[part] / self.total


def _of_the_paper():
    for flush, percent in zip(("none", "all"), model.PAPER.values(), strict=True):
        yield Pie("the paper's prototype", flush, {SECOND: 100, UNKNOWN: percent - 100}, "time")


def _parts(phases):
    return {part: sum(phases[phase] for phase in names) for part, names in PARTS.items()}


def pies(found):
    """The paper's two, and three of each clock: QEMU's and each CPU's."""
    chosen = {flush: figure for flush in FLUSHES for figure in found
              if figure.name == f"{cases.START_UP}, flush={flush}" and not figure.error}
    made = list(_of_the_paper()) if chosen else []
    for flush, figure in chosen.items():
        made.append(Pie("Reprise, instructions", flush, _parts(figure.phases), figures.CLOCK))
    for cpu in model.CPUS:
        made += [Pie(f"Reprise, model of {cpu.name}", flush, _parts(model.predicted(figure, cpu).phases),
                     "cycles by the model") for flush, figure in chosen.items()]
    return made


def as_json(found):
    return [{"title": pie.title, "flush": pie.flush, "clock": pie.clock, "overhead_percent": round(pie.overhead, 1),
             "percent": {part: round(pie.percent(part), 2) for part in pie.parts}} for pie in pies(found)]
