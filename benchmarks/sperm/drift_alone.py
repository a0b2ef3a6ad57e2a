"""What `ours` says of the simulated clips when it is shown no pictures: the drift alone.

    python -m benchmarks.sperm.drift_alone [--folds 0 1]

fits, fold by fold, the part of `ours` that is fitted before any picture is seen, corrects it on the
validation donors as `ours` is corrected, and keeps what it says of the clips of the test and of the
validation in docs/tables/sperm-folds/, beside the tables of benchmarks.sperm.folds and with keys of
the same kind. Folds are those by donor, with seed 1. A fold takes seconds.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.kept import read_kept, write_kept
from benchmarks.sperm.folds import DRIFT_ALONE, SHARES, Part, Protocol, add_paths, protocol_of, some
from snakescope.learning.loop import seed_everything
from snakescope.learning.splits import roles
from snakescope.sperm.networks.ours import Ours
from snakescope.sperm.simulation.raters import GRADES
from snakescope.sperm.training.correction import corrected
from snakescope.sperm.training.data import Clips, load
from snakescope.sperm.training.predict import graded
from snakescope.step.command import run_step
from snakescope.step.tables import write_table

SEED = 1
PARTS: tuple[Part, ...] = ("test", "validation")


class Blind(Ours):
    """`ours` for which every picture is empty."""

    def pictures(self, clips: Tensor) -> Tensor:
        return clips.new_zeros(len(clips), self.seen)


def fitted(protocol: Protocol, clips: Clips, fold: int) -> Blind:
    """The part of the drift of a fold, from the weights that `ours` begins with."""
    settings = protocol.of_seed(SEED)
    given = roles(protocol.folds, fold)
    train = np.flatnonzero(given == "train")
    seed_everything(settings.seed, settings.threads)
    network = Blind()
    network.begin(
        torch.from_numpy(clips.motion[train]),
        torch.from_numpy(clips.votes[train]).to(torch.float32),
    )
    network.eval()
    corrected(network, clips, np.flatnonzero(given == "validation"))
    return network


def keep(protocol: Protocol, clips: Clips, fold: int, kept: Path) -> None:
    """Make the tables of a fold that are not there."""
    key = protocol.key(DRIFT_ALONE, fold, SEED)
    paths = {part: protocol.path(kept, DRIFT_ALONE, fold, SEED, part) for part in PARTS}
    missing = [part for part, path in paths.items() if read_kept(path, key, SHARES) is None]
    network = fitted(protocol, clips, fold) if missing else None
    for part in missing:
        assert network is not None
        rows = protocol.rows(fold, part)
        table = pd.DataFrame(graded(network, some(clips, rows)).round(4), columns=list(GRADES))
        table.insert(0, "item", protocol.items["item"].to_numpy()[rows])
        write_kept(paths[part], key, table)


def main() -> None:
    """Fit what is missing, and keep what it says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_paths(parser)
    parser.add_argument("--folds", nargs="+", type=int, help="folds to fit; all by default")
    parser.add_argument("--table", type=Path, help="which folds were fitted, to write")
    options = parser.parse_args()
    protocol = protocol_of(options.folder, options.each, options.epochs)
    clips = load(protocol.items, protocol.settings.training.size_px)
    folds = options.folds or list(range(protocol.settings.splits.folds))
    for fold in folds:
        keep(protocol, clips, fold, options.kept)
    if options.table:
        write_table(options.table, pd.DataFrame({"network": DRIFT_ALONE, "fold": folds}))


if __name__ == "__main__":
    run_step(main)
