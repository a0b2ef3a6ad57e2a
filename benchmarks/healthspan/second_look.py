"""What the second look finds of the worms that lie still and were missed, and what it costs.

    python -m benchmarks.healthspan.second_look

Simulated plates of seeds and looks that no training used go through the workflow twice from the
same masks, without and with the second look. Then a tenth of the masks is taken away at random
and looked for again, several times. What is there already from an earlier run is not computed
again.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from benchmarks.healthspan.second_look_page import DRAWS, WAYS, page, rows_of
from snakescope.healthspan.detection.settings import DetectSettings
from snakescope.healthspan.evaluation.plates import (
    by_time,
    plate_scores,
    plate_settings,
    renumbered,
)
from snakescope.healthspan.evaluation.scores import detections
from snakescope.healthspan.evaluation.settings import EvaluateSettings
from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.plates.manifest import write_manifests
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import OF_ADULTHOOD, Plate
from snakescope.healthspan.registration.settings import RegisterSettings
from snakescope.healthspan.simulation.settings import SimulateSettings
from snakescope.healthspan.simulation.simulate import is_simulated, simulate_plate
from snakescope.healthspan.states.settings import ClassifySettings, SecondLookSettings
from snakescope.healthspan.states.sightings import all_masks, sightings_beside, way_of
from snakescope.healthspan.steps import STEPS
from snakescope.imaging.masks import INSTANCES_PER_TIMEPOINT, iou, read_masks, write_masks
from snakescope.report.pages import scores_table, write_text
from snakescope.step.checksum import sha256_of
from snakescope.step.command import call, run_step
from snakescope.step.errors import StepError
from snakescope.step.tables import read_table, write_table

BLOCK = 10
DROPPED_SHARE = 0.1
STILL_IOU = 0.5
MIN_DEAD = 3


def step(name: str, *words: Any) -> None:
    """Run a step of the tree in this process."""
    call(import_module(STEPS[name].module), [str(word) for word in words])


def registered_and_searched(folder: Path, raw: Path, plate: str, pattern: str = "") -> None:
    """Manifests, registered frames and masks of a plate, where they are not there yet."""
    row = {"plate": plate, "experiment": "e", "condition": "c", "folder": str(raw)}
    found = PlateScanner(IngestSettings()).scan(Plate.model_validate({**row, "pattern": pattern}))
    blocks = write_manifests(folder / "manifest", found, BLOCK)  # type: ignore[arg-type]
    settings = RegisterSettings().model_dump_json()
    reference = folder / "reference.ome.tif", folder / "reference.json"
    (folder / "registered").mkdir(exist_ok=True)
    if not reference[1].exists():
        step(
            "reference",
            *("--manifest", folder / f"manifest/{blocks[0]}.tsv", "--settings", settings),
            *("--image", reference[0], "--description", reference[1]),
        )
    for block in blocks:
        frames = folder / f"registered/{block}.ome.tif"
        if not frames.exists():
            step(
                "register",
                *("--manifest", folder / f"manifest/{block}.tsv", "--settings", settings),
                *("--reference", reference[0], "--description", reference[1]),
                *("--frames", frames, "--table", frames.with_name(f"{block}.tsv")),
            )
        search(folder, plate, block)


def search(folder: Path, plate: str, block: str) -> None:
    """Find the worms of a block, where they were not searched yet."""
    masks, tiles = folder / f"masks/{block}.json", folder / f"tiles/{block}.ome.tif"
    if masks.exists():
        return
    for one in (masks, tiles):
        one.parent.mkdir(exist_ok=True)
    table, description = folder / f"registered/{block}.tsv", folder / "reference.json"
    step(
        "tile",
        *("--frames", folder / f"registered/{block}.ome.tif", "--table", table),
        *("--reference-description", description, "--pixel-size-um", PIXEL_SIZE_UM),
        *("--tiles", tiles, "--origins", tiles.with_name(f"{block}.tsv")),
    )
    step(
        "detect",
        *("--tiles", tiles, "--origins", tiles.with_name(f"{block}.tsv"), "--plate", plate),
        *("--reference", folder / "reference.ome.tif"),
        *("--reference-description", description, "--pixel-size-um", PIXEL_SIZE_UM),
        *("--weights", DetectSettings().weights, "--settings", "{}"),
        *("--masks", masks, "--dropped", masks.with_suffix(".dropped.tsv")),
    )
    tiles.unlink()


def looked_again(source: Path, to: Path, settings: SecondLookSettings) -> list[str]:
    """Second looks at all blocks of a plate, from the masks in ``to``; return the blocks."""
    blocks = sorted(path.stem for path in (source / "registered").glob("t*-t*.tsv"))
    (to / "second_look").mkdir(parents=True, exist_ok=True)
    for at, block in enumerate(blocks):
        near = blocks[max(at - 1, 0) : at + 2]
        step(
            "second_look",
            *("--block", block, "--masks", *(to / f"masks/{one}.json" for one in near)),
            *("--tables", *(source / f"registered/{one}.tsv" for one in near)),
            *("--frames", *(source / f"registered/{one}.ome.tif" for one in near)),
            *("--reference-description", source / "reference.json"),
            *("--pixel-size-um", PIXEL_SIZE_UM, "--weighing", "{}"),
            *("--settings", settings.model_dump_json()),
            *("--sightings", to / f"second_look/{block}.json"),
            *("--looks", to / f"second_look/{block}.tsv"),
        )
    return blocks


def followed(
    source: Path,
    to: Path,
    masks_of: Path,
    settings: SecondLookSettings,
    plate: str,
    simulation: SimulateSettings,
) -> None:
    """States, tracks and curves of a plate from the masks below ``masks_of``, one way."""
    to.mkdir(parents=True, exist_ok=True)
    for name, of in (("masks", masks_of), ("manifest", source)):
        if not (to / name).exists():
            (to / name).symlink_to((of / name).resolve())
    blocks = looked_again(source, to, settings)
    for name in ("composites", "evidence", "states"):
        (to / name).mkdir(exist_ok=True)
    weights = ClassifySettings().weights
    for at, block in enumerate(blocks):
        near = blocks[max(at - 1, 0) : at + 2]
        masks = ("--masks", *(to / f"masks/{one}.json" for one in near))
        tables = ("--tables", *(source / f"registered/{one}.tsv" for one in near))
        again = ("--sightings", to / f"second_look/{block}.json")
        stack, index = to / f"composites/{block}.tif", to / f"composites/{block}.tsv"
        made = ("--composites", stack, "--index", index, "--settings", "{}")
        step("composite", "--block", block, *masks, *tables, *again, *made)
        step(
            "evidence",
            *("--block", block, *masks, *tables, *again),
            *("--frames", *(source / f"registered/{one}.ome.tif" for one in near)),
            *("--reference-description", source / "reference.json"),
            *("--pixel-size-um", PIXEL_SIZE_UM, "--index", index, "--composing", "{}"),
            *("--settings", "{}", "--evidence", to / f"evidence/{block}.tsv"),
        )
        step(
            "classify",
            *("--composites", stack, "--index", index, "--settings", "{}"),
            *("--evidence", to / f"evidence/{block}.tsv", "--weights", weights),
            *("--sha256", sha256_of(weights), "--states", to / f"states/{block}.tsv"),
        )
    frames, states, counts = to / "frames.tsv", to / "states.tsv", to / "counts.tsv"
    tables = ("--tables", *(source / f"registered/{block}.tsv" for block in blocks))
    step("frames_table", "--plate", plate, *tables, "--frames", frames,
         "--max-missing-fraction", 0.9)  # fmt: skip
    step("states_table", "--tables", *(to / f"states/{block}.tsv" for block in blocks),
         "--frames", frames, "--states", states)  # fmt: skip
    step(
        "track",
        *("--states", states, "--frames", frames, "--age-at-first-frame-d"),
        *(simulation.age_at_first_frame_d, "--worms", simulation.worms),
        *("--tracks", to / "tracks.tsv", "--counts", counts),
        *("--individuals", to / "individuals.tsv"),
    )
    step(
        "curves",
        *("--individuals", to / "individuals.tsv", "--counts", counts, "--plate", plate),
        *("--experiment", "e", "--condition", "c", "--time-axis", OF_ADULTHOOD),
        *("--curves", to / "curves.tsv", "--summary", to / "summary.tsv"),
        *("--figures", to / "curves.png"),
    )


def course_scores(to: Path, truth: Path) -> Iterator[tuple[str, float]]:
    """Tracks, deaths and counts of a plate against the truth, as (metric, value)."""
    numbers = by_time(read_table(truth / "frames.tsv"), read_table(to / "frames.tsv"))
    blocks = sorted((to / "masks").glob("t*-t*.json"))
    found = [renumbered(all_masks(path), numbers) for path in blocks]
    result = detections(read_masks(truth / "masks.json"), found)
    states = read_table(truth / "states.tsv")
    state = {(t, w): s for t, w, s in zip(states.timepoint, states.worm, states.state, strict=True)}
    tracks = read_table(to / "tracks.tsv")
    track = dict(zip(tracks["instance"], tracks["track"], strict=True))
    individuals = read_table(to / "individuals.tsv").dropna(subset=["track"])
    individuals = individuals.set_index("track")
    worms = read_table(truth / "worms.tsv").set_index("worm")
    own: dict[int, list[int]] = {}
    for timepoint, worm, identifier in result.pairs:
        if state[timepoint, worm] == "dead":
            own.setdefault(worm, []).append(track.get(identifier, 0))
    usable = set(numbers.values())
    for worm, numbers_of in sorted(own.items()):
        expected = sum(s == "dead" and w == worm and t in usable for (t, w), s in state.items())
        if expected < MIN_DEAD:
            continue
        yield "corpses", 1.0
        yield "unbroken", float(len(set(numbers_of)) == 1 and numbers_of[0] != 0)
        yield "corpse_frames", float(expected)
        yield "corpse_sightings", float(len(numbers_of))
        most = max(set(numbers_of), key=lambda one: (numbers_of.count(one), -one))
        if most in individuals.index and not individuals.loc[most, "death_censored"]:
            after, before = individuals.loc[most, ["death_after_d", "death_before_d"]]
            yield "death_error_d", abs((after + before) / 2 - float(worms.loc[worm, "death_d"]))
    counts = read_table(to / "counts.tsv")
    for row in counts[counts["usable"] == 1].to_dict("records"):
        at = [s for (t, _), s in state.items() if t == numbers[int(row["timepoint"])]]
        yield "alive_count_error", abs(float(row["alive"]) - sum(s != "dead" for s in at))
        yield "dead_count_error", abs(float(row["dead"]) - sum(s == "dead" for s in at))


def without_some(source: Path, to: Path, seed: int) -> set[int]:
    """Write the masks of a plate without a random tenth of them; return the identifiers of it."""
    (to / "masks").mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    gone: set[int] = set()
    for path in sorted((source / "masks").glob("t*-t*.json")):
        masks = read_masks(path)
        lost = random.random(len(masks.instances)) < DROPPED_SHARE
        gone |= {one.identifier for one, out in zip(masks.instances, lost, strict=True) if out}
        kept = tuple(one for one in masks.instances if one.identifier not in gone)
        write_masks(to / "masks" / path.name, replace(masks, instances=kept, candidates=()))
    return gone


def dropped_scores(source: Path, to: Path, truth: Path, seed: int) -> Iterator[tuple[str, float]]:
    """How many of the masks that were taken away the second look finds; (metric, value)."""
    gone = without_some(source, to, seed)
    looked_again(source, to, WAYS["with"])
    numbers = by_time(read_table(truth / "frames.tsv"), read_table(source / "with/frames.tsv"))
    true = read_masks(truth / "masks.json")
    whole = [renumbered(read_masks(p), numbers) for p in sorted((source / "masks").glob("t*.json"))]
    worm_of = {found: (t, worm) for t, worm, found in detections(true, whole).pairs}
    rest = [renumbered(all_masks(p), numbers) for p in sorted((to / "masks").glob("t*.json"))]
    seen = {(t, worm): found for t, worm, found in detections(true, rest).pairs}
    by = {(one.timepoint, one.identifier % INSTANCES_PER_TIMEPOINT): one for one in true.instances}
    times = sorted(set(numbers.values()))
    for identifier in sorted(gone & set(worm_of)):
        t, worm = worm_of[identifier]
        at = times.index(t)
        sides = [
            [by[s, worm] for s in some if (s, worm) in seen and not way_of(seen[s, worm])]
            for some in (times[max(at - 3, 0) : at], times[at + 1 : at + 4])
        ]
        still = all(any(iou(o, by[t, worm]) >= STILL_IOU for o in side) for side in sides)
        if still:
            yield "dropped_still", 1.0
            yield "dropped_recovered", float((t, worm) in seen)
    right = set(seen.values())
    for path in sorted((to / "masks").glob("t*-t*.json")):
        for one in sightings_beside(path):
            yield "sightings", 1.0
            yield "sightings_right", float(one.identifier in right)


def plate_rows(
    folder: Path, truth: Path, plate: str, simulation: SimulateSettings, seed: int
) -> pd.DataFrame:
    """All scores of a plate whose masks are there: plate, way, metric, value."""
    rows: list[tuple[str, str, float]] = []

    def follow(way: str, to: Path, masks_of: Path, settings: SecondLookSettings) -> None:
        if not (to / "summary.tsv").exists():
            followed(folder, to, masks_of, settings, plate, simulation)
        rows.extend((way, m, v) for m, v in plate_scores(to, plate, truth, simulation))
        rows.extend((way, m, v) for m, v in course_scores(to, truth))

    for way, settings in WAYS.items():
        follow(way, folder / way, folder, settings)
    for draw in range(DRAWS):
        to = folder / f"dropped_{draw}"
        found = dropped_scores(folder, to, truth, seed + 1000 * draw)
        rows += [("dropped", metric, value) for metric, value in found]
    for way, settings in WAYS.items():
        follow(f"dropped_{way}", folder / f"dropped_{way}", folder / "dropped_0", settings)
    table = pd.DataFrame(rows, columns=["way", "metric", "value"])
    table.insert(0, "plate", plate)
    return table


def main(words: Sequence[str] | None = None) -> None:
    """Simulate, search, look again and compare; write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--plates", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=9_000_111)
    parser.add_argument("--frame-px", type=int, default=880)
    parser.add_argument("--timepoints", type=int, default=24)
    parser.add_argument("--worms", type=int, nargs=2, default=(12, 20), help="fewest, most")
    parser.add_argument(
        "--fogged-share", type=float, default=0.1, help="frames of fog, in which worms are missed"
    )
    parser.add_argument("--only", nargs="*", help="these plates alone, L1 to L<plates>")
    parser.add_argument("--folder", type=Path, default=Path("second_look"), help="kept")
    parser.add_argument(
        "--table", type=Path, default=Path("docs/tables/healthspan-second-look.tsv")
    )
    parser.add_argument(
        "--page", type=Path, default=Path("docs/benchmarks/healthspan-second-look.md")
    )
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    settings = EvaluateSettings(
        plates=given.plates,
        frame_px=given.frame_px,
        timepoints=given.timepoints,
        min_worms=given.worms[0],
        max_worms=given.worms[1],
    )
    tables = []
    for number in range(given.plates):
        plate, seed = f"L{number + 1}", given.first_seed + number
        one = plate_settings(settings, number)
        one, raw = one.model_copy(update={"fogged_share": given.fogged_share}), given.folder / "raw"
        kept = given.folder / plate / "scores.tsv"
        if given.only is None or plate in given.only:
            if not is_simulated(raw / plate, one, seed):
                simulate_plate(one, plate, seed, raw)
            registered_and_searched(given.folder / plate, raw / plate / "raw", plate)
            scores = plate_rows(given.folder / plate, raw / plate / "truth", plate, one, seed)
            write_table(kept, scores)
        if kept.exists():
            tables.append(read_table(kept))
    if not tables:
        raise StepError(
            f"{given.folder}: expected scores of a plate, found none; name one of L1, ..."
        )
    rows = list(rows_of(pd.concat(tables, ignore_index=True)))
    write_table(given.table, scores_table(rows))
    write_text(given.page, page(rows, len(tables)))
    print(f"{given.table}: {len(tables)} plates")


if __name__ == "__main__":
    run_step(main)
