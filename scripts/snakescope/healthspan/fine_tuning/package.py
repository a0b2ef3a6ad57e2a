"""Frames that would teach most, as pictures with polygons to correct in a drawing program.

The machine's masks are the start, without those that people said are no worm. CVAT and Label
Studio open the COCO file, QuPath the GeoJSON files, napari the stacks of labels. What was corrected
there is read by ``healthspan_train``.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.fine_tuning.masks import label_stack, rescaled, write_label_stack
from snakescope.healthspan.fine_tuning.polygons import polygons_of
from snakescope.healthspan.fine_tuning.settings import AnnotationPackageSettings
from snakescope.healthspan.fine_tuning.teaching import (
    PROBABILITIES,
    REASONS,
    TRACK_COLUMNS,
    Chosen,
    choose,
    frame_scores,
)
from snakescope.healthspan.registration.registered_pages import (
    FRAME_COLUMNS,
    registered_pages,
    timepoints_of,
)
from snakescope.healthspan.states.sightings import all_masks
from snakescope.imaging.masks import Instance, MaskSet
from snakescope.imaging.overlays import stretched
from snakescope.imaging.stacks import Stack
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_folder
from snakescope.step.progress import progress
from snakescope.step.tables import read_table, write_table

IMAGES, COCO, QUPATH = "images", "annotations/instances_default.json", "qupath"
NAPARI = "napari"
FOLDERS = (IMAGES, QUPATH, NAPARI, str(Path(COCO).parent))
SHEET, CHOSEN, README = "annotations.tsv", "frames.tsv", "README.txt"
WORM_CLASS = {"id": 1, "name": "worm", "supercategory": ""}
NOT_WORMS = ("no worm", "static from the start")
"""How the reason begins why an object does not count, of what is no worm."""

WORDS = """Frames of plates whose masks would teach the worm detector most: see frames.tsv.

The polygons are the machine's. Correct them, so that EVERY worm has one, as wide as you see it, and
nothing else has: what is left as the machine drew it teaches the machine that it was right.
Copy this folder first: the next run of healthspan_annotations writes it anew.

CVAT          new task with the pictures of images/, label worm; Actions, Upload annotations,
              COCO 1.0, annotations/instances_default.json. Then Export task dataset, COCO 1.0.
Label Studio  label-studio-converter import coco -i annotations/instances_default.json
              -o tasks.json; import tasks.json. Then Export, COCO.
QuPath        open a picture, and drag its file of qupath/ onto it. Then File, Export objects as
              GeoJSON, a file for each picture.
napari        napari images/NAME.png, then drag napari/NAME.tif onto it, as Labels. Worms that
              cross are on layers of their own: the slider below chooses one; a new worm takes a
              number that no other has (key m). Save the layer of labels over the file.

Then name your export in the column masks of annotations.tsv, and train:

    healthspan: {fine_tuning: {sheet: FOLDER/annotations.tsv}}
    snakescope run --cores 4 healthspan_train
"""


def read_tracks(path: str) -> pd.DataFrame:
    """Read the table of tracks of a plate, corrected or not."""
    columns = (*TRACK_COLUMNS, *PROBABILITIES.values())
    return read_table(path, columns, text=("reason",)).fillna({"reason": ""})


def channel_of(paths: Sequence[Path], wanted: str) -> str:
    """The channel of a plate's pictures that is shown."""
    with Stack(paths[0]) as stack:
        return wanted if wanted in stack.channels else stack.channels[0]


def worms_at(masks: MaskSet, timepoint: int, tracks: pd.DataFrame) -> list[tuple[Instance, Any]]:
    """The masks of a timepoint, but for those of no worm, with their rows of the tracks or None."""
    rows = tracks[tracks["timepoint"] == timepoint].to_dict("records")
    of_instance = {int(row["instance"]): row for row in rows}
    found = []
    for one in masks.at(timepoint):
        row = of_instance.get(one.identifier)
        if row is not None and not row["counted"] and str(row["reason"]).startswith(NOT_WORMS):
            continue
        found.append((one, row))
    return found


def notes_of(worms: Sequence[tuple[Instance, Any]]) -> Iterator[dict[str, Any]]:
    """The annotations of a picture, of worms in its own pixels."""
    for one, row in worms:
        polygons = polygons_of(one)
        if not polygons:
            continue
        about = {"track": int(row["track"]), "state": str(row["consistent_state"])} if row else {}
        yield {
            "category_id": WORM_CLASS["id"],
            "segmentation": polygons,
            "area": one.area,
            "bbox": [one.left, one.top, one.mask.shape[1], one.mask.shape[0]],
            "iscrowd": 0,
            "attributes": about,
        }


def labels_of(worms: Sequence[tuple[Instance, Any]]) -> list[int]:
    """A number a worm: that of its track, or a free one."""
    tracks = [int(row["track"]) if row else 0 for _, row in worms]
    free = max(tracks, default=0)
    made: list[int] = []
    for one in tracks:
        if one < 1 or one in made:
            free += 1
            one = free
        made.append(one)
    return made


def geojson(notes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The annotations of a picture as QuPath opens them."""
    features = []
    for note in notes:
        rings = [np.reshape(one, (-1, 2)).tolist() for one in note["segmentation"]]
        closed = [[[*ring, ring[0]]] for ring in rings]
        single = len(closed) == 1
        shape = {
            "type": "Polygon" if single else "MultiPolygon",
            "coordinates": closed[0] if single else closed,
        }
        about = {"objectType": "annotation", "classification": {"name": WORM_CLASS["name"]}}
        features.append({"type": "Feature", "geometry": shape, "properties": about})
    return {"type": "FeatureCollection", "features": features}


def write_frames(
    to: Path, plate: str, folder: Path, tracks: pd.DataFrame, chosen: Sequence[Chosen], channel: str
) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]]:
    """Write the pictures of a plate; yield image and annotations of COCO, and row of the sheet."""
    stacks = sorted((folder / "registered").glob("t*-t*.ome.tif"))
    frames = read_table(folder / "frames.tsv", FRAME_COLUMNS)
    shown = channel_of(stacks, channel)
    timepoints = sorted(one.timepoint for one in chosen)
    sets = {}
    for path in sorted((folder / "masks").glob("t*-t*.json")):
        if any(one in timepoints_of(path) for one in timepoints):
            masks = all_masks(path)
            sets.update(dict.fromkeys(masks.timepoints, masks))
    for timepoint, frame in registered_pages(frames, stacks, channel, timepoints):
        masks = sets[timepoint]
        name = f"{plate}_t{timepoint:03d}"
        height, width = frame.shape
        worms = [
            (scaled, row)
            for one, row in worms_at(masks, timepoint, tracks)
            for scaled in rescaled([one], (masks.height, masks.width), (height, width))
        ]
        notes = list(notes_of(worms))
        write_png(to / IMAGES / f"{name}.png", stretched(frame))
        text = json.dumps(geojson(notes), separators=(",", ":"))
        (to / QUPATH / f"{name}.geojson").write_text(text, encoding="utf-8")
        stack = label_stack([one for one, _ in worms], labels_of(worms), (height, width))
        write_label_stack(to / NAPARI / f"{name}.tif", stack)
        image = {"file_name": f"{name}.png", "width": width, "height": height}
        row = {
            "image": name, shown: f"{IMAGES}/{name}.png", "masks": COCO, "group": plate,
            "pixel_size_um": round(masks.pixel_size_um * masks.width / width, 4),
        }  # fmt: skip
        yield image, notes, row


def write_png(path: Path, grey: NDArray[np.uint8]) -> None:
    """Write a grey picture of 8 bits, without EXIF data."""
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(grey)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plates", nargs="+", required=True)
    parser.add_argument("--tracks", nargs="+", required=True, help="of each plate")
    parser.add_argument(
        "--frames", nargs="+", required=True,
        help="frames.tsv of each plate, beside its folders masks and registered",
    )  # fmt: skip
    parser.add_argument("--settings", default="{}")
    parser.add_argument("--package", required=True, help="folder to write")


def main(given: argparse.Namespace) -> None:
    """Run the step."""
    settings = AnnotationPackageSettings.model_validate_json(given.settings)
    tracks = {
        plate: read_tracks(path) for plate, path in zip(given.plates, given.tracks, strict=True)
    }
    folders = {
        plate: Path(path).parent for plate, path in zip(given.plates, given.frames, strict=True)
    }
    chosen = choose({plate: frame_scores(table) for plate, table in tracks.items()}, settings)
    if not chosen:
        raise StepError(
            f"{given.tracks[0]}: expected a plate with worms to annotate, found none in"
            f" {len(tracks)}; look at the contact sheets"
        )
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    with atomic_folder(given.package) as to:
        for name in FOLDERS:
            (to / name).mkdir(parents=True)
        for plate in progress(sorted({one.plate for one in chosen}), "plates to annotate"):
            own = [one for one in chosen if one.plate == plate]
            made = write_frames(to, plate, folders[plate], tracks[plate], own, settings.channel)
            for image, found, row in made:
                number = len(images) + 1
                images.append({"id": number, **image})
                for note in found:
                    notes.append({"id": len(notes) + 1, "image_id": number, **note})
                rows.append(row)
        document = {"images": images, "annotations": notes, "categories": [WORM_CLASS]}
        (to / COCO).write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        (to / README).write_text(WORDS.replace("FOLDER", given.package), encoding="utf-8")
        write_table(to / CHOSEN, chosen_table(chosen, tracks))
        write_table(to / SHEET, sheet(rows, Path(given.package)))
    print(f"{given.package}: {len(images)} frames of {len(folders)} plates, {len(notes)} polygons")


def sheet(rows: Sequence[Mapping[str, Any]], folder: Path) -> pd.DataFrame:
    """The sheet that ``healthspan_train`` reads; paths are seen from the working directory."""
    table = pd.DataFrame(list(rows))
    for name in ("bright_field", "dark_field", "masks"):
        if name in table:
            table[name] = [f"{folder}/{one}" if isinstance(one, str) else "" for one in table[name]]
    return table


def chosen_table(chosen: Sequence[Chosen], tracks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Why each frame was chosen, with what was measured of it."""
    scores = {plate: frame_scores(tracks[plate]).set_index("timepoint") for plate in
              {one.plate for one in chosen}}  # fmt: skip
    rows = [
        {
            "image": f"{one.plate}_t{one.timepoint:03d}",
            "plate": one.plate,
            "timepoint": one.timepoint,
            "why": one.why,
            **scores[one.plate].loc[one.timepoint, list(REASONS)].round(3).to_dict(),
        }
        for one in chosen
    ]
    return pd.DataFrame(rows)
