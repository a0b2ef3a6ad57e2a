"""Style of all figures: colours, fonts, and files that are reproducible byte for byte."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from snakescope.step.output import atomic_write

INK, FAINT_INK, RULE, PAPER = "#22272c", "#6a7178", "#dfe3e6", "#ffffff"
"""Text, secondary text, grid lines, background."""

SERIES_COLOURS = ("#1f6fb5", "#d1722f", "#3f8f5b", "#8a5aa8", "#54a6b8", "#a8556f", "#7a7f2a")
"""Colours of the series of a figure, such as conditions of an experiment, in their order."""

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT_INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=SERIES_COLOURS),
    "grid.color": RULE,
    "grid.linewidth": 0.7,
    "text.color": INK,
    # Names of conditions are shown as they are written, dollar signs among them.
    "text.parse_math": False,
    "xtick.color": FAINT_INK,
    "ytick.color": FAINT_INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.6,
    "figure.facecolor": PAPER,
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "svg.fonttype": "none",
    "svg.hashsalt": "snakescope",
}


@contextmanager
def figure_style() -> Iterator[None]:
    """Context manager: apply the style to figures that are drawn and saved in it."""
    with matplotlib.rc_context(RC):
        yield


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write ``figure`` atomically, in the format of the suffix of ``path`` (svg, png, pdf).

    The file holds no date and no software version, so equal figures give equal bytes.
    """
    path = Path(path)
    kind = path.suffix.removeprefix(".").lower()
    metadata: dict[str, None] = {
        "svg": {"Date": None, "Creator": None},
        "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    }.get(kind, {"Software": None})
    with atomic_write(path) as partial, matplotlib.rc_context(RC):
        figure.savefig(partial, format=kind, metadata=metadata)
