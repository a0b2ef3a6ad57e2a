"""Link the heads of a video to tracks, and choose the seconds of them that become clips."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.imaging.videos.video import Video
from snakescope.sperm.clips.cut import COLUMNS as PLAN
from snakescope.sperm.clips.movement import UNSEEN
from snakescope.sperm.detection.drift import read_drift, read_seen
from snakescope.sperm.detection.table import read_heads, scale_and_rate
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.tracking.link import Track, kinematics, link, path, smoothed
from snakescope.sperm.tracking.settings import TrackSettings
from snakescope.step.tables import write_table

FPS = 16.0
NEAR_UM_PER_PX = 0.46
"""Pixel size at which tracks are linked where the sheet gives none (um)."""
TWO_HEADS = "two heads"
"""Flag of a clip that another head comes into."""
TABLE = [
    "track", "first_frame", "last_frame", "start_s", "duration_s", "x_px", "y_px", "vsl_um_s",
    "vcl_um_s", "vap_um_s", "lin", "fps", "progressive", "flags",
]  # fmt: skip


def linked(
    heads: list[NDArray[np.float64]], fps: float, um_per_px: float | None, settings: TrackSettings
) -> dict[str, Track]:
    """The tracks of a video by their names.

    Without a pixel size they are linked at that of the network, and have no speed.
    """
    tracks = link(heads, fps, um_per_px or NEAR_UM_PER_PX, settings)
    return {f"t{number:04d}": track for number, track in enumerate(tracks)}


def row_of(
    name: str,
    track: Track,
    drift: NDArray[np.float64],
    seen: NDArray[np.bool_],
    fps: float,
    um_per_px: float | None,
    settings: TrackSettings,
) -> dict[str, Any]:
    """The row of the table of a track.

    Args:
        drift: of the background, shape (T, 2).
        seen: whether the field shows how it moved to each frame, shape (T,).
    """
    frames, places = path(track)
    moved = places - drift[frames]
    row: dict[str, Any] = {
        "track": name, "first_frame": int(frames[0]), "last_frame": int(frames[-1]),
        "start_s": frames[0] / fps, "duration_s": (len(frames) - 1) / fps,
        "x_px": places[0, 0], "y_px": places[0, 1], "fps": fps,
        "flags": "" if seen[frames].all() else UNSEEN,
    }  # fmt: skip
    if um_per_px is None:
        return row | {"flags": "no um_per_px: no speed", "progressive": ""}
    speeds = kinematics(moved, fps, um_per_px, settings.smooth_s)
    return row | {
        "vsl_um_s": speeds.vsl,
        "vcl_um_s": speeds.vcl,
        "vap_um_s": speeds.vap,
        "lin": speeds.lin,
        "progressive": "yes" if speeds.vsl >= settings.immotile_um_s else "no",
    }


def windows_of(
    tracks: list[Track],
    names: list[str],
    source: str,
    fps: float,
    rate: str,
    um_per_px: float | None,
    settings: TrackSettings,
    drift: NDArray[np.float64],
    seen: NDArray[np.bool_],
) -> pd.DataFrame:
    """The seconds of tracks that become clips: where the middle of the crop is in each frame.

    The crop follows the smoothed path of the head, so that the background drifts by its speed. A
    track longer than a second gives up to ``clips_per_track`` clips, evenly spread.
    """
    paths = [path(track) for track in tracks]
    whole = (FRAMES - 1) / FPS
    rows = []
    for at, (frames, places) in enumerate(paths):
        seconds = (len(frames) - 1) / fps
        if seconds < whole - 1e-9:
            continue
        count = min(settings.clips_per_track, max(1, int(seconds / whole)))
        mean = smoothed(places, fps, settings.smooth_s)
        for number in range(count):
            first = frames[0] / fps + (seconds - whole) * (number + 0.5) / count
            times = first + np.arange(FRAMES) / FPS
            middle = [np.interp(times, frames / fps, mean[:, axis]) for axis in (0, 1)]
            every = np.arange(len(drift)) / fps
            against = [middle[axis] - np.interp(times, every, drift[:, axis]) for axis in (0, 1)]
            during = (every >= times[0]) & (every <= times[-1])
            flags = [
                _two_heads(at, paths, times, np.column_stack(middle), fps, um_per_px, settings),
                "" if seen[during].all() else UNSEEN,
            ]
            rows.append(
                {
                    "clip": f"{names[at]}_{number}", "path": source, "start_s": first,
                    "x_px": " ".join(f"{x:.2f}" for x in middle[0]),
                    "y_px": " ".join(f"{y:.2f}" for y in middle[1]),
                    "um_per_px": "" if um_per_px is None else um_per_px, "fps": rate,
                    "flags": "; ".join(filter(None, flags)),
                    "moved_px": " ".join(
                        f"{x:.3f} {y:.3f}" for x, y in zip(*against, strict=True)
                    ),
                }
            )  # fmt: skip
    return pd.DataFrame(rows, columns=PLAN)


def _two_heads(
    at: int, paths: list[tuple[NDArray[np.int64], NDArray[np.float64]]],
    times: NDArray[np.float64], middle: NDArray[np.float64], fps: float,
    um_per_px: float | None, settings: TrackSettings,
) -> str:  # fmt: skip
    if um_per_px is None:
        return ""
    for other, (frames, places) in enumerate(paths):
        if other == at or frames[-1] / fps < times[0] or frames[0] / fps > times[-1]:
            continue
        there = [np.interp(times, frames / fps, places[:, axis]) for axis in (0, 1)]
        seen = (times >= frames[0] / fps) & (times <= frames[-1] / fps)
        away = np.hypot(*(np.column_stack(there) - middle).T) * um_per_px
        if (away[seen] < settings.two_heads_um).any():
            return TWO_HEADS
    return ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--heads", required=True, type=Path, help="heads of all frames (TSV)")
    parser.add_argument("--drift", required=True, type=Path, help="of the background (TSV)")
    parser.add_argument("--video", required=True, help="the video")
    parser.add_argument("--scale", required=True, help="um per px and fps, as 0.46:50")
    parser.add_argument("--name", required=True, help="of the video; clips begin so")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--tracks", required=True, type=Path, help="table to write, a row a track")
    parser.add_argument("--windows", required=True, type=Path, help="table to write: clips to cut")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = TrackSettings.model_validate_json(arguments.settings)
    um_per_px, given = scale_and_rate(arguments.scale)
    video = Video(arguments.video, given)
    heads = read_heads(arguments.heads, len(video))
    tracks = linked(heads, video.fps, um_per_px, settings)
    drift = read_drift(arguments.drift, len(video))
    seen = read_seen(arguments.drift, len(video))
    rows = [
        row_of(name, track, drift, seen, video.fps, um_per_px, settings)
        for name, track in tracks.items()
    ]
    table = pd.DataFrame(rows, columns=TABLE)
    names = [f"{arguments.name}_{name}" for name in tracks]
    rate = "" if given is None else f"{given:g}"
    windows = windows_of(
        list(tracks.values()), names, arguments.video, video.fps, rate, um_per_px, settings, drift,
        seen,
    )  # fmt: skip
    write_table(arguments.tracks, table)
    write_table(arguments.windows, windows)
