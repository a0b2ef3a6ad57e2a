"""The full table of the search on ISBI 2012: every kernel setting with paired seeds.

    python -m benchmarks.membranes.trainings --data $SNAKESCOPE_DATA --seeds 10

One training a setting and seed, a row a rung, in docs/tables/membranes-trainings.tsv. Rows whose
key (settings, sections, checksum of the data) is the same are kept, so that an interrupted table
goes on. Seeds come one after the other, each with all settings: comparisons are paired by seed.

From complete seeds, docs/tables/membranes-search.tsv and docs/benchmarks/membranes-paper.md are
written; ``--seeds 0`` writes them from the table as it is.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.membranes.isbi2012 import isbi2012
from snakescope.membranes.networks.kernels import name_of
from snakescope.membranes.search.paper import write_paper
from snakescope.membranes.search.settings import PaperSettings, SearchSettings
from snakescope.membranes.search.trial import run_trial, settings_of
from snakescope.membranes.search.trials_table import COLUMNS, key_of, row_of
from snakescope.membranes.stacks.sections import read_labelled
from snakescope.step.checksum import sha256_of
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

TABLE = Path("docs/tables/membranes-trainings.tsv")
CURVES = Path("docs/tables/membranes-search.tsv")
PAGE = Path("docs/benchmarks/membranes-paper.md")
FIGURE = Path("docs/pictures/membranes_search.png")
DATA = (
    "ISBI 2012 (serial sections of the fly's nerve cord; not the ant stack of the paper, which is"
    " not public): sections 0 to 20 to train with, 21 to 23 to choose with, 27 to 29 to report on."
)
PARTS = {"train": tuple(range(21)), "tune": (21, 22, 23), "test": (27, 28, 29)}
"""Sections of ISBI 2012; three between those to choose with and those to report on are not used."""

OF_TRIAL = ("steps", "seed", "threads")
LATER = ("scaling", "elastic_px", "blur_px", "noise")
"""Settings that came after the first trainings: where they are 0, a training is what it was."""


def run(data: Path, settings: SearchSettings, seeds: int, table: Path) -> None:
    """Fill the table."""
    stack = isbi2012(data, PARTS)
    assert stack.labels is not None
    training = {
        name: value
        for name, value in settings.trial.training.model_dump(mode="json").items()
        if name not in OF_TRIAL and (value or name not in LATER)
    }
    identity = {
        "version": settings.trial.version,
        "training": training,
        "rungs": settings.rungs,
        "parts": {part: list(sections) for part, sections in PARTS.items()},
        "data": [sha256_of(one.path) for one in (stack.image, stack.labels)],
    }
    key = key_of(identity)
    rows = pd.DataFrame(columns=list(COLUMNS))
    if table.exists():
        known = read_table(table, COLUMNS, text=("key", "kernels"))
        rows = known[known["key"] == key]
    done = set(zip(rows["kernels"], rows["seed"], rows["steps"], strict=True))
    train_on, tune_on, test_on = (read_labelled([stack], part) for part in PARTS)
    trials = [(kernels, seed) for seed in range(seeds) for kernels in settings.kernels]
    last = settings.rungs[-1]
    left = [one for one in trials if (name_of(one[0]), one[1], last) not in done]
    found = rows.to_dict("records")
    for kernels, seed in progress(left, "trainings"):
        fresh = []
        with tempfile.TemporaryDirectory() as folder:
            for steps in settings.rungs:
                of_trial = settings_of(settings.trial, kernels, seed, steps)
                checkpoint = Path(folder, "trial.ckpt")
                _, one = run_trial(
                    of_trial, train_on, tune_on, test_on, {"key": key}, checkpoint, steps == last
                )
                fresh.append(row_of(key, one))
        found += fresh
        write_table(table, pd.DataFrame(found, columns=list(COLUMNS)))


def write_page(settings: SearchSettings, paper: PaperSettings, given: argparse.Namespace) -> None:
    """Write the page of the seeds that have a training of every setting."""
    rows = read_table(given.table, COLUMNS, text=("key", "kernels"))
    write_paper(rows, settings, paper, given.curves, given.page, given.figure, DATA)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with neurites/isbi2012")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--settings", default="{}", help="JSON of membranes.search, to try it")
    parser.add_argument("--paper", default="{}", help="JSON of membranes.paper, to try it")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    given = parser.parse_args()
    settings = SearchSettings.model_validate_json(given.settings)
    if given.seeds:
        run(given.data, settings, given.seeds, given.table)
    write_page(settings, PaperSettings.model_validate_json(given.paper), given)


if __name__ == "__main__":
    main()
