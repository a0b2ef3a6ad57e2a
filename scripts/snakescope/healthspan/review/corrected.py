"""A plate's tables with the corrections that people made of it.

Only a plate that has a file of corrections has them; what is made from its tables is then made from
these. Corrections that cannot be applied are told and listed, with the reason.
"""

import argparse
import sys
from collections.abc import Mapping

import pandas as pd

from snakescope.healthspan.review.agreement import agreement_table
from snakescope.healthspan.review.association import STALE, associate, retimed
from snakescope.healthspan.review.bland_altman import draw_deaths
from snakescope.healthspan.review.changes import changes_table
from snakescope.healthspan.review.corrected_tables import corrected_tables, usable_frames
from snakescope.healthspan.review.corrections import named_file, read, replay
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.tracking.individuals import INDIVIDUALS_COLUMNS
from snakescope.healthspan.tracking.settings import TrackSettings
from snakescope.healthspan.tracking.track import COUNTS_COLUMNS, TRACKS_COLUMNS, number_of_worms
from snakescope.imaging.style import figure_style, save_figure
from snakescope.step.checksum import sha256_of
from snakescope.step.tables import read_table, write_table

DIGEST_LETTERS = 16


def digest_of_tracks(path: str) -> str:
    """Return the digest by which corrections know the tracks that they were made on."""
    return sha256_of(path)[:DIGEST_LETTERS]


def scorers_table(plate: str, individuals: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the individuals with the corrections of each scorer alone, one scorer after another.

    Args:
        individuals: as :func:`corrected_tables` has them, by scorer.
    """
    columns = ["plate", "scorer", *INDIVIDUALS_COLUMNS]
    own = [table.assign(plate=plate, scorer=name) for name, table in individuals.items()]
    return pd.concat(own)[columns] if own else pd.DataFrame(columns=columns)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--tracks", required=True)
    parser.add_argument("--individuals", required=True)
    parser.add_argument("--counts", required=True)
    parser.add_argument("--corrections", required=True, nargs="+", help="PLATE.SCORER.tsv")
    parser.add_argument("--worms", type=number_of_worms, default=None, help="number or unknown")
    parser.add_argument("--tracking", default="{}", help="settings of the tracks")
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--corrected-tracks", required=True)
    parser.add_argument("--corrected-individuals", required=True)
    parser.add_argument("--corrected-counts", required=True)
    parser.add_argument("--agreement", required=True, help="table of how far scorers agree")
    parser.add_argument("--scorers", required=True, help="table of individuals by each scorer")
    parser.add_argument("--figures", required=True, nargs="+", help="of the days of death")
    parser.add_argument("--changes", required=True, help="table of what the review changed")
    parser.add_argument("--lines", required=True, help="table of what became of every line")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    tracks = read_table(given.tracks, TRACKS_COLUMNS, text=("reason", "second_look"))
    counts = read_table(given.counts, COUNTS_COLUMNS)
    frames_now = counts["timepoint"].to_numpy(), counts["time_h"].to_numpy(float)
    files = {}
    for path in given.corrections:
        lines = retimed(read(path), *frames_now)
        if named := named_file(path):
            files[named.scorer], plate = lines, named.plate
    pairs = [replay(lines) for lines in files.values()]
    corrections = [one for kept, _ in pairs for one in kept]
    undone = [one for _, gone in pairs for one in gone]
    individuals = read_table(given.individuals, INDIVIDUALS_COLUMNS)
    tracking = TrackSettings.model_validate_json(given.tracking)
    settings = CorrectedSettings.model_validate_json(given.settings)
    digest = digest_of_tracks(given.tracks)
    reviewed = associate(corrections, tracks, digest, settings)
    made = corrected_tables(
        tracks,
        individuals,
        counts,
        corrections,
        undone,
        reviewed,
        given.worms,
        tracking,
    )
    for row in made.lines[made.lines["standing"] == STALE].to_dict("records"):
        print(
            f"warning: {given.lines}: line {row['id']} of {row['scorer']}, {row['action']} at"
            f" timepoint {row['timepoint']}, is not applied: {row['note']}",
            file=sys.stderr,
        )
    write_table(given.corrected_tracks, made.tracks)
    write_table(given.corrected_individuals, made.individuals)
    write_table(given.corrected_counts, made.counts)
    write_table(given.lines, made.lines)
    write_table(given.changes, changes_table(plate, files, (individuals, counts), made))
    by_scorer = {kept[0].scorer: kept for kept, _ in pairs if kept}
    frames = usable_frames(counts)
    table, deaths = agreement_table(by_scorer, tracks, individuals, frames, digest, settings)
    write_table(given.agreement, table)
    by_one = {
        name: corrected_tables(
            tracks,
            individuals,
            counts,
            lines,
            [],
            associate(lines, tracks, digest, settings),
            given.worms,
            tracking,
        ).individuals
        for name, lines in sorted(by_scorer.items())
    }
    write_table(given.scorers, scorers_table(plate, by_one))
    with figure_style(plate):
        figure = draw_deaths(deaths, plate)
        for path in given.figures:
            save_figure(figure, path)
