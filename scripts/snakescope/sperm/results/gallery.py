"""Strips of the frames of sperm with their grades, as a picture and for the page of a dish."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from snakescope.imaging.style import FAINT_INK, INK, PAPER, RULE
from snakescope.sperm.clips.cut import read_clip
from snakescope.sperm.videos.sheet import GRADES
from snakescope.step.output import atomic_write

GRADE_COLOURS = ("#1b4f8a", "#4f8fc0", "#8c8c8c", "#d1722f", "#8f3b12")
"""From blue (A) to brown (E) by way of grey, told apart by those who see no red or green."""
CELL, GAP, TEXT, BARS, HEAD = 96, 2, 300, 130, 56
"""Sides of a frame, gaps, columns of text and of bars, and the height of the title (px)."""

Pixels = NDArray[np.uint8]


class Shown(NamedTuple):
    """A sperm of a gallery: frames (T, side, side), shares (5,), and its row of the table."""

    frames: Pixels
    shares: NDArray[np.float64]
    row: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any], frames: int) -> "Shown":
        """Read the frames of a row, evenly spread; none where there is no clip."""
        shares = np.array([row[f"p{name}"] for name in GRADES], np.float64)
        if row["frames"] == 0:
            return cls(np.zeros((0, CELL, CELL), np.uint8), shares, row)
        clip = read_clip(row["path"])
        chosen = clip[np.linspace(0, len(clip) - 1, frames).round().astype(int)]
        return cls(np.stack([resized(one, CELL) for one in contrast(chosen)]), shares, row)


def contrast(frames: Pixels) -> Pixels:
    """All frames of a clip stretched alike, between their 0.5 and 99.5 % quantiles."""
    low, high = np.percentile(frames, [0.5, 99.5])
    scaled = (frames.astype(np.float32) - low) * (255 / max(float(high - low), 20.0))
    return np.asarray(np.clip(scaled, 0, 255), np.uint8)


def resized(frame: Pixels, side: int) -> Pixels:
    """A square frame of another side."""
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC))


def strip(one: Shown) -> Pixels:
    """The frames of a sperm side by side, RGB."""
    count = max(len(one.frames), 1)
    found = np.full((CELL, count * (CELL + GAP) - GAP), 230, np.uint8)
    for at, frame in enumerate(one.frames):
        found[:, at * (CELL + GAP) : at * (CELL + GAP) + CELL] = frame
    return np.repeat(found[..., None], 3, axis=2)


def words(row: Mapping[str, Any]) -> list[str]:
    """What is written beside a strip."""
    speed = "" if pd.isna(row["vsl_um_s"]) else f"VSL {row['vsl_um_s']:.1f} um/s"
    head = (
        ""
        if pd.isna(row["head_length_um"])
        else f"head {row['head_length_um']:.1f} x {row['head_width_um']:.1f} um"
    )
    measured = ", ".join(one for one in (speed, head) if one)
    if row["not_graded"]:
        said = [str(row["clip"]), f"not graded: {row['not_graded']}", measured]
        return [one for one in said if one]
    return [
        f"{row['rank']}.  {row['clip']}",
        f"grade {row['grade']}, mean {letter(row['mean_grade'])}"
        f" ({letter(row['low_90'])} to {letter(row['high_90'])})",
        f"best of the dish: {row['p_best']:.0%}",
        measured,
    ]


def letter(mean: float) -> str:
    """A mean grade in words of grades: 1.3 is ``B+0.3``, for 0.3 of a grade worse than B."""
    nearest = int(np.clip(np.round(mean), 0, 4))
    off = mean - nearest
    return GRADES[nearest] if abs(off) < 0.05 else f"{GRADES[nearest]}{off:+.1f}"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font of all figures."""
    folder = Path(matplotlib.get_data_path(), "fonts/ttf")
    return ImageFont.truetype(str(folder / "DejaVuSans.ttf"), size)


def colour(name: str) -> tuple[int, int, int]:
    """A hex colour for PIL."""
    r, g, b = (round(255 * one) for one in to_rgb(name))
    return r, g, b


def gallery(dish: str, shown: Sequence[Shown]) -> Image.Image:
    """Sperm in their order, one a row: text, shares of the grades, frames."""
    frames = max([len(one.frames) for one in shown], default=1) or 1
    width = TEXT + BARS + frames * (CELL + GAP)
    made = Image.new("RGB", (width, HEAD + max(len(shown), 1) * (CELL + 8)), colour(PAPER))
    pen = ImageDraw.Draw(made)
    pen.text((8, 8), f"Dish {dish}: best first", colour(INK), font(20))
    pen.text((8, 34), "A best, E worst; mean grade with 90 % interval", colour(FAINT_INK), font(12))
    for at, one in enumerate(shown):
        top = HEAD + at * (CELL + 8)
        pen.line((0, top - 4, width, top - 4), colour(RULE))
        for line, text in enumerate(words(one.row)):
            inked = colour(INK if line < 2 else FAINT_INK)
            for part, wrapped in enumerate(lines(text, TEXT - 16, 14 if line == 0 else 12)):
                place = top + 4 + (line + part) * 21
                pen.text((8, place), wrapped, inked, font(14 if line == 0 else 12))
        if not one.row["not_graded"]:
            _bars(pen, one.shares, TEXT, top)
        made.paste(Image.fromarray(strip(one)), (TEXT + BARS, top))
    return made


def lines(text: str, width: int, size: int) -> list[str]:
    """A text in lines of a width (px)."""
    found = [""]
    for word in text.split(" "):
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and font(size).getlength(longer) > width:
            found.append(word)
        else:
            found[-1] = longer
    return found


def _bars(pen: ImageDraw.ImageDraw, shares: NDArray[np.float64], left: int, top: int) -> None:
    """Shares of the grades, a bar each; the scale ends at 60 %."""
    for at, share in enumerate(shares):
        x, height = left + at * 22, min(float(share) / 0.6, 1.0) * (CELL - 24)
        floor = top + CELL - 18
        pen.rectangle((x, floor - height, x + 16, floor), colour(GRADE_COLOURS[at]))
        pen.text((x + 4, floor + 2), GRADES[at], colour(INK), font(12))


def save_picture(path: str | Path, made: Image.Image) -> None:
    """Write a picture, whole or not at all."""
    with atomic_write(path) as partial:
        made.save(partial, format="PNG")
