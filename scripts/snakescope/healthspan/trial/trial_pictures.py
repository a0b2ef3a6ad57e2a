"""Pictures of a trial: residuals by place, masks on frames, effects of settings."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.healthspan.registration.motion import Motion, to_reference, transform_points
from snakescope.healthspan.trial.alignments import NAMES, Alignment
from snakescope.healthspan.trial.objects import Found, Searched
from snakescope.imaging.masks import Instance
from snakescope.imaging.overlays import around, outlined, stretched
from snakescope.imaging.style import RC
from snakescope.report.pages import image_url, jpeg_url

KEPT, MOVING_WORM = "#0072b2", "#009e73"
DROPPED = {
    "too small": "#e69f00", "too thin": "#cc79a7", "faint": "#d55e00", "edge of dish": "#56b4e9",
    "dust": "#999999",
}  # fmt: skip
OTHER = "#f0e442"
PICTURE_PX = 1400
CROP_PX, SHOWN = 96, 12
BORDER_PX, ENLARGED = 70, 2
ARROW = 25.0
"""Lengthening of residuals in the map of a plate."""


def figure_url(figure: Figure) -> str:
    """Return a figure as a PNG in a URL."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return image_url(stream.getvalue(), "png")


def residual_map(
    alignments: Mapping[int, Alignment], kinds: Sequence[tuple[str, str]], tolerance_px: float
) -> str:
    """Draw what motions leave over at every place: rows are frames, columns kinds of motion.

    Args:
        kinds: kind and heading of each column.
    """
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(4.6 * len(kinds), 4.4 * len(alignments)))
        axes = figure.subplots(len(alignments), len(kinds), squeeze=False)
        for row, (timepoint, one) in zip(axes, alignments.items(), strict=True):
            for panel, (kind, heading) in zip(row, kinds, strict=True):
                panel.set_aspect("equal")
                panel.set_xlim(0, one.shape[1])
                panel.set_ylim(one.shape[0], 0)
                panel.set_xlabel("x (px)")
                panel.set_ylabel("y (px)")
                panel.plot(*np.vstack([one.edge, one.edge[:1]]).T, color="#bbbbbb", lw=0.8)
                if kind not in one.fits:
                    panel.set_title(f"t{timepoint:03d}, {heading}: no motion found", fontsize=9)
                    continue
                off = one.residuals(kind)
                size = np.linalg.norm(off, axis=1)
                fits = size <= tolerance_px
                for which, colour in ((fits, KEPT), (~fits, DROPPED["faint"])):
                    panel.quiver(
                        *one.places[which].T, *off[which].T, angles="xy", scale_units="xy",
                        scale=1 / ARROW, color=colour, width=0.004,
                    )  # fmt: skip
                panel.set_title(
                    f"t{timepoint:03d}, {heading}\n{one.share(kind, tolerance_px):.0%} of"
                    f" {one.pieces} pieces within {tolerance_px:g} px; arrows x {ARROW:.0f}",
                    fontsize=9,
                )
        figure.tight_layout()
        return figure_url(figure)


def frame_url(one: Searched, found: Sequence[Found], tile_px: int) -> str:
    """Draw an overlay with its tiles, kept masks (blue, moving ones green) and dropped ones."""
    height, width = one.picture.shape
    scale = min(1.0, PICTURE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    grey = cv2.resize(255 - one.picture, size, interpolation=cv2.INTER_AREA)
    picture = np.repeat(np.asarray(grey, np.uint8)[:, :, None], 3, axis=2)
    for top, left in one.corners:
        corner = round(left * scale), round(top * scale)
        end = round((left + tile_px) * scale), round((top + tile_px) * scale)
        cv2.rectangle(picture, corner, end, (214, 214, 214), 1)
    for each in found:
        colour = DROPPED.get(each.reason, OTHER) if each.reason else KEPT
        if not each.reason and each.moved:
            colour = MOVING_WORM
        picture = outlined(picture, [each.instance], {}, colour, scale, 1, margin=5)
    return jpeg_url(picture, 82)


def crops_url(found: Sequence[tuple[Searched, Found]], limit: int = SHOWN) -> str:
    """Draw objects side by side, each with its outline; empty without any."""
    cells = []
    for one, each in found[:limit]:
        y, x = each.instance.centroid
        side = 2 * CROP_PX
        crop = around(one.picture, y, x, side)
        picture = np.repeat(255 - crop[:, :, None], 3, axis=2).astype(np.uint8)
        top, left = round(y - side / 2), round(x - side / 2)
        moved = moved_by(each.instance, top, left)
        plain = picture.copy()
        cells.append(np.vstack([plain, outlined(picture, [moved], {}, KEPT, 1.0, 1, margin=3)]))
    if not cells:
        return ""
    return jpeg_url(side_by_side(cells), 85)


def borders_url(worms: Sequence[tuple[NDArray[np.uint8], Instance]]) -> str:
    """Draw worms side by side, enlarged, each with the border of its mask."""
    cells = []
    for overlay, one in worms:
        y, x = one.centroid
        side = 2 * BORDER_PX
        grey = 255 - around(overlay, y, x, side)
        size = (side * ENLARGED, side * ENLARGED)
        large = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)
        picture = np.repeat(np.asarray(large, np.uint8)[:, :, None], 3, axis=2)
        moved = moved_by(one, round(y - side / 2), round(x - side / 2))
        cells.append(outlined(picture, [moved], {}, DROPPED["faint"], ENLARGED, 1))
    return jpeg_url(side_by_side(cells), 88)


def side_by_side(cells: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Join pictures of one height (Y, X, 3) with a white gap."""
    gap = np.full((cells[0].shape[0], 4, 3), 255, np.uint8)
    return np.hstack([part for cell in cells for part in (cell, gap)][:-1])


def moved_by(one: Instance, top: int, left: int) -> Instance:
    """Return a mask in the coordinates of a crop."""
    return replace(one, top=one.top - top, left=one.left - left)


def effect_of_alignment(
    reference: NDArray[Any], frame: NDArray[Any], one: Alignment, now: str, wanted: str
) -> str:
    """Draw where two motions differ most at the edge, the reference red and the frame cyan.

    Where both lie on each other it is grey; the left half is by the motion that is set, the right
    by the one that is proposed.
    """
    edges = [transform_points(one.matrix(kind), one.edge) for kind in (now, wanted)]
    worst = int(np.argmax(np.linalg.norm(edges[0] - edges[1], axis=1)))
    centre = np.mean(one.edge, axis=0)
    x, y = centre + 0.93 * (one.edge[worst] - centre)
    pieces = []
    first = stretched(reference)
    for kind in (now, wanted):
        motion: Motion = one.fits[kind].motion
        other = stretched(to_reference(frame, motion))
        red, cyan = (around(part, y, x, 220) for part in (first, other))
        pair = np.stack([red, cyan, cyan], axis=2)
        pieces.append(cv2.resize(pair, (660, 660), interpolation=cv2.INTER_CUBIC))
        pieces.append(np.full((660, 6, 3), 255, np.uint8))
    return jpeg_url(np.hstack(pieces[:-1]).astype(np.uint8), 88)


def kind_name(kind: str) -> str:
    """Return a kind of motion in words."""
    return NAMES.get(kind, kind)
