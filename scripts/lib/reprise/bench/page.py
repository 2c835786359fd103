"""The results as one HTML file that needs nothing beside it."""

import re
from html import escape

from . import figures, model, tables

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
figure { margin: 2rem 0; overflow-x: auto; }
figure svg { width: 100%; min-width: 26rem; height: auto; background: white; }
figcaption { font-weight: bold; margin-bottom: .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8rem; width: 100%; }
th, td { padding: .25rem .4rem; text-align: right; border-bottom: 1px solid #8885; white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; }
tr.group th { text-align: left; padding-top: 1rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
.error { color: #d55e00; }
"""

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


def _cell(text):
    """As HTML; what stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def _capital(title):
    return title[:1].upper() + title[1:]


def _tables(made):
    parts = []
    for one in made:
        head, *rows = [[_cell(cell) for cell in row] for row in (one.heads, *one.rows)]
        head = "".join(f"<th>{cell}</th>" for cell in head)
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
        parts.append(f"<h2>{escape(_capital(one.title))}</h2><p>{_cell(one.meaning)}</p>"
                     f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>')
    return "".join(parts)


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


def _unique_ids(svg, prefix):
    """matplotlib gives every picture the same names for its parts; one page must tell them apart."""
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="|href="|url\()#', rf"\1#{prefix}-", svg)
    return svg


def _pictures(pictures):
    parts = [_unique_ids(svg, f"p{number}") for number, svg in enumerate(pictures.values())]
    return "".join(f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>"
                   for title, svg in zip(pictures, parts, strict=True))


def _document(title, body):
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Reprise: {escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
            f"<h1>{escape(_capital(title))}</h1>{body}</body></html>\n")


def write_machine(facts, made, pictures, lines, path):
    """What a sheet says: facts about the machine, tables, pictures, and the sheet as it was."""
    told = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    sheet = escape("\n".join(lines))
    path.write_text(_document("running twice on a real machine", f"{INTRODUCTION}<ul>{told}</ul>{_pictures(pictures)}"
                              f'{_tables(made)}<h2>The sheet</h2><pre class="wide">{sheet}</pre>'), encoding="utf-8")


def write(found, pictures, path, commit):
    path.write_text(_document(
        "what running twice costs", f"{INTRODUCTION}"
        f"<p>Commit <code>{escape(commit)}</code>. Every figure counts {escape(figures.CLOCK)}, so "
        f"<code>scripts/bench</code> gives the same ones on any host.</p>{_pictures(pictures)}"
        f"{_tables(tables.tables(found))}<h2>All figures</h2><p>Instructions, unless a unit stands beside them. A case's name shows the command that "
        f"repeats it.</p>{_table(found)}"
        f"<h2>The model, all cases</h2><p>All cases as two real CPUs are predicted to run them: overhead in cycles, in brackets with "
        f"all estimated costs halved and doubled. docs/performance.md has the costs and their sources.</p>"
        f"{_model_table(found)}"), encoding="utf-8")
