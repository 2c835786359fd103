"""Makes a timeline from the logged serial lines of a machine that was booted with timeline=com2. Under QEMU
`scripts/run --trace FILE` does all of it."""

import argparse
import sys
from pathlib import Path

sys.argv[0] = "scripts/timeline"
sys.dont_write_bytecode = True

from reprise import events, timeline  # noqa: E402

NO_INPUT = 66


def parse_arguments():
    parser = argparse.ArgumentParser(prog=sys.argv[0], description=__doc__)
    add = parser.add_argument
    add("port", type=Path, help="what came over the second serial port")
    add("file", type=Path, help="the timeline, for ui.perfetto.dev")
    add("--console", type=Path, metavar="LOG", help="what came over the first one: names of processes, and flips")
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        console = []
        if options.console:
            text = options.console.read_text(encoding="utf-8", errors="replace")
            console = filter(None, map(events.parse_event, events.clean(text).splitlines()))
        with (options.port.open(encoding="utf-8", errors="replace") as port,
              options.file.open("w", encoding="utf-8") as file):
            said = timeline.convert(port, file, console, "nanoseconds of the machine's clock", " ".join(sys.argv))
        print(f"{options.file}: {said}")
        return 0
    except OSError as error:
        print(f"{sys.argv[0]}: {error.filename}: {error.strerror}", file=sys.stderr)
        return NO_INPUT


if __name__ == "__main__":
    sys.exit(main())
