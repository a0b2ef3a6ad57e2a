"""Corrections of simulated plates that are searched again, with other weights or settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.healthspan.second_look import followed, registered_and_searched, step
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.plates import plate_settings
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.review.association import STALE, associate
from snakescope.healthspan.review.corrected import digest_of_tracks
from snakescope.healthspan.review.corrections import DEAD, NOT_A_WORM, Correction
from snakescope.healthspan.review.settings import CorrectedSettings
from snakescope.healthspan.simulation.simulate import is_simulated, simulate_plate
from snakescope.healthspan.states.settings import SecondLookSettings
from snakescope.healthspan.states.sightings import all_masks
from snakescope.imaging.masks import Instance, iou
from snakescope.step.tables import read_table

Row = tuple[str, str, float, str]
OTHER_SETTINGS: Mapping[str, float] = {"score_threshold": 0.7, "mask_threshold": 0.5}
"""Of detection, where no other weights are given."""

FIRST_SEED = 9_190_000
SAME_IOU = 0.3
"""Two masks of one timepoint with more in common are of one worm."""


def searched_otherwise(
    source: Path, to: Path, plate: str, weights: str, settings: DetectSettings
) -> None:
    """Find the worms of a plate again, where they were not yet."""
    (to / "masks").mkdir(parents=True, exist_ok=True)
    (to / "tiles").mkdir(exist_ok=True)
    description = source / "reference.json"
    for table in sorted((source / "registered").glob("t*-t*.tsv")):
        masks, tiles = to / f"masks/{table.stem}.json", to / f"tiles/{table.stem}.ome.tif"
        if masks.exists():
            continue
        step(
            "tile",
            *("--frames", table.with_suffix(".ome.tif"), "--table", table),
            *("--reference-description", description, "--pixel-size-um", PIXEL_SIZE_UM),
            *("--tiles", tiles, "--origins", tiles.with_name(f"{table.stem}.tsv")),
        )
        step(
            "detect",
            *("--tiles", tiles, "--origins", tiles.with_name(f"{table.stem}.tsv")),
            *("--plate", plate, "--reference-description", description),
            *("--reference", source / "reference.ome.tif"),
            *("--pixel-size-um", PIXEL_SIZE_UM, "--weights", weights),
            *("--settings", settings.model_dump_json(exclude_unset=True)),
            *("--masks", masks, "--dropped", masks.with_suffix(".dropped.tsv")),
        )
        tiles.unlink()


def corrections_of(folder: Path) -> list[Correction]:
    """One correction of every worm and object that was followed, anchored as the page does."""
    tracks = read_table(folder / "tracks.tsv", text=("reason",))
    digest = digest_of_tracks(str(folder / "tracks.tsv"))
    made = []
    for number, (track, seen) in enumerate(tracks.groupby("track"), start=1):
        middle = seen.sort_values("timepoint").iloc[len(seen) // 2]
        own: dict[str, Any] = {
            "scorer": "anna", "plate": "p", "digest": digest, "track": int(str(track)),
            "time_utc": "2026-11-29T09:00:00Z", "value": 0, "reason": "", "machine_value": "",
            "blind": False, "timepoint": int(middle["timepoint"]),
        }  # fmt: skip
        own |= {"y_px": round(float(middle["y_px"]), 1), "x_px": round(float(middle["x_px"]), 1)}
        action = DEAD if int(middle["counted"]) else NOT_A_WORM
        anchor = int(middle["timepoint"])
        made.append(Correction(id=number, action=action, anchor_timepoint=anchor, **own))
    return made


def masks_at(folder: Path, timepoint: int) -> dict[int, Instance]:
    """The masks of a timepoint of a plate, by identifier."""
    found = {}
    for path in sorted((folder / "masks").glob("t*-t*.json")):
        masks = all_masks(path)
        if timepoint in masks.timepoints:
            found |= {one.identifier: one for one in masks.at(timepoint)}
    return found


def is_same(
    one: Correction, track: int, before: Path, after: Path, tracks: tuple[pd.DataFrame, ...]
) -> bool | None:
    """Whether the masks of two runs are of one worm; None where it was not seen at the anchor."""
    seen = []
    for folder, table, number in zip((before, after), tracks, (one.track, track), strict=True):
        own = table[(table["track"] == number) & (table["timepoint"] == one.anchor_timepoint)]
        if not len(own):
            return None
        seen.append(masks_at(folder, one.anchor_timepoint)[int(own["instance"].iloc[0])])
    return iou(*seen) > SAME_IOU


def reassociated(
    folder: Path, plates: int, frame_px: int, timepoints: int, weights: str | None
) -> Iterator[Row]:
    """How many corrections find their worm after another search; plates are kept in a folder."""
    wanted = EvaluateSettings(
        plates=plates, frame_px=frame_px, timepoints=timepoints, min_worms=12, max_worms=20
    )
    lines = found = right = judged = 0
    settings = DetectSettings() if weights else DetectSettings(**OTHER_SETTINGS)  # type: ignore[arg-type]
    way = "weights" if weights else "settings"
    for number in range(plates):
        plate = f"R{number + 1}"
        one = plate_settings(wanted, number)
        raw, source, seed = folder / "raw", folder / plate, FIRST_SEED + number
        if not is_simulated(raw / plate, one, seed):
            simulate_plate(one, plate, seed, raw)
        first, second = source / "first", source / way
        registered_and_searched(source, raw / plate / "raw", plate)
        if not (first / "tracks.tsv").exists():
            followed(source, first, source, SecondLookSettings(), plate, one)
        searched_otherwise(source, second, plate, weights or settings.weights, settings)
        if not (second / "tracks.tsv").exists():
            followed(source, second, second, SecondLookSettings(), plate, one)
        tables = tuple(read_table(to / "tracks.tsv", text=("reason",)) for to in (first, second))
        made = corrections_of(first)
        digest = digest_of_tracks(str(second / "tracks.tsv"))
        reviewed = associate(made, tables[1], digest, CorrectedSettings())
        lines += len(made)
        for correction in made:
            key = correction.scorer, correction.id
            standing, note = reviewed.standing[key]
            if standing == STALE:
                print(f"{plate}: track {correction.track}: {note}", flush=True)
                continue
            found += 1
            same = is_same(correction, reviewed.track[key], first, second, tables)
            judged += same is not None
            right += same is True
    case = "reassociated" if weights else "reassociated_other_settings"
    yield case, "share", found / max(lines, 1), "share of the corrections"
    yield case, "right", right / judged if judged else np.nan, "share of those found"
    yield case, "corrections", float(lines), "count"
