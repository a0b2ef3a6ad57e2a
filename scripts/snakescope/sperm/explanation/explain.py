"""Draw where a network looks when it grades a clip: a strip of frames, and a video.

All frames are on one scale of colours, over the grey frame, which is shown without them, too.
"""

import argparse
from pathlib import Path
from typing import get_args

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snakescope.imaging.style import figure_style, save_figure
from snakescope.imaging.videos.video import write_video
from snakescope.learning.explanation.measures import resized
from snakescope.learning.splits import read_splits
from snakescope.sperm.clips.cut import TEXT
from snakescope.sperm.explanation.maps import (
    Method,
    frames_of,
    maps_of,
    mean_grade,
    methods_of,
    time_attention,
    transformer,
)
from snakescope.sperm.networks.catalogue import FRAMES
from snakescope.sperm.networks.transformers import TimeSformer
from snakescope.sperm.results.gallery import contrast, letter
from snakescope.sperm.results.gallery import resized as enlarged
from snakescope.sperm.training.data import load, normalised
from snakescope.sperm.training.predict import network_of
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table

SIDE, COLUMNS, RAMP = 384, 8, "inferno"
WORDS = {
    "grad_cam": "Grad-CAM",
    "rollout": "attention rollout (the same for every score)",
    "relevance": "relevance by gradients of attention",
    "integrated_gradients": "integrated gradients, what makes the grade worse",
}


def coloured(frame: NDArray[np.uint8], one: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A grey frame (Y, X) with relevance from 0 to 1 over it, RGB."""
    ramp = matplotlib.colormaps[RAMP](np.clip(one, 0, 1))[..., :3] * 255
    weight = 0.65 * np.clip(one, 0, 1)[..., None] ** 0.7
    mixed = frame[..., None] * (1 - weight) + ramp * weight
    return np.asarray(np.round(mixed), np.uint8)


def strip_figure(
    clip: NDArray[np.uint8],
    maps: NDArray[np.float32],
    title: str,
    times: NDArray[np.float32] | None = None,
) -> Figure:
    """Frames above, the same with relevance below, and the attention between times beside.

    Args:
        clip: (16, Y, X); maps: (T, Y, X), of frames evenly spread.
        times: (layers, T, T), or None.
    """
    chosen = frames_of(maps)
    some = np.unique(np.linspace(0, len(chosen) - 1, min(COLUMNS, len(chosen))).round().astype(int))
    count = max(len(some), 3)
    further = 0 if times is None else 3
    with figure_style(title):
        figure = Figure(figsize=(1.35 * (count + further) + 0.7, 3.3), layout="constrained")
        grid = figure.add_gridspec(2, count + further + 1, width_ratios=[1] * (count + further) + [0.12])  # fmt: skip # noqa: E501
        grey = contrast(clip)
        for column, at in enumerate(some):
            frame = grey[chosen[at]]
            for line, picture in enumerate((frame, coloured(frame, maps[at]))):
                ax = figure.add_subplot(grid[line, column])
                ax.imshow(picture, cmap="gray", vmin=0, vmax=255)
                ax.set_axis_off()
                if line == 0:
                    ax.set_title(f"{chosen[at] / FRAMES:.2f} s", fontsize=8, fontweight="normal")
        if times is not None:
            ax = figure.add_subplot(grid[:, count : count + further])
            ax.imshow(times.mean(axis=0), cmap="cividis", vmin=0)
            ax.set(xlabel="time looked at (frame)", ylabel="time of the patch (frame)")
            ax.set_title("attention between times, mean of layers", fontsize=8)
            ax.grid(False)
            ticks = range(0, times.shape[1], 2)
            ax.set_xticks(ticks, [str(2 * one) for one in ticks])
            ax.set_yticks(ticks, [str(2 * one) for one in ticks])
        mapped = matplotlib.cm.ScalarMappable(cmap=RAMP)
        mapped.set_clim(0, 1)
        figure.colorbar(mapped, cax=figure.add_subplot(grid[1, -1]), label="relevance (1: most)")
        figure.suptitle(title, fontsize=9, x=0.01, ha="left")
        return figure


def overlay(clip: NDArray[np.uint8], maps: NDArray[np.float32]) -> list[NDArray[np.uint8]]:
    """The 16 frames enlarged, beside the same with the relevance of the nearest map."""
    chosen = frames_of(maps)
    found = []
    for at, frame in enumerate(contrast(clip)):
        nearest = int(np.abs(chosen - at).argmin())
        big = enlarged(frame, SIDE)
        (large,) = resized(maps[nearest][None], (SIDE, SIDE))
        plain = np.repeat(big[..., None], 3, axis=2)
        found.append(np.concatenate([plain, coloured(big, large)], axis=1))
    return found


def chosen_weights(weights: list[str], splits: Path | None, clip: str) -> str:
    """Of the fold that held a clip out; of the first fold where no one graded it."""
    if splits is None:
        return weights[0]
    table = read_splits(splits)
    mine = table.loc[table["item"] == clip, "fold"]
    return weights[int(mine.iloc[0]) if len(mine) else 0]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--clips", required=True, type=Path, help="clips of the video (TSV)")
    parser.add_argument("--clip", required=True, help="name of the clip")
    parser.add_argument("--method", required=True, choices=get_args(Method))
    parser.add_argument("--weights", required=True, nargs="+", help="weights, of folds in order")
    parser.add_argument("--splits", type=Path, help="the fold of each clip (TSV)")
    parser.add_argument("--strip", required=True, type=Path, help="picture to write (PNG)")
    parser.add_argument("--overlay", required=True, type=Path, help="video to write (MP4)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    table = read_table(arguments.clips, ["clip", "path", "frames"], text=TEXT)
    mine = table[(table["clip"] == arguments.clip) & (table["frames"] > 0)]
    if not len(mine):
        some = ", ".join(table["clip"].head(3))
        raise StepError(
            f"{arguments.clips}: expected the clip {arguments.clip}, found no such one; take one of"
            f" its clips, such as {some}"
        )
    torch.set_num_threads(1)
    weights = chosen_weights(arguments.weights, arguments.splits, arguments.clip)
    network, size_px = network_of(weights, torch.device("cpu"))
    if arguments.method not in methods_of(network):
        raise StepError(
            f"{weights}: expected a network that {arguments.method} can explain, found one for"
            f" {' and '.join(methods_of(network)) or 'none of the methods'}; name another file"
        )
    clips = load(mine.reset_index(drop=True).head(1), size_px)
    seen = torch.from_numpy(normalised(clips.frames))[0]
    motion = torch.from_numpy(clips.motion)[0]
    maps = resized(maps_of(network, arguments.method, seen, motion), (size_px, size_px))
    with torch.no_grad():
        mean = float(mean_grade(network, seen[None], motion[None])[0])
    times = None
    attended = arguments.method in ("rollout", "relevance")
    if attended and isinstance(transformer(network), TimeSformer):
        times = time_attention(network, seen, motion)
    title = f"{arguments.clip}: {WORDS[arguments.method]}, mean grade {letter(mean)}"
    save_figure(strip_figure(clips.frames[0], maps, title, times), arguments.strip)
    write_video(arguments.overlay, overlay(clips.frames[0], maps), 8.0, codec="libx264")
