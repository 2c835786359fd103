"""The benchmarks of this machine, as briefly as possible: each one runs, without an error of its own, and scripts/bench
reads what it says. No time is judged."""

import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts" / "lib"))

from reprise.bench import host  # noqa: E402


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="reprise-benchmarks-") as folder:
        path = Path(folder) / "host.json"
        host.run(program, path, repetitions=1, seconds=0.000001)
        results = host.read(path)
        host.write_csv(results, Path(folder) / "host.csv")
    lines = host.table(results)
    print("\n".join(lines))
    missing = set(host.AREAS) - {each.area for each in results.ratios + results.times}
    if missing:
        print(f"no figure of {', '.join(sorted(missing))}")
    shown = {(ratio.operation, ratio.where) for ratio in results.ratios if ratio.width == results.widest and ratio.aim}
    if len(shown) != 6:
        print(f"the aims stand at {sorted(shown)}, not at two operations in three levels")
    return 1 if missing or len(shown) != 6 else 0


if __name__ == "__main__":
    sys.exit(main())
