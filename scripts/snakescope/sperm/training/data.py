"""Clips as a network sees them, with their movement and votes."""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from snakescope.imaging.stacks import Stack
from snakescope.sperm.clips.cut import read_clip
from snakescope.sperm.clips.motion import features, features_of, moved
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.networks.heads import GRADES
from snakescope.step.errors import StepError
from snakescope.step.progress import progress

FPS = 16.0
MAX_SHIFT = 0.04
"""Of the augmentation (share of the side)."""


@dataclass(frozen=True)
class Clips:
    """Clips in memory.

    Attributes:
        frames: uint8, shape (N, 16, side, side).
        motion: float32, shape (N, 19), see :func:`snakescope.sperm.clips.motion.features`.
        votes: int64, shape (N, 5); zeros where there are none.
    """

    frames: NDArray[np.uint8]
    motion: NDArray[np.float32]
    votes: NDArray[np.int64]


def votes_of(text: str) -> list[int]:
    """Counts from ``3 10 15 8 4``."""
    found = [int(one) for one in text.split()]
    if found and len(found) != GRADES:
        raise StepError(f"votes: expected {GRADES} counts from A to E, found {text!r}")
    return found or [0] * GRADES


def load(items: pd.DataFrame, size_px: int) -> Clips:
    """Read clips.

    Args:
        items: columns path and, where there are votes, truth; where tracks of a field tell how
            sperm moved, steps_um and vsl_um_s.
        size_px: side to bring them to.
    """
    frames = np.zeros((len(items), FRAMES, size_px, size_px), np.uint8)
    told = []
    steps = [str(one) for one in items["steps_um"]] if "steps_um" in items else [""] * len(items)
    for at, path in enumerate(progress(list(items["path"]), "clips")):
        clip = read_clip(path)
        with Stack(path) as stack:
            um_per_px = stack.pixel_size_um or np.nan
        if steps[at]:
            lengths = np.array(steps[at].split(), np.float64)
            straight = float(items["vsl_um_s"].iloc[at]) * len(lengths) / FPS
            told.append(features_of(moved(lengths, straight, FPS), FPS))
        else:
            told.append(features(clip, um_per_px, FPS))
        small = size_px < clip.shape[1]
        for time, frame in enumerate(clip):
            kind = cv2.INTER_AREA if small else cv2.INTER_LINEAR
            frames[at, time] = cv2.resize(frame, (size_px, size_px), interpolation=kind)
    truth = items["truth"] if "truth" in items else [""] * len(items)
    counts = np.array([votes_of(str(one)) for one in truth], np.int64).reshape(-1, GRADES)
    return Clips(frames, np.array(told, np.float32).reshape(len(items), -1), counts)


def normalised(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Grey values with mean 0 and SD 1 over a clip (..., 16, y, x): cameras differ in both."""
    grey = frames.astype(np.float32)
    axes = (-3, -2, -1)
    centred = grey - grey.mean(axis=axes, keepdims=True)
    return np.asarray(centred / np.maximum(centred.std(axis=axes, keepdims=True), 1.0), np.float32)


def augmented(
    clip: NDArray[np.uint8], rng: np.random.Generator, turns: bool
) -> NDArray[np.float32]:
    """A clip as it might have been taken: shifted, scaled, turned, shaded, noisier.

    In relief contrast light comes from one side. Turned by half, the same sperm would be lit from
    the other side: the shades are inverted, so that the light stays where it is. Other turns and
    mirror images would show light that no microscope of the set has, so there are none.
    """
    side = clip.shape[1]
    x, y = rng.uniform(-MAX_SHIFT, MAX_SHIFT, 2) * side
    scale = 1 + rng.uniform(-0.05, 0.05)
    angle = rng.uniform(-10, 10)
    turned = turns and rng.random() < 0.5
    matrix = cv2.getRotationMatrix2D(((side - 1) / 2, (side - 1) / 2), angle + 180 * turned, scale)
    matrix[:, 2] += (x, y)
    moved = np.stack(
        [
            cv2.warpAffine(
                frame, matrix, (side, side), flags=cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REFLECT_101,
            )
            for frame in clip
        ]
    )  # fmt: skip
    grey = normalised(np.asarray(moved, np.uint8))
    if turned:
        grey = -grey
    gain = np.float32(np.exp(rng.normal(0, 0.1)))
    noise = rng.standard_normal(grey.shape, np.float32) * np.float32(rng.uniform(0, 0.15))
    return grey * gain + noise


def tensors(
    clips: Clips, rows: NDArray[np.intp], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Clips, movements and votes of some rows, as a network takes them."""
    return (
        torch.from_numpy(normalised(clips.frames[rows])).to(device),
        torch.from_numpy(clips.motion[rows]).to(device),
        torch.from_numpy(clips.votes[rows]).to(device, torch.float32),
    )
