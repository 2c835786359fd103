"""The results as one HTML file that needs nothing beside it."""

from html import escape

from .. import web_page
from ..web_page import capital, document, marked_up, table
from . import figures, model, tables

INTRODUCTION = """
<p>Reprise runs every processing element (PE) of a program twice, compares what both runs left behind, and commits only
what they agree on. <b>Overhead</b> is all that a PE takes, in percent of its second run alone. Running twice and nothing
else is 200 %. The paper's prototype needed 527 % while its system started, and 3400 % with its caches flushed
(Tokponnon and Lobelle; docs/references.md).</p>
"""


def _row(figure):
    name = f'<td title="{escape(figure.command)}">{escape(figure.name)}</td>'
    if figure.error:
        return f'<tr>{name}<td colspan="7" class="error">{escape(figure.error)}</td></tr>'
    cells = [f"{figure.pes:,}", f"{figure.overhead:.1f} %", f"{figure.beyond_twice:,.0f}", f"{figure.second_run:,}",
             f"{figure.costs['copies'] + figure.costs['fault_copies']:,}", f"{figure.costs['write_faults']:,}",
             f"{figure.longest_pe:,}"]
    return f"<tr>{name}" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(found):
    heads = ("case", "PEs", "overhead", "beyond twice, per PE", "second run", "copies", "write faults", "longest PE")
    rows, group = [], ""
    for figure in found:
        if figure.group != group:
            group = figure.group
            rows.append(f'<tr class="group"><th colspan="{len(heads)}">{escape(group)}</th></tr>')
        rows.append(_row(figure))
    head = "".join(f"<th>{name}</th>" for name in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _tables(made):
    return "".join(f"<h2>{escape(capital(one.title))}</h2><p>{marked_up(one.meaning)}</p>{table(one.heads, one.rows)}"
                   for one in made)


def _model_table(found):
    """What two real CPUs are predicted to need, beside what QEMU counts."""
    heads = ("case", "QEMU", *(cpu.name for cpu in model.CPUS))
    lines = []
    for figure, predictions in model.rows(found):
        cells = [f"{figure.overhead:.1f} %"]
        cells += [f"{middle:,.0f} % ({low:,.0f} to {high:,.0f})" for middle, low, high in predictions]
        lines.append(f"<tr><td>{escape(figure.group)}: {escape(figure.name)}</td>" +
                     "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def write_machine(facts, made, pictures, lines, path):
    """What a sheet says: facts about the machine, tables, pictures, and the sheet as it was."""
    told = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    sheet = escape("\n".join(lines))
    path.write_text(document("running twice on a real machine", f"{INTRODUCTION}<ul>{told}</ul>{web_page.figures(pictures)}"
                              f'{_tables(made)}<h2>The sheet</h2><pre class="wide">{sheet}</pre>'), encoding="utf-8")


def write(found, pictures, path, commit):
    path.write_text(document(
        "what running twice costs", f"{INTRODUCTION}"
        f"<p>Commit <code>{escape(commit)}</code>. Every figure counts {escape(figures.CLOCK)}, so "
        f"<code>scripts/bench</code> gives the same ones on any host.</p>{web_page.figures(pictures)}"
        f"{_tables(tables.tables(found))}<h2>All figures</h2><p>Instructions, unless a unit stands beside them. A case's name shows the command that "
        f"repeats it.</p>{_table(found)}"
        f"<h2>The model, all cases</h2><p>All cases as two real CPUs are predicted to run them: overhead in cycles, in brackets with "
        f"all estimated costs halved and doubled. docs/performance.md has the costs and their sources.</p>"
        f"{_model_table(found)}"), encoding="utf-8")
