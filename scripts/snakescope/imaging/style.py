"""Style of all figures: colours, fonts, and files that are reproducible byte for byte."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
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
    "font.family": ["DejaVu Sans"],
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


FURTHER_FONTS = (
    "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans KR", "Noto Sans JP",
    "Noto Sans SC", "NanumGothic", "Source Han Sans", "IPAexGothic", "TakaoGothic", "VL Gothic",
    "WenQuanYi Micro Hei", "Droid Sans Fallback", "Apple SD Gothic Neo", "Hiragino Sans",
    "PingFang SC", "Arial Unicode MS", "Malgun Gothic", "Yu Gothic", "MS Gothic",
    "Microsoft YaHei", "Noto Sans", "Noto Sans Thai", "Noto Sans Arabic", "Noto Sans Hebrew",
    "Noto Sans Devanagari", "Unifont", "FreeSans",
)  # fmt: skip
"""Fonts with the letters that DejaVu Sans lacks, in the order in which they are looked for."""


@cache
def _fonts() -> dict[str, frozenset[int]]:
    """The letters of every font that is there, by its name."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    there = {font.name: font.fname for font in font_manager.fontManager.ttflist}
    letters = {}
    for name in ("DejaVu Sans", *FURTHER_FONTS):
        if name in there:
            letters[name] = frozenset(FT2Font(there[name]).get_charmap())
    return letters


def fonts_for(text: str) -> tuple[list[str], str]:
    """Return the fonts that are needed to draw a text, and its letters that none here has."""
    if text.isascii():
        return ["DejaVu Sans"], ""
    missing = {ord(one) for one in text if one.isprintable()}
    chosen = []
    for name, letters in _fonts().items():
        if name == "DejaVu Sans" or missing & letters:
            chosen.append(name)
            missing -= letters
    return chosen, "".join(map(chr, sorted(missing)))


def note_of_fonts(text: str) -> str:
    """Return what to do where figures would show boxes for letters of a text, else nothing."""
    _, missing = fonts_for(text)
    return (
        f"no font here has the letters {missing[:20]!r}, for which figures show boxes; install one"
        " that does, such as fonts-noto-cjk (Debian, Ubuntu) or google-noto-sans-cjk-fonts (RHEL),"
        " and remove ~/.cache/matplotlib"
        if missing
        else ""
    )


@contextmanager
def figure_style(text: str = "") -> Iterator[None]:
    """Context manager: apply the style to figures that are drawn and saved in it.

    Args:
        text: what figures are to show, for which fonts are chosen that have its letters.
    """
    fonts, _ = fonts_for(text)
    with matplotlib.rc_context({**RC, "font.family": fonts}):
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
    # Fonts stay those that were chosen when it was drawn.
    style = {key: value for key, value in RC.items() if key != "font.family"}
    with (
        atomic_write(path) as partial,
        matplotlib.rc_context(style),
        warnings.catch_warnings(),
    ):
        # Once a letter and file; note_of_fonts says it once, and what to do.
        warnings.filterwarnings("ignore", message=r"Glyph \d+")
        figure.savefig(partial, format=kind, metadata=metadata)
