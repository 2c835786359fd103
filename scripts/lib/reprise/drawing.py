"""What all plots share. Colours are Okabe and Ito's, which colour-blind readers can tell apart."""

import io

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

COLOURS = ("#0072b2", "#56b4e9", "#999999", "#e69f00", "#f0e442", "#cc79a7", "#000000", "#d55e00")

pyplot.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "reprise",
                        "svg.fonttype": "none"})


def svg_of(picture):
    """The picture as text that can stand in a page. It is closed."""
    file = io.StringIO()
    picture.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(picture)
    text = file.getvalue()
    return text[text.index("<svg"):]
