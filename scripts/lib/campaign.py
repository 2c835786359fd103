"""Fault injection campaigns: flips bits at random in many runs of programs, and says what became of them. See --help."""

import argparse
import os
import re
import sys
from pathlib import Path

sys.argv[0] = "scripts/campaign"
sys.dont_write_bytecode = True

from reprise import machine, tree  # noqa: E402
from reprise.campaign import CampaignError, conduct, description, plan, report, store  # noqa: E402

FAILED, KEYBOARD = 70, 130

HELP = """\
Each fault is drawn at random from all instructions and bits of a run, and decided against the run without it.
docs/evidence.md says what the classes mean and how to describe a campaign.
"""
EPILOG = """\
examples:
  scripts/campaign run tests/campaigns/short.toml
  scripts/campaign run --shard 2/8 --results part-2.db FILE.toml
  scripts/campaign merge all.db part-*.db
  scripts/campaign report --html all.html --json all.json --csv all.csv all.db
  scripts/campaign repeat all.db 17
"""


def shard(text):
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N")
    return int(found[1]), int(found[2])


def parse_arguments():
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=HELP, epilog=EPILOG,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("run", help="do what is left of a campaign").add_argument
    add("description", metavar="FILE.toml")
    add("--results", metavar="FILE", help="where results are kept (default: the description's name with .db, here)")
    add("--shard", type=shard, default=(1, 1), metavar="I/N", help="do the I-th of N parts, into a file of its own")
    add("--series", default="", metavar="REGEX", help="do only the series whose name matches, as yet")
    add("--jobs", type=int, default=os.cpu_count(), metavar="N", help="machines at a time (default: as many as processors)")
    add = commands.add_parser("merge", help="put the results of all parts together").add_argument
    add("target", metavar="NEW")
    add("parts", nargs="+", metavar="FILE")
    add = commands.add_parser("report", help="say what came of the faults so far").add_argument
    add("results", metavar="FILE")
    add("--json", type=Path, metavar="FILE", help="all figures, and each failure")
    add("--short-json", type=Path, metavar="FILE", help="what series say together, without each of them")
    add("--csv", type=Path, metavar="FILE", help="a row for each class of each series")
    add("--html", type=Path, metavar="FILE", help="one page with plots, for people (needs python3-matplotlib)")
    add = commands.add_parser("repeat", help="do one fault again, and show the machine's console").add_argument
    add("results", metavar="FILE")
    add("number", type=int, help="of the fault")
    return parser.parse_args()


def _page(found, text):
    try:
        from reprise.campaign import page  # its plots need a package that a run does not
    except ModuleNotFoundError as error:
        raise CampaignError(f"{error}: scripts/doctor --install bench installs what the page's plots need") from error
    return page.made(found, text)


def say_report(path, json_file=None, csv_file=None, html_file=None, short_file=None):
    with store.Store(path, must_exist=True) as results:
        if not results.kept():
            raise CampaignError(f"{path} has no results")
        found, text = report.summary(results), results.kept()["description"]
    if json_file:
        json_file.write_text(report.as_json(found), encoding="utf-8")
    if csv_file:
        csv_file.write_text(report.as_csv(found), encoding="utf-8")
    if short_file:
        short_file.write_text(report.as_short_json(found), encoding="utf-8")
    if html_file:
        html_file.write_text(_page(found, text), encoding="utf-8")
    print(report.as_text(found), end="")


def build():
    for target in ("image_parts", "fault_plugin"):
        tree.build(target=target, say=tree.say)


def run(options):
    campaign = description.read(options.description)
    results = options.results or Path(options.description).with_suffix(".db").name
    if options.jobs < 1:
        raise CampaignError("--jobs is 1 or more")
    build()
    conduct.run(campaign, results, options.shard, options.jobs, only=options.series)
    say_report(results)


def foreknown(known):
    """A line about a fault: that it had no run, or which code reads the byte first (plan.Planned)."""
    if not plan.has_run(known):
        return f"known without a run: {known}"
    return f"read first by {known['used_by']:#x}" if known else ""


def repeat(options):
    with store.Store(options.results, must_exist=True) as results:
        name, fault = results.fault(options.number)
        campaign, known = description.parse(results.kept()["description"]), results.known(name).get(options.number, {})
    build()
    print(f"fault {options.number} of series {name}: {fault}")
    if known:
        print(foreknown(known))
    with conduct.bench_of(campaign) as bench:
        golden = bench.golden(name)
        found, details = bench.injectors[name].run(golden, [fault], bench.scratch)[0]
        print(bench.injectors[name].repeat(golden, fault, bench.scratch).console, end="")
    print(f"{found} {details}")


def main():
    options = parse_arguments()
    try:
        if options.command == "run":
            run(options)
        elif options.command == "merge":
            store.merge(options.target, options.parts)
        elif options.command == "report":
            say_report(options.results, options.json, options.csv, options.html, options.short_json)
        else:
            repeat(options)
        return 0
    except (CampaignError, tree.BuildError, machine.MachineError) as error:
        print(f"{sys.argv[0]}: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"{sys.argv[0]}: ended from the keyboard; the same command goes on", file=sys.stderr)
        return KEYBOARD


if __name__ == "__main__":
    sys.exit(main())
