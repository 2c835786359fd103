"""Parts of an HTML file that needs nothing beside it: scripts/bench and scripts/campaign make theirs of them."""

import re
from html import escape

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
figure { margin: 2rem 0; overflow-x: auto; }
figure svg { width: 100%; min-width: 26rem; height: auto; background: white; }
figcaption { font-weight: bold; margin-bottom: .5rem; }
.wide { overflow-x: auto; }
.wide + .wide { margin-top: 1.5rem; }
table { border-collapse: collapse; font-size: .8rem; width: 100%; }
th, td { padding: .25rem .4rem; text-align: right; border-bottom: 1px solid #8885; white-space: nowrap; }
th { white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 9rem; }
.words th, .words td { text-align: left; }
tr.group th { text-align: left; padding-top: 1rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .8rem; }
dt { font-weight: bold; }
dd { margin: 0; }
.error { color: #d55e00; }
"""


def marked_up(text):
    """As HTML; what stands between backticks is code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def capital(title):
    return title[:1].upper() + title[1:]


def table(heads, rows, kind="numbers"):
    """Of texts, as marked_up() takes them. `kind`: "numbers" stand at the right of their columns, "words" at the left."""
    head, *lines = [[marked_up(cell) for cell in row] for row in (heads, *rows)]
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
    return f'<div class="wide"><table class="{kind}"><tr>{"".join(f"<th>{cell}</th>" for cell in head)}</tr>{body}</table></div>'


def _unique_ids(svg, prefix):
    """matplotlib gives every picture the same names for its parts; one page must tell them apart."""
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="|href="|url\()#', rf"\1#{prefix}-", svg)
    return svg


def figures(pictures):
    """`pictures`: title -> SVG text."""
    parts = [_unique_ids(svg, f"p{number}") for number, svg in enumerate(pictures.values())]
    return "".join(f"<figure><figcaption>{escape(title)}</figcaption>{svg}</figure>"
                   for title, svg in zip(pictures, parts, strict=True))


def document(title, body):
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Reprise: {escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>'
            f"<h1>{escape(capital(title))}</h1>{body}</body></html>\n")
