"""What a trial advises: each warning with the settings that would help, and what they change."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.detection.size_prior import length_px
from snakescope.healthspan.inspection.moving import USUAL_UM
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.trial.alignments import (
    NAMES,
    Alignment,
    current_kind,
    needed_kind,
    needed_tolerance,
    ranges,
)
from snakescope.healthspan.trial.objects import LEAST_TRIED, Found

MIN_WORMS = 5
"""Worms that must be seen for advice by their looks."""
SAFE = 0.25
"""Share of the gap between doubtful objects and worms at which a limit is set: near the former."""
MODEL_PX = (90.0, 165.0)
"""Length of worms (px of the detector) that it was trained on, from young adults to old ones."""
LENGTH_SLACK = 0.15
"""Share by which worms may be shorter or longer before their pixel size is doubted: a length to
half of the contrast is shorter than the mask, and plates differ."""
TRIED_SCORES = (0.4, 0.3, LEAST_TRIED)
"""Confidences of the detector that are tried where it is unsure of worms."""
UNSURE_SHARE = 0.1
"""Worms that the detector is unsure of, over those that are kept, from which on it is told."""
WORMS_AMONG = 0.8
"""Least share of worms, by movement, contrast and length, among the objects that are added."""
LIKE_A_WORM = (0.5, 1.6)
"""Length of an object over that of the worms, from which and to which it looks like one."""
MIN_SHARE = 0.2
"""Share of the pieces of a plate in place below which a registration is doubtful."""


@dataclass(frozen=True)
class Advice:
    """A warning and what would help.

    Attributes:
        title: one line; text: what was seen, and what the settings change.
        keys: settings by dotted key below the tree; empty where a person has to decide.
        kind: which picture shows the effect: alignment, rim, faint, unsure, size, or none.
    """

    title: str
    text: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""


def on_alignment(
    alignments: Mapping[int, Alignment], lost: Mapping[int, str], settings: RegisterSettings
) -> list[Advice]:
    """Advise on the registration.

    Args:
        alignments: by timepoint; lost: reasons of frames that could not be aligned.
    """
    found = [
        Advice(f"Timepoint {timepoint} cannot be brought onto the first frame", reason)
        for timepoint, reason in lost.items()
    ]
    if not alignments or settings.method == "none":
        return found
    now, kind = current_kind(settings), needed_kind(alignments, settings.tolerance_px)
    order = ("rigid", "similar", "tilted")
    wanted = kind if order.index(kind) > order.index(now) else now
    tolerance = max(settings.tolerance_px, needed_tolerance(alignments, wanted))
    keys: dict[str, Any] = {}
    said = []
    if wanted != now:
        keys |= ranges(alignments, wanted)
        edge = max(
            one.moved_edge_px(now, wanted)
            for one in alignments.values()
            if now in one.fits and wanted in one.fits
        )
        said.append(
            f"Frames differ from the first by more than {NAMES[now]}: with a change of"
            f" {'distance and a lean' if wanted == 'tilted' else 'distance'} of the dish, its edge"
            f" lies up to {edge:.1f} px elsewhere, and still worms there do not seem to move."
        )
    if tolerance > settings.tolerance_px:
        keys["registration.tolerance_px"] = tolerance
        said.append(
            f"Many pieces of the plate lie between {settings.tolerance_px:g} and {tolerance:g} px"
            " off the motion of the dish: the agar gives way."
        )
    if keys:
        before = _shares(alignments, now, settings.tolerance_px)
        after = _shares(alignments, wanted, tolerance)
        frames = ", ".join(f"t{timepoint:03d}" for timepoint in alignments)
        said.append(
            f"Pieces in place in {frames}: {before} within {settings.tolerance_px:g} px now,"
            f" {after} within {tolerance:g} px with these settings."
        )
        found.append(Advice("The dish lies differently in other frames", " ".join(said), keys,
                            "alignment"))  # fmt: skip
    worst = min(one.share(wanted, tolerance) for one in alignments.values())
    if worst < MIN_SHARE:
        text = f"Only {worst:.0%} of its pieces are found in place in one of the frames."
        found.append(Advice("The plate is hardly found again", text, {}, "alignment"))
    return found


def _shares(alignments: Mapping[int, Alignment], kind: str, tolerance_px: float) -> str:
    return ", ".join(f"{one.share(kind, tolerance_px):.0%}" for one in alignments.values())


def worms_of(found: Mapping[int, Sequence[Found]]) -> list[Found]:
    """Return the objects that are worms beyond doubt: kept or only near the edge, sure, moved."""
    return [
        one
        for objects in found.values()
        for one in objects
        if one.sure and one.moved and one.reason in ("", "edge of dish")
    ]


def doubtful_of(found: Mapping[int, Sequence[Found]]) -> list[Found]:
    """Return the objects that are kept, and no worms beyond doubt."""
    return [
        one
        for objects in found.values()
        for one in objects
        if not one.reason and not (one.sure and one.moved)
    ]


def on_objects(
    found: Mapping[int, Sequence[Found]], settings: DetectSettings, wall: float | None
) -> list[Advice]:
    """Advise on the rules by which objects are kept.

    Args:
        found: by timepoint; wall: how far the wall reaches inwards (um), None without a dish.
    """
    worms, doubtful = worms_of(found), doubtful_of(found)
    advice = []
    if len(worms) >= MIN_WORMS:
        advice += _faint(worms, doubtful, settings)
        if wall is not None:
            advice += _rim(found, worms, settings, wall)
    static = sum(
        not one.reason and not one.moved for objects in list(found.values())[:1] for one in objects
    )
    if static:
        advice.append(
            Advice(
                f"{static} objects of the first frame lie at their places to the end",
                "Nobody sees them move: tracking lists them as static from the start, and counts no"
                " death, unless worms that were put on the plate are missing (column worms).",
            )
        )
    return advice


def _faint(
    worms: Sequence[Found], doubtful: Sequence[Found], settings: DetectSettings
) -> list[Advice]:
    """Propose a least contrast where doubtful objects are fainter than every worm."""
    faint_worm = min(one.contrast for one in worms)
    fainter = [one for one in doubtful if one.contrast < faint_worm and not one.sure]
    if not fainter:
        return []
    boldest = max(one.contrast for one in fainter)
    limit = math.floor(boldest + SAFE * (faint_worm - boldest)) + 1
    if limit >= faint_worm or limit <= settings.min_contrast:
        return []
    usual = float(np.median([one.contrast for one in worms]))
    moved = sum(one.contrast < limit and one.moved for one in doubtful)
    look = f" {moved} of these moved, and may be worms: look at them before you accept."
    return [
        Advice(
            f"Faint objects counted as worms: {len(fainter)}",
            "In the overlay of the trial they exceed the agar by"
            f" {min(o.contrast for o in fainter):.0f} to {boldest:.0f} levels, worms that moved by"
            f" {faint_worm:.0f} and more (median {usual:.0f}): folds of the agar and scratches look"
            f" like this. A least contrast of {limit} drops"
            f" {sum(o.contrast < limit for o in doubtful)} of {len(doubtful)} doubtful objects and"
            f" {sum(o.contrast < limit for o in worms)} of {len(worms)} worms."
            f"{look if moved else ''}",
            {"detection.detect.min_contrast": float(limit)},
            "faint",
        )
    ]


def _rim(
    found: Mapping[int, Sequence[Found]],
    worms: Sequence[Found],
    settings: DetectSettings,
    wall: float,
) -> list[Advice]:
    """Propose the nearest distance to the wall at which a worm can be told from it."""
    usual = float(np.median([one.width_um for one in worms]))
    limit = 10.0 * math.ceil((wall + usual) / 10)
    if 0.75 * settings.rim_um <= limit <= 1.33 * settings.rim_um:
        return []
    low, high = sorted((limit, settings.rim_um))
    between = [
        one
        for objects in found.values()
        for one in objects
        if one.reason in ("", "edge of dish") and low <= one.edge_um < high
    ]
    nearer = limit < settings.rim_um
    if nearer and not between:
        return []
    return [
        Advice(
            "Worms nearer to the wall can be told from it"
            if nearer
            else "The wall reaches farther into the dish",
            f"The wall reaches {wall:.0f} um inwards from the edge that was found, and worms are"
            f" {usual:.0f} um wide: objects from {limit:.0f} um on can be judged,"
            f" {settings.rim_um:g} um is set. That {'adds' if nearer else 'drops'} {len(between)}"
            f" objects in these frames, {sum(one.moved for one in between)} of which moved.",
            {"detection.detect.rim_um": limit},
            "rim",
        )
    ]


def on_unsure(
    found: Mapping[int, Sequence[Found]],
    tried: Mapping[float, Mapping[int, Sequence[Found]]],
    settings: DetectSettings,
) -> list[Advice]:
    """Propose a lower confidence where nearly all that it adds moved and looks like the worms.

    Args:
        found: by timepoint; tried: the same with each of ``TRIED_SCORES`` in place of what is set.
    """
    worms = worms_of(found)
    kept = sum(not one.reason for objects in found.values() for one in objects)
    if len(worms) < MIN_WORMS:
        return []
    faintest = float(np.quantile([one.contrast for one in worms], 0.1))
    # Of the masks: a body with a bright core or a shining head is cut short by its half contrast.
    length = float(np.median([length_px(one.instance) for one in worms]))
    proposed: list[Advice] = []
    for score in sorted(tried, reverse=True):
        added = [
            one
            for objects in tried[score].values()
            for one in objects
            if not one.reason and one.instance.score < settings.score_threshold
        ]
        alike = [
            one
            for one in added
            if one.moved
            and one.contrast >= faintest
            and LIKE_A_WORM[0] * length <= length_px(one.instance) <= LIKE_A_WORM[1] * length
        ]
        if score >= settings.score_threshold or len(alike) < max(MIN_WORMS, UNSURE_SHARE * kept):
            continue
        if len(alike) < WORMS_AMONG * len(added):
            break
        text = (
            f"With confidences from {score:g} on it keeps {len(added)} more objects beside"
            f" {kept}: {len(alike)} of them {'moved, and ' if len(found) > 1 else ''}are as long"
            " and as dark as the worms that it is sure of. Weights trained further on such pictures"
            " would help more (snakemake healthspan_train)."
        )
        proposed = [
            Advice(
                f"The detector is unsure of worms: {len(alike)} more",
                text,
                {"detection.detect.score_threshold": score},
                "unsure",
            )
        ]
    return proposed


def on_size(
    found: Mapping[int, Sequence[Found]], model_px_um: float, pixel_size_um: float
) -> list[Advice]:
    """Advise on the pixel size by the length of the worms.

    Args:
        model_px_um: pixel size of the detector; pixel_size_um: of the raw images (um).
    """
    worms = worms_of(found)
    if len(worms) < 3:
        kept = sum(not one.reason for objects in found.values() for one in objects)
        return [
            Advice(
                f"{len(worms)} worms were found that moved ({kept} objects are kept)",
                "The detector may not know such worms: compare their size with the pictures, and"
                " look whether they are dark on bright ground (plates: default_channel).",
                {},
                "size",
            )
        ]
    length = float(np.median([one.length_um for one in worms]))
    low, high = (px * model_px_um for px in MODEL_PX)
    if low * (1 - LENGTH_SLACK) <= length <= high * (1 + LENGTH_SLACK):
        return []
    right = pixel_size_um * USUAL_UM / length
    return [
        Advice(
            f"Worms are {length:.0f} um long by the pixel size",
            f"The detector was trained on {low:.0f} to {high:.0f} um. Adults measure 1000 to 1500"
            f" um: if these are adults, the pixel size is about {right:.1f} um, not"
            f" {pixel_size_um:g} um. Measure the dish.",
            {},
            "size",
        )
    ]
