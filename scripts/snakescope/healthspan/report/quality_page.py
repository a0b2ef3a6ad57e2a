"""The quality page of a plate: one HTML file that needs nothing beside it."""

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

import matplotlib
from matplotlib.figure import Figure
from PIL import Image

from snakescope.healthspan.report.quality_figures import Picture
from snakescope.healthspan.report.quality_measures import Measures, Verdict
from snakescope.healthspan.states.states import STATE_COLOURS, STATES, UNKNOWN
from snakescope.imaging.style import FAINT_INK, INK, RC, RULE

STYLE = f"""
body {{ margin: 16px 20px; color: {INK}; font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 19px; margin: 0 0 6px; }}
h2 {{ font-size: 15px; margin: 22px 0 6px; }}
p, li {{ max-width: 60em; }}
.status {{ border-radius: 3px; padding: 1px 8px; color: #fff; font-weight: 600; }}
.ok {{ background: #3f8f5b; }} .warning {{ background: #b07d05; }}
.failed {{ background: #b02a26; }}
.frames {{ display: flex; flex-wrap: wrap; gap: 14px; }}
figure {{ margin: 0; flex: 1 1 420px; max-width: 900px; }}
figure img {{ width: 100%; display: block; }}
figcaption {{ color: {FAINT_INK}; }}
table {{ border-collapse: collapse; }}
td {{ padding: 1px 14px 1px 0; border-bottom: 1px solid {RULE}; }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums; }}
.key {{ margin-right: 14px; }} .key i {{ display: inline-block; width: 18px; height: 0;
  margin-right: 5px; border-top: 3px solid; vertical-align: middle; }}
"""

CAPTIONS = {
    "shift": "How far each frame was moved and turned onto the reference frame.",
    "score": "How well each frame then fitted, by the way it was registered.",
    "counts": "Worms found in each usable frame, by state. A sudden drop is often fog on the lid.",
    "confidence": "The probability of the state that each worm was given.",
    "dropped": "Objects that were found and not taken for worms, by reason.",
}


def _image(data: bytes, kind: str, alt: str) -> str:
    text = base64.b64encode(data).decode("ascii")
    return f'<img alt="{escape(alt)}" loading="lazy" src="data:image/{kind};base64,{text}">'


def svg_of(figure: Figure) -> bytes:
    """A figure as SVG, the same bytes each time."""
    stream = io.BytesIO()
    with matplotlib.rc_context(RC):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def jpeg_of(picture: Picture, quality: int = 85) -> bytes:
    """A picture as JPEG with colour at full resolution: outlines are one pixel wide."""
    stream = io.BytesIO()
    Image.fromarray(picture.pixels).save(stream, format="JPEG", quality=quality, subsampling=0)
    return stream.getvalue()


def _figures(measures: Measures) -> str:
    m = measures
    rows = [
        ("frames", f"{m.frames}"),
        ("usable", f"{m.usable}"),
        ("missing", f"{m.missing}"),
        ("unreadable", f"{m.unreadable}"),
        ("unregistered", f"{m.unregistered}"),
        ("correlation of the mark, median", f"{m.median_score:.2f}"),
        ("texture found in place, median", f"{m.median_agreement:.0%}"),
        ("largest shift (raw px)", f"{m.largest_shift_px:.1f}"),
        ("largest rotation (degrees)", f"{m.largest_rotation_deg:.2f}"),
        ("worms", f"{m.worms}" + (f" of {m.put_on} put on" if m.put_on else "")),
        ("seen to die", f"{m.deaths - m.dead_at_start}"),
        ("dead at the first picture", f"{m.dead_at_start}"),
        ("static objects, not counted", f"{m.static}"),
        ("censored", f"{m.censored_share:.0%}"),
        ("lost from view", f"{m.lost_share:.0%}"),
        ("probability of the state, mean", f"{m.mean_confidence:.2f}"),
        ("unknown states", f"{m.unknown_share:.0%}"),
        ("objects kept", f"{m.found}"),
        ("objects dropped", f"{m.dropped}"),
    ]
    cells = "".join(
        f"<tr><td>{name}</td><td>{'' if 'nan' in value else value}</td></tr>"
        for name, value in rows
    )
    return f"<table>{cells}</table>"


def page(
    plate: str,
    measures: Measures,
    verdict: Verdict,
    pictures: Sequence[Picture],
    panels: Mapping[str, Figure],
    lost: Sequence[str] = (),
) -> str:
    """The page as HTML; ``lost`` has a phrase for every frame without use, with its reason."""
    said = "".join(f"<li>{escape(text)}</li>" for text in verdict.warnings)
    keys = "".join(
        f'<span class="key"><i style="border-color:{STATE_COLOURS[state]}"></i>{state}</span>'
        for state in (*STATES, UNKNOWN)
    )
    frames = "".join(
        f"<figure>{_image(jpeg_of(one), 'jpeg', one.heading)}"
        f"<figcaption>{escape(one.heading)}</figcaption></figure>"
        for one in pictures
    )
    drawn = "".join(
        f"<figure>{_image(svg_of(figure), 'svg+xml', CAPTIONS[name])}"
        f"<figcaption>{CAPTIONS[name]}</figcaption></figure>"
        for name, figure in panels.items()
    )
    without_use = "".join(f"<li>{escape(text)}</li>" for text in lost)
    if without_use:
        without_use = f"<h2>Frames without use</h2><ul>{without_use}</ul>"
    name = escape(plate)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}: quality</title>
<style>{STYLE}</style></head><body>
<h1>{name} <span class="status {verdict.status}">{verdict.status}</span></h1>
{f"<ul>{said}</ul>" if said else "<p>No warning.</p>"}
<h2>Masks on frames</h2><p>{keys}</p>
<div class="frames">{frames}</div>
<h2>Over time</h2>
<div class="frames">{drawn}</div>
{without_use}
<h2>Figures</h2>{_figures(measures)}
</body></html>
"""
