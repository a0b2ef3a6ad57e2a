"""The sperm of a dish in order: table, gallery, page.

Sperm are ranked within their dish by their mean grade. How sure the order is, is told by draws: the
mean grade of each sperm is drawn with the error of clips that were held out, and the share of draws
in which it comes first is its probability to be the best.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.sperm.clips.cut import CUT_OFF, LEAVES, NOT_FOLLOWED, OUT_OF_FOCUS, TEXT
from snakescope.sperm.clips.cut import TABLE as CUT
from snakescope.sperm.clips.motion import REFUSED
from snakescope.sperm.clips.movement import DISAGREE, NO_TEXTURE, UNSEEN
from snakescope.sperm.results.columns import GRADED
from snakescope.sperm.results.gallery import Shown, gallery, save_picture
from snakescope.sperm.results.page import dish_page
from snakescope.sperm.results.settings import DishSettings
from snakescope.sperm.scores.metrics import entropy, mean_grade
from snakescope.sperm.tracking.track import TWO_HEADS
from snakescope.sperm.videos.lengths import no_clip
from snakescope.sperm.videos.sheet import FILES, GRADES
from snakescope.step.tables import read_table, write_table

SHARES = [f"p{name}" for name in GRADES]
COLUMNS = [
    "clip", "video", "dish", "start_s", "x_px", "y_px", "frames", *SHARES, "grade", "mean_grade",
    "low_90", "high_90", "sd", "entropy_nats", "rank", "p_best", "vsl_um_s", "vcl16_um_s", "lin",
    "head_length_um", "head_width_um", "bcf_hz", "alh_um", "grader", "flags", "not_graded", "path",
]  # fmt: skip
"""The mean grade is 0 for A to 4 for E; ``bcf_hz`` and ``alh_um`` are always empty."""
NO_NETWORK = "no network grades"
NAMES = {"bcf_hz": "Beat frequency (BCF)", "alh_um": "Lateral amplitude of the head (ALH)"}
STOPS = (OUT_OF_FOCUS, TWO_HEADS, NOT_FOLLOWED, LEAVES, DISAGREE, NO_TEXTURE, UNSEEN)
"""Flags with which a clip is not graded."""


def reasons(table: pd.DataFrame, settings: DishSettings) -> list[str]:
    """Why each clip is not graded; empty where it is."""
    found = []
    for row in table.to_dict("records"):
        flags = [one for one in str(row["flags"]).split("; ") if one]
        why = [one for one in flags if any(one.startswith(stop) for stop in STOPS)]
        if row["frames"] < settings.least_frames:
            why.append(f"{row['frames']} frames, {settings.least_frames} are needed")
        if pd.isna(row["pA"]):
            why.append(NO_NETWORK if pd.isna(row["grader"]) or not row["grader"] else "no frames")
        elif row["entropy_nats"] > settings.doubt * np.log(len(GRADES)):
            why.append("too doubtful")
        found.append("; ".join(why))
    return found


def probability_best(
    means: NDArray[np.float64], sd: NDArray[np.float64], settings: DishSettings
) -> NDArray[np.float64]:
    """Probability of each sperm to have the lowest mean grade of all, shape (N,)."""
    if not len(means):
        return np.zeros(0)
    rng = np.random.default_rng(settings.seed)
    counts = np.zeros(len(means))
    for _ in range(settings.draws):
        counts[int((means + sd * rng.standard_normal(len(means))).argmin())] += 1
    return counts / settings.draws


def ranked(clips: pd.DataFrame, dish: str, settings: DishSettings) -> pd.DataFrame:
    """The table of a dish, the best first, with those that are not graded at the end.

    Args:
        clips: columns of the tables of clips and of grades, and ``video``.
    """
    table = clips.copy()
    shares = table[SHARES].to_numpy(np.float64)
    known = ~np.isnan(shares).any(axis=1)
    even = np.where(known[:, None], shares, 0.2)
    table["dish"] = dish
    table["mean_grade"] = np.where(known, mean_grade(even), np.nan)
    spread = even @ np.arange(5.0) ** 2 - mean_grade(even) ** 2
    table["spread"] = np.where(known, np.sqrt(np.maximum(spread, 0)), np.nan)
    table["entropy_nats"] = np.where(known, entropy(even), np.nan)
    table["low_90"] = (table["mean_grade"] + table["low"]).clip(0, 4)
    table["high_90"] = (table["mean_grade"] + table["high"]).clip(0, 4)
    nearest = np.clip(np.round(mean_grade(even)).astype(int), 0, 4)
    table["grade"] = [GRADES[at] if ok else "" for at, ok in zip(nearest, known, strict=True)]
    table["not_graded"] = reasons(table, settings)
    out = table["not_graded"] != ""
    table.loc[out, "grade"] = ""
    table = table.assign(out=out).sort_values(["out", "mean_grade", "clip"], kind="stable")
    count = int((~out).sum())
    first = table.iloc[:count]
    best = probability_best(
        first["mean_grade"].to_numpy(np.float64), first["sd"].to_numpy(np.float64), settings
    )
    rest = len(table) - count
    table["rank"] = [*map(str, range(1, count + 1)), *[""] * rest]
    table["p_best"] = [*best, *[np.nan] * rest]
    table["sd"] = table["spread"]
    table["bcf_hz"] = table["alh_um"] = ""
    return table[COLUMNS].reset_index(drop=True)


def read_dish(videos: list[str], clips: list[Path], grades: list[Path], files: set[str]) -> pd.DataFrame:  # fmt: skip # noqa: E501
    """The clips of the videos of a dish with their grades.

    Args:
        files: of the clips that are files of their own, those of this dish.
    """
    tables = []
    for video, one, other in zip(videos, clips, grades, strict=True):
        table = read_table(one, CUT, text=TEXT)
        graded = read_table(other, GRADED, text=["clip", "grader"])
        table = table.merge(graded, on="clip", how="left").assign(video=video)
        tables.append(table[table["clip"].isin(files)] if video == FILES else table)
    return pd.concat(tables, ignore_index=True)


def notes_of(
    table: pd.DataFrame, videos: list[str], lengths: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Sentences on videos whose file is cut off, and on those of which no clip came.

    Args:
        table: of the clips of the dish.
        lengths: ``cut_off`` and ``duration_s`` by video, where they are known.
    """
    notes = []
    for video in videos:
        mine, length = table[table["video"] == video], lengths.get(video, {})
        if (
            length.get("cut_off")
            or mine["flags"].astype(str).str.contains(CUT_OFF, regex=False).any()
        ):
            notes.append(
                f"The file of video {video} is cut off: only the frames up to there are used."
                " If the copy broke off, copy it again."
            )
        if not len(mine) and video != FILES:
            notes.append(f"No clip came of video {video}: {no_clip(length)}.")
    return notes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--dish", required=True, help="name of the dish")
    parser.add_argument("--videos", required=True, nargs="+", help="names of its videos")
    parser.add_argument("--clips", required=True, nargs="+", type=Path, help="their clips (TSV)")
    parser.add_argument("--grades", required=True, nargs="+", type=Path, help="their grades (TSV)")
    parser.add_argument("--files", required=True, help="clips that are files, as JSON")
    parser.add_argument("--origin", required=True, help="what the grades come from, as JSON")
    parser.add_argument("--lengths", default="{}", help="of the videos, as JSON")
    parser.add_argument("--settings", required=True, help="settings as JSON")
    parser.add_argument("--table", required=True, type=Path, help="table to write")
    parser.add_argument("--gallery", required=True, type=Path, help="picture to write (PNG)")
    parser.add_argument("--page", required=True, type=Path, help="page to write (HTML)")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    settings = DishSettings.model_validate_json(arguments.settings)
    files = set(json.loads(arguments.files))
    clips = read_dish(arguments.videos, arguments.clips, arguments.grades, files)
    table = ranked(clips, arguments.dish, settings)
    shown = [Shown.of(dict(row), settings.frames) for _, row in table.iterrows()]
    write_table(arguments.table, table)
    save_picture(arguments.gallery, gallery(arguments.dish, shown[: settings.gallery]))
    origin = json.loads(arguments.origin)
    refused = [f"{NAMES[name]}: {why}." for name, why in REFUSED.items()]
    notes = notes_of(table, arguments.videos, json.loads(arguments.lengths))
    dish_page(arguments.page, arguments.dish, table, shown, origin, [*notes, *refused])
