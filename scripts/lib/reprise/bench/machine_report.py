"""What `scripts/bench --read` makes of a sheet: overhead and cycles as a real machine measured them, beside what the model
predicts from the same cases in QEMU. So the model's terms are confirmed or refuted one by one."""

from dataclasses import dataclass

from . import cases, figures, model, tables

PHASE_NAMES = {"load": "load", "first_run": "first run", "fault": "write faults", "rewind": "rewind", "flush": "flush",
               "second_run": "second run", "convergence": "search", "compare_commit": "compare and commit"}
NOTHING = "-"


@dataclass(frozen=True)
class Sample:
    """A case's PEs together, measured or predicted: cycles, and how often what happened."""
    phases: dict
    pes: float
    limited: float
    steps: float
    costs: dict


def measured(figure):
    return Sample(figure.phases, figure.pes, figure.ends["time-limit"], figure.steps, figure.costs)


def predicted(figure, cpu):
    """As the model has it: a faster CPU needs fewer PEs for the same work, and they do what PEs of QEMU do."""
    limited, others = model.pe_count(figure, cpu)
    pes = limited + others
    costs = {key: count * pes / figure.pes for key, count in figure.costs.items()}
    # Pages are let in once, however many PEs there are.
    costs["write_faults"] = figure.costs["write_faults"]
    return Sample(model.predicted(figure, cpu).phases, pes, limited, limited * cpu.steps.cycles, costs)


def _ratio(part, whole):
    return part / whole if whole else None


def _for_each_pe(case, phase):
    return lambda samples: _ratio(samples[case].phases[phase], samples[case].pes)


def _slope(few, many, phase, count):
    """Cycles of the phase for each further page: the difference of two cases."""
    def of(samples):
        a, b = samples[few], samples[many]
        return _ratio(b.phases[phase] / b.pes - a.phases[phase] / a.pes, b.costs[count] / b.pes - a.costs[count] / a.pes)
    return of


def _step(samples):
    return _ratio(samples["p0"].phases["convergence"], samples["p0"].steps)


def _steps(samples):
    return _ratio(samples["p0"].steps, samples["p0"].limited)


def _write_fault(samples):
    return _ratio(samples["p10-c"].phases["fault"], samples["p10-c"].costs["write_faults"])


def _more(case, than, phase):
    def of(samples):
        a, b = (_for_each_pe(name, phase)(samples) for name in (than, case))
        return None if a is None or b is None else b - a
    return of


# What a term of the model comes to, from processes of the image: name, the processes, cycles (or a count).
TERMS = (
    ("one native call in each PE: its second run", ("calls",), _for_each_pe("calls", "second_run")),
    ("registers loaded for both runs", ("p0",), _for_each_pe("p0", "load")),
    ("rewind without a page", ("p0",), _for_each_pe("p0", "rewind")),
    ("compare and commit without a page", ("p0",), _for_each_pe("p0", "compare_commit")),
    ("steps of a search (a count)", ("p0",), _steps),
    ("a step", ("p0",), _step),
    ("copy of a page", ("p10", "p60"), _slope("p10", "p60", "rewind", "copies")),
    ("comparison of a page", ("p10", "p60"), _slope("p10", "p60", "compare_commit", "compares")),
    ("a write fault with its copy", ("p10-c",), _write_fault),
    ("flush=touched, for each PE", ("p10", "p10-t"), _more("p10-t", "p10", "flush")),
    ("flush=all, for each PE", ("p10", "p10-a"), _more("p10-a", "p10", "flush")),
    ("second run after flush=all, more than without", ("p10", "p10-a"), _more("p10-a", "p10", "second_run")),
)


def _by_process(found):
    """Of a figure whose case has one process: its name -> the figure."""
    names = {case.name: case.process for case in cases.ALL if case.group == cases.MACHINE}
    return {names[figure.name]: figure for figure in found
            if figure.group == cases.MACHINE and figure.name in names and not figure.error}


def _number(value):
    return NOTHING if value is None else f"{value:,.0f}"


def _terms(found, bench):
    columns = [{name: measured(figure) for name, figure in _by_process(found).items()}]
    columns += [{name: predicted(figure, cpu) for name, figure in _by_process(bench).items()} for cpu in model.CPUS]
    rows = []
    for name, needed, value_of in TERMS:
        if all(process in columns[0] for process in needed):
            rows.append((name, *(_number(value_of(column)) if all(process in column for process in needed) else NOTHING
                                 for column in columns)))
    ours, theirs = (_by_process(some).get("integers") for some in (found, bench))
    if ours:
        each = f"{theirs.second_run / ours.second_run:.2f}" if theirs else NOTHING
        rows.append(("instructions in a cycle, integers in registers (a count)", each,
                     *(f"{1 / cpu.costs['work'].cycles:.2f}" if theirs else NOTHING for cpu in model.CPUS)))
    return ("term", "measured", *(cpu.name for cpu in model.CPUS)), rows


def verdict(overhead, low, high):
    return "below" if overhead < low else "above" if overhead > high else "within"


def predictions(found, bench):
    """Name of a case -> for each CPU the predicted overhead, its lowest and its highest."""
    names = {figure.name for figure in found}
    chosen = [figure for figure in bench if figure.group == cases.MACHINE and figure.name in names and figure.ends]
    return {figure.name: ranges for figure, ranges in model.rows(chosen)}


def _overheads(found, once, bench):
    ranges, in_qemu = predictions(found, bench), {figure.name: figure for figure in bench
                                                  if figure.group == cases.MACHINE and not figure.error}
    rows = []
    for figure in found:
        if figure.error:
            rows.append((figure.name, figure.error, *[""] * (4 + len(model.CPUS))))
            continue
        cells = [f"{middle:,.0f} % ({low:,.0f}-{high:,.0f}): {verdict(figure.overhead, low, high)}"
                 for middle, low, high in ranges.get(figure.name, ())] or [NOTHING] * len(model.CPUS)
        alone = once.get(figure.name)
        rows.append((figure.name, f"{figure.pes:,}", f"{figure.second_run / 1e6:,.1f}", f"{figure.overhead:,.1f} %",
                     f"{figure.total / alone:.2f}" if alone else NOTHING,
                     f"{in_qemu[figure.name].overhead:,.1f} %" if figure.name in in_qemu else NOTHING, *cells))
    return ("case", "PEs", "second runs, 10^6 cycles", "overhead", "against once", "QEMU",
            *(f"predicted, {cpu.name}" for cpu in model.CPUS)), rows


def _phases(found, bench):
    by_name = {figure.name: figure for figure in bench if figure.group == cases.MACHINE and not figure.error}
    rows = []

    def row(name, whose, sample):
        rows.append((name, whose, f"{sample.pes:,.0f}",
                     *(_number(_ratio(sample.phases[phase], sample.pes)) for phase in figures.PHASES)))

    for figure in found:
        if figure.error:
            continue
        row(figure.name, "measured", measured(figure))
        if figure.name in by_name:
            for cpu in model.CPUS:
                row("", cpu.name, predicted(by_name[figure.name], cpu))
    return ("cycles of a PE", "", "PEs", *(PHASE_NAMES[phase] for phase in figures.PHASES)), rows


def tables_of(found, once, bench):
    """`found`: Figures of a sheet; `once`: case -> cycles with harden=none; `bench`: Figures of scripts/bench, or none."""
    made = []
    for title, meaning, file, (heads, rows) in (
            ("overhead", "All that PEs take, in percent of their second runs; 'against once' is the same, in times of a process "
             "that ran once. The prediction has its range in brackets, with all estimates halved and doubled, and says where "
             "the measured figure lies.", "machine_overhead", _overheads(found, once, bench)),
            ("terms of the model", "In cycles of the time stamp. The model's are cycles of the core, which differ from those "
             "when the CPU runs faster or slower than its nominal rate.", "machine_terms", _terms(found, bench)),
            ("cycles of a PE, by phase", "The mean over a case's PEs.", "machine_phases", _phases(found, bench))):
        if rows:
            made.append(tables.Table(title, meaning, heads, rows, "", file))
    return made


def facts(sheet):
    where = "in a virtual machine" if sheet.hypervisor else "no hypervisor"
    lines = [f"CPU: {sheet.cpu}, signature {sheet.signature}, {where}",
             f"clock: cycles of the time stamp, {sheet.kilohertz / 1e6:,.3f} GHz by {sheet.clock}",
             f"counter: {sheet.counter}, margin {sheet.margin:,}, latest stop {sheet.skid:,} instructions",
             f"no interrupt waited longer than {sheet.longest_wait / 1e3:,.0f} us; the longest PE took "
             f"{sheet.longest_pe / 1e3:,.0f} us"]
    if sheet.counter == "landmark":
        lines.append("without a counter all of a search is in the second run, so overhead says little where the time limit "
                     "ends PEs")
    return lines


def as_json(sheet, once, bench, found):
    return {"machine": {"cpu": sheet.cpu, "signature": sheet.signature, "hypervisor": sheet.hypervisor,
                        "time_stamp_khz": sheet.kilohertz, "clock_source": sheet.clock, "counter": sheet.counter,
                        "margin": sheet.margin, "skid": sheet.skid, "longest_wait_ns": sheet.longest_wait,
                        "longest_pe_ns": sheet.longest_pe},
            "once_cycles": once,
            "predicted_overhead_percent": {
                name: {cpu.name: [round(value, 1) for value in values]
                       for cpu, values in zip(model.CPUS, ranges, strict=True)}
                for name, ranges in predictions(found, bench).items()}}
