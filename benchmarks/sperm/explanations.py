"""Whether maps of where networks look say anything, on simulated clips whose parts are known.

    python -m benchmarks.sperm.explanations [--networks slowfast r3d timesformer] [--count 20]

takes the networks of fold 0 from the folder of the run of benchmarks.sperm.folds and keeps, in
docs/tables/sperm-folds/explanations/, a row a clip of each network and method:

* pointing, concentration: of the map in the sperm, beside those of a Gaussian in the middle;
* head, tail: concentration in the part (1 is chance);
* counterfactual_head, counterfactual_tail: of two clips that differ in that part alone, the share
  of what changes in the map that lies in it (within 8 px of the drawn frame), beside the share of
  the area, which is chance;
* deletion, insertion: change of the mean grade as the most relevant pixels go or come, less that of
  the Gaussian: above 0 for deletion and below 0 for insertion is better;
* randomised: rank correlation with the map of the same network with random weights.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from benchmarks.kept import read_kept, write_kept
from benchmarks.sperm import COLUMNS
from benchmarks.sperm.counterfactuals import PARTS, Shown, pair
from benchmarks.sperm.folds import add_options, protocol_of, trained
from snakescope.learning.explanation import measures
from snakescope.learning.intervals import bootstrap_interval
from snakescope.sperm.clips.motion import features
from snakescope.sperm.explanation.maps import (
    Method,
    frames_of,
    maps_of,
    mean_grade,
    methods_of,
)
from snakescope.sperm.networks.build import build
from snakescope.sperm.networks.heads import GradeNetwork
from snakescope.sperm.training.data import FPS, Clips, load, normalised
from snakescope.step.command import run_step
from snakescope.step.progress import progress
from snakescope.step.tables import write_table

EXPLAINED = "explanations"
NETWORKS = ("ours", "slowfast", "r3d", "vgg16", "timesformer", "vit")
NEAR = 8 / 150
"""Radius about a part that counts to it, as a share of the side: 8 px of a drawn frame."""
FOLD, SEED = 0, 1
Row = tuple[str, str, str, float, float, float, int]
CONVOLUTIONS, ATTENTION = ("grad_cam",), ("rollout", "relevance")


class Explained:
    """The maps and the mean grade of a network."""

    def __init__(self, network: GradeNetwork, method: Method, um_per_px: float) -> None:
        self.network, self.method, self.um_per_px = network, method, um_per_px

    def movement(self, clip: Shown) -> torch.Tensor:
        """What the network is told of the movement."""
        return torch.from_numpy(features(clip.frames, self.um_per_px, FPS))

    def maps(self, clip: Shown) -> NDArray[np.float32]:
        """One map of each frame that it looks at, of the size of frames."""
        seen = torch.from_numpy(normalised(clip.frames))
        found = maps_of(self.network, self.method, seen, self.movement(clip))
        return measures.resized(found, clip.frames.shape[1:])

    def erasing(self, clip: Shown, maps: NDArray[np.float32], insertion: bool) -> float:
        """Mean change of the mean grade as pixels go, or come."""
        moved, chosen = self.movement(clip), frames_of(maps)
        whole = normalised(clip.frames)

        @torch.no_grad()
        def score(frames: NDArray[np.float32]) -> float:
            seen = whole.copy()
            seen[chosen] = frames
            return float(mean_grade(self.network, torch.from_numpy(seen)[None], moved[None])[0])

        return measures.curve_area(whole[chosen], maps, score, insertion, steps=5)


def near(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Masks with what is near them."""
    radius = max(1, round(NEAR * masks.shape[-1]))
    return np.stack([measures.grown(one, radius) for one in masks])


def moved_share(
    before: NDArray[np.float32], after: NDArray[np.float32], masks: NDArray[np.bool_]
) -> float:
    """Share of what changes between two maps that lies in the masks; NaN where nothing does."""
    return measures.share_within(np.abs(after - before), masks)


def measured(
    one: Explained, random: Explained, clips: dict[str, Shown], erase: bool
) -> dict[str, float]:
    """All measures of one sperm."""
    whole = clips["whole"]
    maps = one.maps(whole)
    chosen = frames_of(maps)
    gaussian = np.broadcast_to(measures.centred_gaussian(whole.frames.shape[1:]), maps.shape)
    sperm = whole.sperm[chosen]
    radius = max(1, round(NEAR * sperm.shape[-1]))
    found = {
        "pointing": measures.pointing(maps, sperm, radius),
        "pointing_gaussian": measures.pointing(gaussian, sperm, radius),
        "concentration": measures.concentration(maps, near(sperm)),
        "concentration_gaussian": measures.concentration(gaussian, near(sperm)),
        "randomised": measures.rank_correlation(maps, random.maps(whole)),
    }
    for part in PARTS:
        found[part] = measures.concentration(maps, near(whole.parts[part][chosen]))
    good = one.maps(clips["good"])
    for part in PARTS:
        places = near((clips["good"].parts[part] | clips[part].parts[part])[chosen])
        share = moved_share(good, one.maps(clips[part]), places)
        found[f"counterfactual_{part}"] = share
        found[f"counterfactual_{part}_area"] = float(places.mean())
    for name, insertion in (("deletion", False), ("insertion", True)) if erase else ():
        found[name] = one.erasing(whole, maps, insertion) - one.erasing(whole, gaussian, insertion)
    return found


def explanation_rows(folder: Path) -> Iterator[Row]:
    """Means over clips of each network and method, with bootstrap intervals."""
    for path in sorted(folder.glob("*.tsv")):
        table = pd.read_csv(path, sep="\t", comment="#")
        for metric in table.columns.drop("clip"):
            values = table[metric].dropna().to_numpy(np.float64)
            if not len(values):
                continue
            found = bootstrap_interval(
                lambda at, v=values: float(v[at].mean()), np.arange(len(values)), 1  # type: ignore[misc]
            )  # fmt: skip
            name = "randomised_correlation" if metric == "randomised" else metric
            yield "explanations", path.stem.replace("-", ", "), name, *found, len(values)


def main() -> None:
    """Explain what is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_options(parser)
    parser.add_argument("--count", type=int, default=20, help="simulated sperm (count)")
    parser.add_argument("--erased", type=int, default=8, help="of which pixels are erased (count)")
    parser.add_argument("--table", type=Path, help="the means of all, to write as well")
    options = parser.parse_args()
    protocol = protocol_of(options.folder, options.each, options.epochs)
    side, scale = protocol.settings.training.size_px, protocol.settings.clips.um_per_px
    sperm = [pair(number, side) for number in progress(range(options.count), "sperm")]
    clips: Clips | None = None
    for name in options.networks or NETWORKS:
        key = protocol.key(name, FOLD, SEED)
        if not (options.folder / f"{key}.safetensors").exists():
            clips = clips or load(protocol.items, side)
        network = trained(protocol, clips, name, FOLD, SEED, options.folder)
        torch.manual_seed(0)
        random = build(name, "tiny", side).eval()  # type: ignore[arg-type]
        for method in methods_of(network):
            path = options.kept / EXPLAINED / f"{name}-{method}.tsv"
            if read_kept(path, key, ["clip"]) is not None:
                continue
            one, other = (Explained(some, method, scale) for some in (network, random))
            rows = [
                {"clip": number, **measured(one, other, some, number < options.erased)}
                for number, some in enumerate(progress(sperm, f"{name}, {method}"))
            ]
            write_kept(path, key, pd.DataFrame(rows).round(4))
    if options.table:
        means = list(explanation_rows(options.kept / EXPLAINED))
        write_table(options.table, pd.DataFrame(means, columns=COLUMNS))


if __name__ == "__main__":
    run_step(main)
