"""The file that describes a campaign (TOML); docs/evidence.md has its keys."""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from . import CampaignError

INJECTORS = ("outer", "inner")
MODELS = ("single", "pair", "byte", "stuck")
WIDE = ("pair", "byte")                        # flip more than the bit that was drawn
PRUNED = ("memory", "kernel")                  # targets of which each access can be seen
WITH_GAPS = ("flags", "control", "registers")  # targets with words in which not every bit exists


@dataclass(frozen=True)
class Program:
    command: list
    files: dict = field(default_factory=dict)  # name on the machine -> path from the top of the tree, or {text, times}
    memory: int = 64                           # MiB of the machine
    arguments: str = ""                        # more boot arguments


@dataclass(frozen=True)
class Series:
    """Faults of one kind in one program, of which rates are computed."""
    name: str
    program: str
    injector: str
    targets: str
    hardened: bool = True
    model: str = "single"
    duration: int = 1   # instructions for which a bit is stuck
    prune: bool = False  # no run for flips whose effect is already known
    faults: int = 0     # 0: as many as confidence and margin ask for


@dataclass(frozen=True)
class Campaign:
    text: str
    seed: int
    confidence: float
    margin: float
    programs: dict
    series: list


def _made(kind, table, where):
    known = {each.name for each in dataclasses.fields(kind)}
    if unknown := sorted(set(table) - known):
        raise CampaignError(f"{where}: unknown key {unknown[0]!r}")
    try:
        return kind(**table)
    except TypeError as error:
        raise CampaignError(f"{where}: {error}") from error


def _check(series, programs):
    if series.program not in programs:
        raise CampaignError(f"series {series.name!r}: no program {series.program!r}")
    if series.injector not in INJECTORS:
        raise CampaignError(f"series {series.name!r}: injector is one of {', '.join(INJECTORS)}")
    if series.model not in MODELS:
        raise CampaignError(f"series {series.name!r}: model is one of {', '.join(MODELS)}")
    if series.model in WIDE and series.targets in WITH_GAPS:
        raise CampaignError(f"series {series.name!r}: {series.targets!r} has words with bits that do not exist, so model is "
                            f"single or stuck; {series.model!r} suits 'general', 'vector' and 'memory'")
    if series.prune and (series.injector != "outer" or series.targets not in PRUNED or series.model != "single"):
        raise CampaignError(f"series {series.name!r}: prune suits single bits of {' and '.join(PRUNED)}, by the outer injector")
    if series.injector == "inner" and (not series.hardened or series.model != "single"):
        raise CampaignError(f"series {series.name!r}: the inner injector flips single bits of programs that run twice")


def parse(text):
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"not TOML: {error}") from error
    programs = {name: _made(Program, given, f"program {name!r}") for name, given in table.pop("programs", {}).items()}
    series = [_made(Series, given, f"series {number}") for number, given in enumerate(table.pop("series", []), 1)]
    for each in series:
        _check(each, programs)
    if not series or len({each.name for each in series}) != len(series):
        raise CampaignError("a campaign has one series or more, with different names")
    given = {"seed": 1, "confidence": 0.95, "margin": 0.05, **table}
    return _made(Campaign, {**given, "text": text, "programs": programs, "series": series}, "the campaign")


def read(path):
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise CampaignError(f"{path}: {error.strerror}") from error
    except CampaignError as error:
        raise CampaignError(f"{path}: {error}") from error
