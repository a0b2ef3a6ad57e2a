"""Pages of results: rows to TSV and Markdown, values to HTML by the templates of Jinja2."""

import base64
import io
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from snakescope import REPOSITORY
from snakescope.step.output import atomic_write

TEMPLATES = REPOSITORY / "resources/templates"
SCORE_COLUMNS = ("set", "metric", "value", "low", "high", "n")


class Row(NamedTuple):
    """A score of an evaluation.

    Attributes:
        set: what was evaluated.
        metric: name of the score.
        value: the score; NaN where there is none.
        low, high: its interval; NaN where there is none.
        n: number of cases.
        unit: of ``value``.
        aim: the value that is aimed at, in words.
        paper: the value that the paper reports, in words.
    """

    set: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    unit: str = ""
    aim: str = ""
    paper: str = ""


def scores_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Return the rows as the table that is written as TSV, with ``SCORE_COLUMNS``."""
    return pd.DataFrame([row[: len(SCORE_COLUMNS)] for row in rows], columns=list(SCORE_COLUMNS))


def scores_markdown(rows: Iterable[Row]) -> str:
    """Return the rows as a Markdown table, with intervals as text; columns without text go."""
    cells = [
        {
            "set": row.set,
            "metric": row.metric,
            "value": f"{row.value:.3f}",
            "interval": "" if np.isnan(row.low) else f"{row.low:.3g} to {row.high:.3g}",
            "n": row.n,
            "unit": row.unit,
            "aim": row.aim,
            "paper": row.paper,
        }
        for row in rows
    ]
    table = pd.DataFrame(cells)
    return markdown(table.loc[:, (table != "").any()])


def markdown(table: pd.DataFrame, formats: Mapping[str, str] | None = None) -> str:
    """Return a table as Markdown; numbers are aligned right and missing values empty.

    Args:
        table: any columns; several may have the same name.
        formats: format specification of the values of a column, such as ``.2f``, by its name.
    """
    formats = formats or {}
    columns = [table.iloc[:, place] for place in range(table.shape[1])]
    text = [[_cell(value, formats.get(str(one.name), "")) for value in one] for one in columns]
    cells = pd.DataFrame(dict(enumerate(text)), dtype=object)
    cells.columns = pd.Index([str(one.name) for one in columns])
    align = ["right" if pd.api.types.is_numeric_dtype(one) else "left" for one in columns]
    made = cells.to_markdown(index=False, disable_numparse=True, colalign=align or None)
    return str(made)


def _cell(value: Any, form: str) -> str:
    if pd.isna(value):
        return ""
    return format(value, form).replace("|", "\\|").replace("\n", " ")


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def html(template: str, **values: Any) -> str:
    """Return a template of ``resources/templates`` filled with values, which are escaped."""
    return _environment().get_template(template).render(values)


def image_url(data: bytes, kind: str) -> str:
    """Return an image file as a URL, so that a page needs no other file; ``kind`` as in MIME."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def jpeg_url(pixels: NDArray[np.uint8], quality: int = 85) -> str:
    """Return RGB pixels (Y, X, 3) as a URL, a JPEG with colour at full resolution.

    Outlines are one pixel wide, and worms thin: subsampling would take their colour.
    """
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="JPEG", quality=quality, subsampling=0)
    return image_url(stream.getvalue(), "jpeg")


def write_text(path: str | Path, text: str) -> None:
    """Write a page, whole or not at all."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8")
