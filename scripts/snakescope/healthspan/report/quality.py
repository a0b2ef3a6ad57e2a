"""Quality control of a plate: a page of pictures, one picture, and a row with its warnings."""

import argparse
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from snakescope.healthspan.registration.frames_table import losses
from snakescope.healthspan.registration.registered_pages import (
    FRAME_COLUMNS,
    registered_pages,
    timepoints_of,
    usable,
)
from snakescope.healthspan.report.quality_figures import (
    Picture,
    Tables,
    panel_figure,
    panels,
    summary_figure,
    with_days,
)
from snakescope.healthspan.report.quality_measures import (
    PROBABILITIES,
    Measures,
    Verdict,
    judge,
    measure,
    row_of,
)
from snakescope.healthspan.report.settings import QualitySettings
from snakescope.healthspan.states.sightings import all_masks
from snakescope.healthspan.states.states import STATE_COLOURS, STATES, UNKNOWN
from snakescope.healthspan.tracking.individuals import STATIC
from snakescope.imaging.masks import MaskSet, read_masks
from snakescope.imaging.overlays import outlined, stretched
from snakescope.imaging.style import FAINT_INK, INK, RC, RULE, save_figure
from snakescope.report.pages import html, image_url, jpeg_url, write_text
from snakescope.step.tables import read_table, write_table

FRAMES_COLUMNS = (*FRAME_COLUMNS, "shift_y_px", "shift_x_px", "rotation_deg", "score", "method")
COUNTS_COLUMNS = ("timepoint", "day", "usable", "healthy", "immobile", "dead", "total")
STATES_COLUMNS = ("timepoint", "instance", "state", *PROBABILITIES)
SUMMARY_COLUMNS = ("worms", "deaths")
TRACKS_COLUMNS = ("track", "instance", "consistent_state", "counted", "reason")
CORRECTIONS = "corrections.tsv"
LINES_COLUMNS = ("scorer", "id", "action", "timepoint", "y_px", "x_px", "standing", "note")
DROPPED_COLUMNS = ("timepoint", "reason")
CAPTIONS = {
    "shift": "How far each frame was moved and turned onto the reference frame.",
    "score": "How well each frame then fitted, by the way it was registered.",
    "counts": "Worms found in each usable frame, by state. A sudden drop is often fog on the lid.",
    "confidence": "The probability of the state that each worm was given.",
    "dropped": "Objects that were found and not taken for worms, by reason.",
}
"""Of the panels of the page."""


def chosen(frames: pd.DataFrame, number: int) -> list[int]:
    """Timepoints of up to ``number`` usable frames: the first, the last, and evenly between."""
    timepoints = usable(frames)["timepoint"].to_numpy(int)
    if timepoints.size == 0:
        return []
    places = np.linspace(0, timepoints.size - 1, num=min(number, timepoints.size))
    return [int(timepoints[place]) for place in np.unique(np.round(places).astype(int))]


def masks_of(paths: Sequence[str | Path], timepoints: Sequence[int]) -> dict[int, MaskSet]:
    """The mask set that holds each timepoint; files of other blocks are not read."""
    found: dict[int, MaskSet] = {}
    for path in paths:
        wanted = [one for one in timepoints if one in timepoints_of(path)]
        if wanted:
            masks = all_masks(path)
            found.update((one, masks) for one in wanted if one in masks.timepoints)
    return found


def followed(states: pd.DataFrame, tracks: pd.DataFrame) -> pd.DataFrame:
    """The states as they are counted: those of tracked worms consistent over the track.

    What is static from the start is counted in no state; that is its state, then.
    """
    counted = tracks[tracks["counted"] == 1].set_index("instance")["consistent_state"]
    static = tracks.loc[tracks["reason"] == STATIC, "instance"]
    state = states["instance"].map(counted).fillna(states["state"])
    return states.assign(state=state.mask(states["instance"].isin(static), STATIC))


def mask_pictures(
    frames: pd.DataFrame,
    states: pd.DataFrame,
    counts: pd.DataFrame,
    masks: Sequence[str | Path],
    registered: Sequence[str | Path],
    settings: QualitySettings,
) -> list[Picture]:
    """Chosen frames with the outline of every worm in the colour of its state.

    The heading has the number of worms of the counts, in which a stopped worm is one also where it
    was not found, and beside it what was outlined.

    Args:
        frames, states: the plate's tables, the first with the column ``day``, the second as
            :func:`followed` gives it. counts: its table of counts.
        masks, registered: files of its blocks.
        settings: how many frames, how large.

    Raises:
        StepError: a stack or a mask file is absent or damaged.
    """
    timepoints = chosen(frames, settings.frames_shown)
    sets = masks_of(masks, timepoints)
    colour = {
        int(instance): STATE_COLOURS.get(state, STATE_COLOURS[UNKNOWN])
        for instance, state in zip(states["instance"], states["state"], strict=True)
    }
    day = frames.set_index("timepoint")["day"]
    total = counts.set_index("timepoint")["total"]
    static = set(states.loc[states["state"] == STATIC, "instance"].astype(int))
    pictures = []
    for timepoint, frame in registered_pages(frames, registered, settings.channel, timepoints):
        height, width = frame.shape
        shown = min(settings.picture_px, 2 * width)
        size = (shown, max(1, round(height * shown / width)))
        way = cv2.INTER_AREA if shown < width else cv2.INTER_CUBIC
        grey = cv2.resize(stretched(frame), size, interpolation=way)
        picture = np.repeat(np.asarray(grey, dtype=np.uint8)[:, :, None], 3, axis=2)
        instances = []
        if timepoint in sets:
            instances = sets[timepoint].at(timepoint)
            picture = outlined(
                picture,
                instances,
                colour,
                STATE_COLOURS[UNKNOWN],
                shown / sets[timepoint].width,
                max(1, round(shown / 900)),
                margin=2,
            )
        lying = sum(one.identifier in static for one in instances)
        heading = f"day {day[timepoint]:.1f} (t{timepoint:03d}): {int(total[timepoint])} worms"
        heading += f", {len(instances)} outlined" + (f" ({lying} static)" if lying else "")
        pictures.append(Picture(heading, picture))
    return pictures


def read_dropped(masks: Sequence[str | Path]) -> pd.DataFrame:
    """The tables of dropped objects of all blocks in one.

    They lie beside the masks, of the same job, and are no inputs of their own: every input of a
    job that Snakemake need not know of makes its planning faster.
    """
    tables = [read_table(Path(path).with_suffix(".dropped.tsv"), DROPPED_COLUMNS) for path in masks]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def corrections_of(tracks: str | Path) -> list[dict[str, Any]]:
    """The lines of a review that are not applied, where the tracks are those with corrections.

    The table lies beside the tracks, of the same job, and is no input of its own.
    """
    path = Path(tracks).with_name(CORRECTIONS)
    if not path.exists():
        return []
    lines = read_table(path, LINES_COLUMNS, text=("note", "scorer", "reason")).fillna("")
    rows = lines[lines["standing"] == "stale"].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def svg_of(figure: Figure) -> bytes:
    """A figure as SVG, the same bytes each time."""
    stream = io.BytesIO()
    with matplotlib.rc_context(RC):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _as_text(measures: Measures) -> list[tuple[str, str]]:
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
        ("of these, missed at first and seen at a second look", f"{m.second_look}"),
        ("objects dropped", f"{m.dropped}"),
    ]
    return [(name, "" if "nan" in value else value) for name, value in rows]


def page(
    plate: str,
    measures: Measures,
    verdict: Verdict,
    pictures: Sequence[Picture],
    drawn: Mapping[str, Figure],
    lost: Sequence[str] = (),
    reference: str = "",
    stale: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The page as HTML.

    Args:
        lost: a phrase for every frame without use, with its reason.
        reference: which frame is the reference, and why.
        stale: lines of its review that are not applied.
    """
    return html(
        "quality.html",
        plate=plate,
        status=verdict.status,
        warnings=verdict.warnings,
        keys=[(state, STATE_COLOURS[state]) for state in (*STATES, UNKNOWN)],
        frames=[(one.heading, jpeg_url(one.pixels)) for one in pictures],
        panels=[
            (CAPTIONS[name], image_url(svg_of(figure), "svg+xml")) for name, figure in drawn.items()
        ],
        lost=lost,
        stale=stale,
        measures=[*([("reference frame", reference)] if reference else []), *_as_text(measures)],
        ink=INK,
        faint_ink=FAINT_INK,
        rule=RULE,
    )


def reference_in_words(path: str | Path | None) -> str:
    """Which frame is the reference of a plate, and why it is this one."""
    if path is None:
        return ""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    text = f"t{document['timepoint']:03d}"
    if agreement := document.get("agreement"):
        text += f", onto which {agreement['agreeing']} of {agreement['compared']} others register"
        if passed := agreement["passed_over"]:
            text += f"; passed over: {', '.join(passed)}"
    return text


def _number_of_worms(text: str) -> int | None:
    return None if text in ("unknown", "") else int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plate", required=True)
    parser.add_argument("--frames", required=True)
    parser.add_argument("--counts", required=True)
    parser.add_argument("--states", required=True)
    parser.add_argument("--tracks", required=True)
    parser.add_argument("--summary", required=True)
    parser.add_argument("--masks", nargs="+", required=True, help="with .dropped.tsv beside each")
    parser.add_argument("--registered", nargs="+", required=True)
    parser.add_argument("--worms", type=_number_of_worms, default=None, help="number or unknown")
    parser.add_argument("--reference-description", help="reference.json of the plate")
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--page", required=True)
    parser.add_argument("--image", required=True)
    parser.add_argument("--row", required=True)


def main(given: argparse.Namespace) -> None:
    """Read the command line; write the page, the picture and the row."""
    settings = QualitySettings.model_validate_json(given.settings)
    counts = read_table(given.counts, COUNTS_COLUMNS)
    tables = Tables(
        frames=with_days(read_table(given.frames, FRAMES_COLUMNS), counts),
        counts=counts,
        states=with_days(read_table(given.states, STATES_COLUMNS, text=("second_look",)), counts),
        dropped=read_dropped(given.masks),
    )
    summary = read_table(given.summary, SUMMARY_COLUMNS)
    tracks = read_table(given.tracks, TRACKS_COLUMNS)
    measures = measure(
        tables.frames, counts, tables.states, summary, tables.dropped, tracks, given.worms
    )
    verdict = judge(measures, counts, settings)
    as_counted = followed(tables.states, tracks)
    pictures = mask_pictures(
        tables.frames, as_counted, counts, given.masks, given.registered, settings
    )
    drawn = {name: panel_figure(draw, tables) for name, draw in panels(measures.put_on).items()}
    lost = losses(tables.frames.fillna({"reason": ""}))
    reference = reference_in_words(given.reference_description)
    # A block without a usable frame says nothing.
    if said := next((said for path in given.masks if (said := read_masks(path).border)), ""):
        reference = f"{reference} {said[0].upper()}{said[1:]}."
    stale = corrections_of(given.tracks)
    text = page(given.plate, measures, verdict, pictures, drawn, lost, reference, stale)
    save_figure(summary_figure(given.plate, tables, pictures, measures, verdict), given.image)
    write_text(given.page, text)
    write_table(given.row, row_of(given.plate, measures, verdict))
