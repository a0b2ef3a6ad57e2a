"""The contact sheet as one page that needs nothing beside it."""

import base64
from collections.abc import Sequence
from html import escape

from snakescope.healthspan.report.contact_sheet_rows import Row
from snakescope.healthspan.states.states import DEAD, HEALTHY, IMMOBILE, STATE_COLOURS
from snakescope.imaging.style import FAINT_INK, INK, RULE

STYLE = f"""
:root {{ --zoom: 1; color: {INK}; font: 13px/1.35 system-ui, "DejaVu Sans", sans-serif; }}
:root:has(#zoom2:checked) {{ --zoom: 2; }}
:root:has(#zoom3:checked) {{ --zoom: 3; }}
body {{ margin: 0; }}
header {{ position: sticky; left: 0; padding: 12px 16px 8px; max-width: 60em; }}
h1 {{ font-size: 17px; margin: 0 0 4px; }}
p {{ margin: 4px 0; color: {FAINT_INK}; }}
.key {{ display: inline-block; margin-right: 14px; color: {INK}; white-space: nowrap; }}
.key i {{ display: inline-block; width: 11px; height: 11px; margin-right: 5px;
  border: 1px solid {FAINT_INK}; vertical-align: -1px; }}
label {{ margin-right: 10px; }}
table {{ border-collapse: separate; border-spacing: 0; }}
th {{ font-weight: normal; background: #fff; }}
thead th {{ position: sticky; top: 0; z-index: 2; padding: 0; border-bottom: 1px solid {RULE}; }}
thead th:first-child {{ left: 0; z-index: 3; text-align: right; padding: 2px 8px; }}
tbody th {{ position: sticky; left: 0; z-index: 1; text-align: right; padding: 0 8px;
  white-space: nowrap; border-right: 1px solid {RULE}; }}
tbody th small {{ display: block; color: {FAINT_INK}; }}
td {{ padding: 0; line-height: 0; }}
.days {{ display: flex; color: {FAINT_INK}; font-size: 11px; }}
.days span {{ flex: none; width: calc(var(--side) * var(--zoom)); text-align: center; }}
img {{ width: calc(var(--side) * var(--zoom) * var(--columns));
  height: calc(var(--side) * var(--zoom)); }}
"""

KEYS = (
    (STATE_COLOURS[HEALTHY], "healthy"),
    (STATE_COLOURS[IMMOBILE], "immobile"),
    (STATE_COLOURS[DEAD], "dead"),
    ("#bababa", "before it stopped (movers are counted, not followed)"),
    ("#ffffff", "not found"),
    ("#dfdfdf", "no usable frame"),
)


def page(
    title: str, rows: Sequence[Row], strips: Sequence[bytes], days: Sequence[float], side: int
) -> str:
    """HTML with a row of pictures per worm; the headings stay in sight while one scrolls.

    Args:
        title: heading of the page.
        rows: the worms.
        strips: a JPEG per row, side px high and side * len(days) px wide.
        days: of the columns (d).
        side: of a cell (px).
    """
    every = 1 if side >= 34 else 2
    heads = "".join(
        f"<span>{day:.1f}</span>" if column % every == 0 else "<span></span>"
        for column, day in enumerate(days)
    )
    keys = "".join(
        f'<span class="key"><i style="background:{colour}"></i>{text}</span>'
        for colour, text in KEYS
    )
    zooms = "".join(
        f'<label><input type="radio" name="zoom" id="zoom{n}"{" checked" if n == 1 else ""}> '
        f"{n}\N{MULTIPLICATION SIGN}</label>"
        for n in (1, 2, 3)
    )
    body = "\n".join(_table_row(row, strip) for row, strip in zip(rows, strips, strict=True))
    empty = "" if rows else "<p>No worm of this plate was seen to stop.</p>"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>{STYLE}</style></head>
<body style="--side:{side}px;--columns:{len(days)}">
<header><h1>{escape(title)}</h1>
<p>{keys}</p>
<p>A row is a worm that stopped, sorted by death; a column is a timepoint, headed by its day.
Size {zooms}</p>{empty}</header>
<table><thead><tr><th>day</th><th><div class="days">{heads}</div></th></tr></thead>
<tbody>
{body}
</tbody></table></body></html>
"""


def _table_row(row: Row, strip: bytes) -> str:
    data = base64.b64encode(strip).decode("ascii")
    return (
        f'<tr id="worm{row.individual}"><th>worm {row.individual}<small>{escape(row.fate)}</small>'
        f'</th><td><img loading="lazy" decoding="async" alt="worm {row.individual}"'
        f' src="data:image/jpeg;base64,{data}"></td></tr>'
    )
