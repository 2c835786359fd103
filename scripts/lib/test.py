"""Configures, builds and runs all tests by ctest, and counts their cases."""

import argparse
import os
import shutil
import subprocess
import sys

sys.argv[0] = "scripts/test"
sys.dont_write_bytecode = True

from reprise import test_report, tree  # noqa: E402

# The logic under sanitizers, then the kernel in QEMU.
PRESETS = ["host-sanitize", "kernel"]
CI_PRESETS = ["ci-host", "ci"]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/test", description=__doc__, epilog=(
        "Kinds of tests, by label: host (logic on this machine, sanitized), fuzz (parsers under "
        "libFuzzer), qemu (boots). The reports stay in build/PRESET/test-report.xml."))
    add = parser.add_argument
    add("--long", action="store_true", help="also the tests that take minutes each")
    add("--filter", metavar="REGEX", default="", help="only tests whose name matches")
    add("--label", metavar="REGEX", default="", help="only tests with such a label")
    add("--jobs", type=int, default=os.cpu_count(), help="tests at once (default: processors)")
    add("--ci", action="store_true", help="build with every warning an error")
    add("--preset", action="append", metavar="NAME", help="only this preset; repeatable")
    return parser.parse_args()


def run_preset(preset, options):
    """Returns the names of the tests that passed and of those that failed."""
    directory = tree.build_dir(preset)
    # Two runs of one tree's tests would write the same reports. The tree itself stays free, so that
    # scripts/run need not wait for the tests.
    with tree.alone_in(directory / "Testing"):
        return run_ctest(preset, directory, options)


def run_ctest(preset, directory, options):
    report = directory / "test-report.xml"
    report.unlink(missing_ok=True)
    shutil.rmtree(directory / "cases", ignore_errors=True)
    command = ["ctest", "--test-dir", str(directory), "--output-on-failure", "--no-tests=ignore",
               "-j", str(options.jobs), "--output-junit", str(report)]
    if options.filter:
        command += ["-R", options.filter]
    if options.label:
        command += ["-L", options.label]
    if not options.long:
        command += ["-LE", "^long$"]
    status = subprocess.run(command, cwd=tree.TOP).returncode
    if not report.exists():
        return [], ([f"{preset}: ctest"] if status else [])
    passed, failed = test_report.outcomes(report, directory / "cases")
    failed = [f"{preset}: {name}" for name in failed]
    if status and not failed:
        failed = [f"{preset}: ctest ended with status {status}"]
    return passed, failed


def main():
    options = parse_arguments()
    os.environ.pop("REPRISE_BUILD", None)  # each preset is tested in its own build tree
    passed, failed = [], []
    for preset in options.preset or (CI_PRESETS if options.ci else PRESETS):
        tree.say(f"building {preset}")
        try:
            tree.build(preset)
        except tree.BuildError as error:
            print(error, file=sys.stderr)
            failed.append(f"{preset}: build")
            continue
        more_passed, more_failed = run_preset(preset, options)
        passed += more_passed
        failed += more_failed
    for name in failed:
        print(f"FAILED {name}")
    print(f"{len(passed)} passed, {len(failed)} failed", flush=True)
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
