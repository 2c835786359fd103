"""Measures what running twice costs, and shows it: a table, JSON, CSV, plots and one page. See --help."""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.argv[0] = "scripts/bench"
sys.dont_write_bytecode = True

from reprise import machine, tree  # noqa: E402
from reprise.bench import (cases, figures, guest, host, kernel, machine_report, model, page, plots, shares, sheet, tables,
                           usb_image)  # noqa: E402

BENCH = tree.TOP / "build" / "bench" / "bench.json"
EPILOG = """\
Figures are guest instructions in QEMU (-icount), so they repeat to the digit on any host. Each case boots a machine of its
own, checks that its program did its work, and that no run differed. Overhead is what a PE takes in all, in percent of its
second run alone; the limit of running twice on one core is 200 %.

With --host nothing boots: tests/benchmarks run on this machine, each operation of the kernel in turns with the C library's.
--filter then chooses benchmarks, such as 'pages/.*/L2'.

With --model nothing boots, either. It predicts how two real CPUs would run each case of a bench.json: every event has a cost
in cycles there (docs/performance.md).

With --image nothing boots: FILE becomes an ISO for a USB stick. A real machine runs the group "real machine" from it and shows
a sheet of figures, on screen and serial line. --read makes tables and plots of that sheet. The model's predictions stand
beside it when scripts/bench --filter "real machine" has run before (docs/hardware.md).
"""


def parse_arguments():
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=__doc__, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--filter", metavar="REGEX", default="", help="only cases whose group or name matches")
    add("--list", action="store_true", help="print the cases, boot nothing")
    add("--out", type=Path, default=tree.TOP / "build" / "bench", metavar="FOLDER",
        help="where the results go (default build/bench)")
    add("--jobs", type=int, default=os.cpu_count(), help="machines at once (default: processors)")
    add("--compare", nargs=2, type=Path, metavar=("OLD", "NEW"),
        help="show what differs between two bench.json, boot nothing")
    add("--model", nargs="?", type=Path, metavar="FILE", const=BENCH,
        help="predict the overhead on two real CPUs from a bench.json (default build/bench/bench.json), boot nothing; with "
        "--read: the bench.json that predictions come from")
    add("--host", action="store_true",
        help="measure this machine instead: copies and comparisons beside memcpy and memcmp, the page set, the controller")
    add("--kernel", action="store_true", help="count ring 0's instructions per PE instead, by phase and workload")
    add("--guest", action="store_true", help="boot Debian's kernel as a guest instead, hardened and once: some minutes")
    add("--image", type=Path, metavar="FILE", help="write an ISO that measures a real machine by itself, boot nothing")
    add("--read", type=Path, metavar="LOG",
        help="tables and plots of the sheet that such a machine has shown: a log of its serial line, or typed by hand")
    return parser.parse_args()


class Progress:
    """One line for each case that is done, with the time that the rest will take."""

    def __init__(self, count):
        self.count, self.done, self.begin = count, 0, time.monotonic()

    def __call__(self, figure):
        self.done += 1
        spent = time.monotonic() - self.begin
        left = round(spent / self.done * (self.count - self.done))
        what = figure.error or f"{figure.overhead:.0f} %"
        print(f"[{self.done}/{self.count}] {figure.group}: {figure.name}: {what}"
              f"   ({left // 60}:{left % 60:02} left)", flush=True)


def measured(chosen, jobs):
    progress = Progress(len(chosen))

    def one(case):
        figure = figures.measure(case)
        progress(figure)
        return figure

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, chosen))


def commit():
    ran = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=tree.TOP, capture_output=True, text=True)
    return ran.stdout.strip() or "unknown"


def write(found, folder):
    folder.mkdir(parents=True, exist_ok=True)
    figures.write_json(found, folder / "bench.json", commit(), model=model.as_json(found), shares=shares.as_json(found))
    figures.write_csv(found, folder / "bench.csv")
    tables.write_csv(tables.tables(found), folder)
    pictures = plots.draw(found, folder)
    page.write(found, pictures, folder / "bench.html", commit())
    (folder / "bench.md").write_text(tables.markdown(tables.tables(found)), encoding="utf-8")


def build_programs(chosen):
    if not os.environ.get("REPRISE_BUILD"):
        tree.build(target="image_parts", say=tree.say)
        for name in figures.linux_programs(chosen):
            tree.build(target=f"linux_program_{name}")


def write_image(path, pattern):
    chosen = [case for case in cases.ALL
              if case.group == cases.MACHINE and re.search(pattern, f"{case.group}: {case.name}")]
    if not chosen:
        print(f"no case of the group {cases.MACHINE!r} matches {pattern!r}")
        return 1
    build_programs(chosen)
    usb_image.write(chosen, path)
    tree.say(f"wrote {path}: {len(chosen)} cases. docs/hardware.md says how to put it onto a USB stick")
    return 0


def read_sheet(log, predictions, folder):
    """Shows what the sheet says, and writes it. `predictions`: a bench.json."""
    found_sheet = sheet.read(log)
    found, once = sheet.figures_of(found_sheet), sheet.once_of(found_sheet)
    bench = figures.read_json(predictions) if predictions.exists() else []
    ranges = machine_report.predictions(found, bench)
    made = machine_report.tables_of(found, once, bench)
    facts = machine_report.facts(found_sheet)
    print("\n".join([*facts, *tables.text(made[:2])]))
    folder.mkdir(parents=True, exist_ok=True)
    figures.write_json(found, folder / "machine.json", commit(), f"cycles of the time stamp ({found_sheet.cpu})",
                       **machine_report.as_json(found_sheet, once, bench, found))
    tables.write_csv(made, folder)
    (folder / "machine.md").write_text(tables.markdown(made), encoding="utf-8")
    page.write_machine(facts, made, plots.draw_machine(found, ranges, folder), found_sheet.lines, folder / "machine.html")
    if not ranges:
        tree.say(f'{predictions} has no case of the sheet, so nothing is predicted: scripts/bench --filter "real machine" first')
    tree.say(f"wrote {folder}/machine.html, .md, .json, and machine_*.csv, .png and .svg")
    return 1 if any(figure.error for figure in found) else 0


def main():
    options = parse_arguments()
    if options.image:
        return write_image(options.image, options.filter)
    if options.read:
        return read_sheet(options.read, options.model or BENCH, options.out)
    if options.compare:
        old, new = map(figures.read_json, options.compare)
        print("\n".join(figures.comparison(old, new)))
        return 0
    if options.model:
        print("\n".join(model.table(figures.read_json(options.model))))
        return 0
    if options.host:
        print("\n".join(host.table(host.measure(options.out, options.filter))))
        tree.say(f"wrote {options.out}/host.json, .csv, .png and .svg")
        return 0
    if options.kernel:
        if not os.environ.get("REPRISE_BUILD"):
            tree.build(target="image_parts", say=tree.say)
            for target in ("instruction_count", "small_guest"):
                tree.build(target=target)
        print("\n".join(kernel.table(kernel.measure(options.out))))
        tree.say(f"wrote {options.out}/kernel.json")
        return 0
    if options.guest:
        if not os.environ.get("REPRISE_BUILD"):
            tree.build(target="image_parts", say=tree.say)
        print("\n".join(guest.table(guest.measure(options.out))))
        tree.say(f"wrote {options.out}/guest.json")
        return 0
    chosen = [case for case in cases.ALL if re.search(options.filter, f"{case.group}: {case.name}")]
    if options.list or not chosen:
        print("\n".join(f"{case.group}: {case.name}" for case in chosen) or f"no case matches {options.filter!r}")
        return 0 if chosen else 1
    build_programs(chosen)
    if not os.environ.get("REPRISE_BUILD"):
        tree.build(target="line_count", say=tree.say)
    found = measured(chosen, options.jobs)
    print("\n".join([*figures.table(found), *tables.text(tables.for_terminal(found))]))
    write(found, options.out)
    tree.say(f"wrote {options.out}/bench.html, .md, .json, .csv and plots")
    return 1 if any(figure.error for figure in found) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (machine.MachineError, tree.BuildError, figures.FormatError, sheet.SheetError, host.BenchmarkError,
            kernel.counting.CountError, guest.FailedBoot, OSError) as error:
        tree.say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
