"""Heads linked to tracks, and how fast they move against the background.

From frame to frame by the assignment with the least distances (Kuhn 1955) to where each track would
be at its present velocity, within the fastest speed; a head that is not found for a few frames is
waited for.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.optimize import linear_sum_assignment

from snakescope.sperm.tracking.settings import TrackSettings

FAR = 1e6
FORGET = 0.5
"""Share of the last step in the velocity of a track."""


@dataclass
class Track:
    """Places of one head.

    Attributes:
        frames: numbers of the frames, ascending.
        places: x, y (px) in each.
        velocity: x, y (px a frame), smoothed.
    """

    frames: list[int] = field(default_factory=list)
    places: list[tuple[float, float]] = field(default_factory=list)
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    def add(self, frame: int, place: tuple[float, float]) -> None:
        """Append a place."""
        if self.frames:
            step = (np.array(place) - self.places[-1]) / (frame - self.frames[-1])
            self.velocity = FORGET * step + (1 - FORGET) * self.velocity
        self.frames.append(frame)
        self.places.append(place)

    def expected(self, frame: int) -> NDArray[np.float64]:
        """Where it would be."""
        gone = frame - self.frames[-1]
        found: NDArray[np.float64] = np.array(self.places[-1]) + gone * self.velocity
        return found


class Kinematics(NamedTuple):
    """Speeds of a track (um/s): straight-line, curvilinear, average path; LIN = VSL / VCL."""

    vsl: float
    vcl: float
    vap: float
    lin: float


def link(
    heads: list[NDArray[np.float64]], fps: float, um_per_px: float, settings: TrackSettings
) -> list[Track]:
    """Tracks of heads.

    Args:
        heads: of each frame, x and y (px) in the first two columns.
    """
    reach = (settings.max_speed_um_s / fps + settings.slack_um) / um_per_px
    wait = max(1, round(settings.max_gap_s * fps))
    active: list[Track] = []
    done: list[Track] = []
    for number, found in enumerate(heads):
        done += [one for one in active if number - one.frames[-1] > wait]
        active = [one for one in active if number - one.frames[-1] <= wait]
        taken: set[int] = set()
        if active and len(found):
            expected = np.array([one.expected(number) for one in active])
            distance = np.hypot(*(expected[:, None] - found[None, :, :2]).transpose(2, 0, 1))
            distance[distance > reach] = FAR
            for row, column in zip(*linear_sum_assignment(distance), strict=True):
                if distance[row, column] < FAR:
                    active[row].add(number, (float(found[column, 0]), float(found[column, 1])))
                    taken.add(int(column))
        for column in set(range(len(found))) - taken:
            fresh = Track()
            fresh.add(number, (float(found[column, 0]), float(found[column, 1])))
            active.append(fresh)
    whole = [one for one in (*done, *active) if _seconds(one, fps) >= settings.min_track_s]
    return sorted(whole, key=lambda one: (one.frames[0], one.places[0]))


def _seconds(track: Track, fps: float) -> float:
    return (track.frames[-1] - track.frames[0]) / fps


def path(track: Track) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frames without gaps, and places (px) with gaps filled by straight lines."""
    frames = np.arange(track.frames[0], track.frames[-1] + 1)
    places = np.array(track.places)
    filled = [np.interp(frames, track.frames, places[:, axis]) for axis in (0, 1)]
    return frames, np.column_stack(filled)


def smoothed(places: NDArray[np.float64], fps: float, seconds: float) -> NDArray[np.float64]:
    """Running mean over a time, not over a number of frames, so that rates compare."""
    size = max(1, round(seconds * fps))
    return np.asarray(uniform_filter1d(places, size, axis=0, mode="nearest"))


def kinematics(
    places: NDArray[np.float64], fps: float, um_per_px: float, smooth_s: float
) -> Kinematics:
    """Speeds of a path (px), shape (T, 2), T > 1; places are smoothed over 0.02 s for the VCL."""
    seconds = (len(places) - 1) / fps
    fine = smoothed(places, fps, 0.04) * um_per_px
    mean = smoothed(places, fps, smooth_s) * um_per_px
    ends = mean[-1] - mean[0]
    vsl = float(np.hypot(*ends) / seconds)
    vcl = float(np.hypot(*np.diff(fine, axis=0).T).sum() / seconds)
    vap = float(np.hypot(*np.diff(mean, axis=0).T).sum() / seconds)
    return Kinematics(vsl, vcl, vap, vsl / vcl if vcl > 0 else np.nan)
