"""A video with every tracked sperm: its number, its grade, and the path behind it."""

import argparse
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from snakescope.imaging.videos.video import Video, write_video
from snakescope.sperm.detection.table import read_heads, scale_and_rate
from snakescope.sperm.results.gallery import GRADE_COLOURS, colour, font
from snakescope.sperm.results.settings import OverlaySettings
from snakescope.sperm.tracking.link import path
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.sperm.tracking.track import linked
from snakescope.sperm.videos.sheet import GRADES
from snakescope.step.progress import progress
from snakescope.step.tables import read_table

NOT_GRADED = "#f4e04d"
"""Of tracks without a grade."""
BAND, RADIUS = 34, 11
LIGHT, DARK = (255, 255, 255), (20, 22, 26)


class Marked(NamedTuple):
    """A track: what is written beside it, its colour, its frames and places (px)."""

    label: str
    colour: str
    frames: NDArray[np.int64]
    places: NDArray[np.float64]


def marked(
    paths: Mapping[str, tuple[NDArray[np.int64], NDArray[np.float64]]], clips: pd.DataFrame
) -> list[Marked]:
    """Tracks with the grade of their first clip that has one.

    Args:
        paths: of the tracks, by their names as in those of clips: ``t0007``.
        clips: the table of the dish, of this video.
    """
    of_track: dict[str, dict[Any, Any]] = {}
    for row in clips.sort_values("clip", ascending=False).to_dict("records"):
        track = str(row["clip"]).rpartition("_")[0].rpartition("_")[2]
        if row["grade"] or track not in of_track:
            of_track[track] = row
    found = []
    for name, (frames, places) in paths.items():
        grade = str(of_track[name]["grade"]) if name in of_track else ""
        label = f"{int(name[1:])}{f' {grade}' if grade else ''}"
        shade = GRADE_COLOURS[GRADES.index(grade)] if grade else NOT_GRADED
        found.append(Marked(label, shade, frames, places))
    return found


def drawn(
    frame: NDArray[np.uint8], number: int, tracks: list[Marked], scale: int, trail: int, text: str
) -> NDArray[np.uint8]:
    """A frame, RGB, enlarged, with all tracks of that time, and a line of text on top."""
    big = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    made = Image.fromarray(cv2.cvtColor(np.asarray(big, np.uint8), cv2.COLOR_GRAY2RGB))
    pen = ImageDraw.Draw(made)
    now = [one for one in tracks if one.frames[0] <= number <= one.frames[-1]]
    here = [one.places[number - int(one.frames[0])] for one in now]
    around = [(scale * (x + 0.5), scale * (y + 0.5)) for x, y in here]
    taken = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in around]
    for one in now:
        at = number - int(one.frames[0])
        points = [(scale * (x + 0.5), scale * (y + 0.5)) for x, y in one.places[max(0, at - trail) : at + 1]]  # fmt: skip # noqa: E501
        ink = colour(one.colour)
        x, y = points[-1]
        if len(points) > 1:
            pen.line(points, ink, 2)
        pen.ellipse((x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS), outline=ink, width=2)
        _label(pen, one.label, x, y, ink, made.size, taken)
    whole = np.zeros(
        (made.height + BAND + made.height % 2, made.width + made.width % 2, 3), np.uint8
    )
    whole[:BAND] = _band(whole.shape[1], text)
    whole[BAND : BAND + made.height, : made.width] = np.asarray(made)
    return whole


def _band(width: int, text: str) -> NDArray[np.uint8]:
    """The line of text on top, with the colours of the grades, RGB."""
    band = Image.new("RGB", (width, BAND))
    pen = ImageDraw.Draw(band)
    pen.text((10, 8), text, LIGHT, font(15))
    place = width - 330
    for name, shade in (*zip(GRADES, GRADE_COLOURS, strict=True), ("not graded", NOT_GRADED)):
        pen.ellipse((place, 11, place + 13, 24), colour(shade))
        pen.text((place + 18, 8), name, LIGHT, font(14))
        place += 40
    return np.asarray(band, np.uint8)


def _label(
    pen: ImageDraw.ImageDraw, text: str, x: float, y: float, ink: tuple[int, int, int],
    size: tuple[int, int], taken: list[tuple[float, float, float, float]],
) -> None:  # fmt: skip
    """Write a label on a dark ground beside a head, where no other one is."""
    wide, high = font(14).getlength(text) + 8, 19.0
    spots = [
        (x + RADIUS + 2, y - high), (x - RADIUS - 2 - wide, y - high), (x + RADIUS + 2, y + 2),
        (x - RADIUS - 2 - wide, y + 2),
    ]  # fmt: skip
    for left, top in spots:
        box = (left, top, left + wide, top + high)
        inside = left >= 0 and top >= 0 and box[2] <= size[0] and box[3] <= size[1]
        free = all(box[0] >= b[2] or box[2] <= b[0] or box[1] >= b[3] or box[3] <= b[1] for b in taken)  # fmt: skip # noqa: E501
        if inside and free:
            break
    else:
        left, top = spots[0]
        left, top = min(max(left, 0), size[0] - wide), min(max(top, 0), size[1] - high)
        box = (left, top, left + wide, top + high)
    taken.append(box)
    pen.rectangle(box, DARK, ink)
    pen.text((left + 4, top + 1), text, LIGHT, font(14))


def frames_of(
    video: Video, tracks: list[Marked], name: str, settings: OverlaySettings
) -> Iterator[NDArray[np.uint8]]:
    """All frames up to the longest time, drawn."""
    count = min(len(video), round(settings.seconds * video.fps))
    scale = max(1, -(-settings.width_px // video.width))
    trail = round(settings.trail_s * video.fps)
    numbers = progress(range(count), "frames")
    for number, frame in zip(numbers, video.frames(0, count), strict=False):
        text = f"{name}   {video.times_s[number]:.2f} s"
        yield drawn(frame, number, tracks, scale, trail, text)


def ahead(frames: Iterator[NDArray[np.uint8]], count: int = 8) -> Iterator[NDArray[np.uint8]]:
    """The same frames, made by another thread while those before them are written."""
    with ThreadPoolExecutor(1) as pool:
        waiting = deque(pool.submit(next, frames, None) for _ in range(count))
        while (frame := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, frames, None))
            yield frame


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--video", required=True, help="the video")
    parser.add_argument("--name", required=True, help="of the video")
    parser.add_argument("--scale", required=True, help="um per px and fps, as 0.46:50")
    parser.add_argument("--heads", required=True, type=Path, help="heads of all frames (TSV)")
    parser.add_argument("--clips", required=True, type=Path, help="clips of the dish (TSV)")
    parser.add_argument("--tracking", required=True, help="settings of the tracking as JSON")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--overlay", required=True, type=Path, help="video to write (MP4)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = OverlaySettings.model_validate_json(arguments.settings)
    tracking = TrackSettings.model_validate_json(arguments.tracking)
    um_per_px, given = scale_and_rate(arguments.scale)
    video = Video(arguments.video, given)
    heads = read_heads(arguments.heads, len(video))
    tracks = linked(heads, video.fps, um_per_px, tracking)
    clips = read_table(arguments.clips, ["clip", "video", "grade"], text=["clip", "video", "grade"])
    mine = clips[clips["video"] == arguments.name]
    shown = marked({name: path(one) for name, one in tracks.items()}, mine)
    frames = frames_of(video, shown, arguments.name, settings)
    write_video(arguments.overlay, ahead(frames), video.fps, codec="libx264")
