"""`scripts/bench --kernel`: instructions of ring 0 per PE, by phase and workload, counted by tests/instruction_count."""

import json
import sys

from .. import tree

sys.path.insert(0, str(tree.TOP / "tests" / "instruction_count"))

import counting  # noqa: E402

FORMAT = 1
PAGES = (1, 11)  # of PEs whose difference is ten pages
# name of a measure -> a workload beyond those that a test holds
FURTHER = {f"{policy}, {pages} page{'' if pages == 1 else 's'}":
           counting.Measure(["pages", str(pages), "500"], ["pages", str(pages), "100"], f"policy={policy}")
           for policy in ("rotate", "classic") for pages in PAGES}


def _per_page(figures, policy):
    few, many = (figures[f"{policy}, {pages} page{'' if pages == 1 else 's'}"] for pages in PAGES)
    return {phase: (many[phase] - few[phase]) / (PAGES[1] - PAGES[0]) for phase in few}


def measure(folder):
    """Boots all workloads. Returns name -> phase -> instructions per PE, and writes them to kernel.json."""
    figures = {name: counting.measure(one).by_phase() for name, one in {**counting.MEASURES, **FURTHER}.items()}
    for policy in ("rotate", "classic"):
        figures[f"{policy}, each further page"] = _per_page(figures, policy)
    folder.mkdir(parents=True, exist_ok=True)
    content = {"format": FORMAT, "clock": "instructions of ring 0 per PE (QEMU -icount shift=0)", "figures": figures}
    (folder / "kernel.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return figures


def table(figures):
    """Lines of Markdown."""
    phases = list(next(iter(figures.values())))
    lines = [f"| workload | {' | '.join(phase.replace('_', ' ') for phase in phases)} |",
             "|---" * (len(phases) + 1) + "|"]
    for name, found in figures.items():
        lines.append(f"| {name} | {' | '.join(f'{found[phase]:,.0f}' for phase in phases)} |")
    return lines
