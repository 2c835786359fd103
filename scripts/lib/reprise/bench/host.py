"""Benchmarks of this machine (scripts/bench --host): runs tests/benchmarks, and turns its output into ratios.

Each ratio comes from turns of some microseconds within one run, ours and the C library's. A benchmark is repeated, all of
them in random order, and the median counts. So other work on the machine changes times more than it changes ratios."""

import csv
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .. import tree
from .figures import FormatError

TARGET = "host_benchmarks"
# What the vectors do -> what the C library does in its place, and the project's aim in percent.
REFERENCES = {"copy_page": ("memcpy", None), "checked_copy_of_page": ("memcpy", 90), "compare_pages": ("memcmp", 75),
              "check_word": ("memchr", None), "copy_words": ("memcpy", None), "differing_bits": ("memcmp", None)}
AREAS = ("pages", "registers", "bandwidth", "page_set", "controller", "instructions")
LEVELS = ("L1", "L2", "memory", "absent", "clean", "modified", "in_sequence", "shuffled")
VECTORS = re.compile(r"(pages|registers)/(\w+)_(sse2|avx2|avx512)/(\w+)")
OTHER = re.compile(r"(bandwidth|page_set|controller|instructions)/(\w+)/(\w+)")


class BenchmarkError(Exception):
    """The benchmarks did not run to their end, or one of them found something wrong; the text says what."""


@dataclass
class Ratio:
    """An operation of the kernel beside the C library's. Throughputs are bytes per second."""
    area: str
    operation: str
    width: str
    where: str        # a level of the memory hierarchy, or a size in bytes
    ratio: float      # percent of the reference's throughput
    lowest: float     # of all repetitions
    highest: float
    ours: float
    reference: float

    @property
    def against(self):
        return REFERENCES[self.operation][0]

    @property
    def aim(self):
        return REFERENCES[self.operation][1]


@dataclass
class Time:
    """What has no counterpart in the C library, or is that counterpart."""
    area: str
    operation: str
    where: str                # a level, or a number of pages
    nanoseconds: float        # of one operation
    throughput: float | None  # bytes per second


@dataclass
class Results:
    cpu: str
    widest: str
    ratios: list
    times: list


def cpu():
    """The processor, as Linux names it: vendor, family, model."""
    lines = (line.partition(":") for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines())
    found = {}
    for key, _, value in lines:
        found.setdefault(key.strip(), value.strip())
    return (f"{found.get('model name', 'unknown')} ({found.get('vendor_id', '?')} family {found.get('cpu family', '?')} "
            f"model {found.get('model', '?')})")


def run(program, path, *, pattern="", repetitions=9, seconds=0.05):
    """Runs the benchmarks; their own JSON goes to `path`."""
    ran = subprocess.run([program, f"--benchmark_filter={pattern or '.'}", f"--benchmark_out={path}",
                          "--benchmark_out_format=json", f"--benchmark_repetitions={repetitions}",
                          f"--benchmark_min_time={seconds}", "--benchmark_enable_random_interleaving=true",
                          f"--benchmark_context=processor={cpu()}"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        raise BenchmarkError(f"{ran.stderr}{program} ended with status {ran.returncode}")


def _by_name(path):
    """The context, and each benchmark's repetitions."""
    content = json.loads(path.read_text(encoding="utf-8"))
    found = {}
    for entry in content["benchmarks"]:
        if entry.get("error_occurred"):
            raise BenchmarkError(f"{entry['name']}: {entry['error_message']}")
        if entry["run_type"] == "iteration":
            found.setdefault(entry["run_name"], []).append(entry)
    return content["context"], found


def _middle(repetitions, key):
    return median(entry[key] for entry in repetitions)


def _place(where):
    """Levels from the nearest to the farthest, then states of a cache line; sizes as numbers."""
    return int(where) if where.isdigit() else LEVELS.index(where)


def _order(ratio, widest):
    """The kernel's own width first."""
    return (AREAS.index(ratio.area), ratio.width != widest, ratio.width, list(REFERENCES).index(ratio.operation),
            _place(ratio.where))


def read(path):
    """The Results of a run."""
    try:
        context, found = _by_name(path)
        ratios, times = [], []
        for name, repetitions in found.items():
            if vectors := VECTORS.match(name):
                percents = [100 * entry["ratio"] for entry in repetitions]
                ratios.append(Ratio(*vectors.groups(), median(percents), min(percents), max(percents),
                                    _middle(repetitions, "bytes_per_second"),
                                    _middle(repetitions, "reference_bytes_per_second")))
            elif other := OTHER.match(name):
                throughput = _middle(repetitions, "bytes_per_second") if "bytes_per_second" in repetitions[0] else None
                times.append(Time(*other.groups(), _middle(repetitions, "real_time"), throughput))
            else:
                raise FormatError(f"{path}: {name} is no benchmark that this version knows")
        widest = context["widest_vectors"]
        return Results(context["processor"], widest, sorted(ratios, key=lambda ratio: _order(ratio, widest)),
                       sorted(times, key=lambda time: (AREAS.index(time.area), time.operation, _place(time.where))))
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(f"{path} is no result of scripts/bench --host: {error}") from error


def _aim(ratio, widest):
    if ratio.aim is None or ratio.width != widest:
        return ""
    return f"{ratio.aim} % reached" if ratio.ratio >= ratio.aim else f"{ratio.aim} % MISSED"


def _ratio_lines(results):
    lines = [f"{'ours':32} {'where':>7} {'throughput':>11} {'C library':>18} {'ratio':>7} {'lowest-highest':>16}  aim"]
    for ratio in results.ratios:
        lines.append(f"{ratio.operation + ', ' + ratio.width:32} {ratio.where:>7} {ratio.ours / 1e9:6.1f} GB/s "
                     f"{ratio.against} {ratio.reference / 1e9:6.1f} GB/s {ratio.ratio:5.0f} % "
                     f"{ratio.lowest:6.0f} - {ratio.highest:4.0f} %  {_aim(ratio, results.widest)}".rstrip())
    return lines


def table(results):
    """Lines for a terminal."""
    lines = [f"CPU: {results.cpu}; the kernel takes {results.widest}"]
    if results.ratios:
        lines += ["", *_ratio_lines(results)]
    if results.times:
        lines += ["", f"{'operation':32} {'where':>11} {'time':>14}"]
    for time in results.times:
        speed = f"{time.throughput / 1e9:8.1f} GB/s" if time.throughput else ""
        lines.append(f"{time.area + ': ' + time.operation:32} {time.where:>11} {time.nanoseconds:11,.2f} ns {speed}".rstrip())
    return lines


def write_csv(results, path):
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["area", "operation", "width", "where", "ratio_percent", "lowest_percent", "highest_percent",
                       "bytes_per_second", "against", "reference_bytes_per_second", "nanoseconds"])
        for ratio in results.ratios:
            rows.writerow([ratio.area, ratio.operation, ratio.width, ratio.where, f"{ratio.ratio:.1f}", f"{ratio.lowest:.1f}",
                           f"{ratio.highest:.1f}", f"{ratio.ours:.0f}", ratio.against, f"{ratio.reference:.0f}", ""])
        for time in results.times:
            speed = f"{time.throughput:.0f}" if time.throughput else ""
            rows.writerow([time.area, time.operation, "", time.where, "", "", "", speed, "", "", f"{time.nanoseconds:.2f}"])


def measure(folder, pattern):
    """Builds and runs the benchmarks; their results are in the folder then."""
    from . import host_plot  # matplotlib takes a second to load
    tree.build("host", target=TARGET, say=tree.say)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "host.json"
    tree.say("measuring for about two minutes")
    run(tree.build_dir("host") / "bin" / TARGET, path, pattern=pattern)
    results = read(path)
    write_csv(results, folder / "host.csv")
    host_plot.draw(results, folder)
    return results
