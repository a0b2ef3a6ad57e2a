"""Real images with labels, and simulated frames with their truth, in one form for one scorer.

Every image is brought to the pixel size of the detector and overlaid as a plate's frame is. Which
sets may be trained on is said by the README of the data: here they are only read.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snakescope.healthspan.detection.tile import assemble, plate_picture
from snakescope.healthspan.training.detector_scores import inside
from snakescope.healthspan.training.hard_scenes import draw_hard_scenes
from snakescope.imaging.frames import read_frame, read_picture
from snakescope.imaging.masks import Instance, cropped, read_masks
from snakescope.imaging.stacks import Stack
from snakescope.step.tables import read_table

Box = tuple[float, float, float, float]
"""left, top, width, height (px)."""


@dataclass(frozen=True)
class LabelledImage:
    """One image and what is known of the worms on it, at the pixel size of the detector.

    Attributes:
        name: of the image within its set.
        group: what its worms have in common: well, plate; intervals are over groups.
        picture: overlay, uint8 (Y, X).
        worms: masks of single worms.
        boxes: of worms without masks.
        kinds: of each of ``boxes``.
        ignore: boxes of what has no label and may be a worm.
        wall: distance to the wall (px), float32 (Y, X), where it is known.
        exhaustive: whether every worm has a label, so that all else is false.
        counted: worms that a person counted, where that is all that is known.
    """

    name: str
    group: str
    picture: NDArray[np.uint8]
    worms: list[Instance] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    ignore: list[Box] = field(default_factory=list)
    wall: NDArray[np.float32] | None = None
    exhaustive: bool = True
    counted: int | None = None


UNSEEN_SEED, UNSEEN_SCENES, UNSEEN_PX = 9_000_101, 48, 560
"""Of ``simulated_unseen_2``; no training uses this seed."""

LENGTH_SCALES = {1: 0.6, 2: 0.6, 3: 0.6, 6: 1.36, 7: 1.3, 8: 1.93}
"""Scale of each plate of quantworm_length at which its worms are about 110 px long."""


def grey_frame(path: Path) -> NDArray[Any]:
    """A frame (Y, X); the luminance of a photograph in colour."""
    if path.suffix == ".jpg":
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        assert image is not None, path
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    return read_frame(path)


def scaled_box(box: Any, scale: float) -> Box:
    left, top, width, height = (float(side) * scale for side in box)
    return left, top, width, height


def polygon_mask(
    polygons: list[list[float]], scale: float, shape: tuple[int, int], identifier: int
) -> Instance | None:
    """The mask of polygons drawn along the pixels of an image, on that image scaled.

    It is drawn 4 times as large and averaged, so that its border is that of the drawn pixels.
    """
    points = [np.asarray(one, np.float64).reshape(-1, 2) for one in polygons]
    every = np.concatenate(points)
    # The polygons pass through the centres of the pixels at the border.
    left, top = np.floor(every.min(axis=0) * scale).astype(int) - 2
    right, bottom = np.ceil((every.max(axis=0) + 1) * scale).astype(int) + 2
    large = np.zeros(((bottom - top) * 4, (right - left) * 4), np.uint8)
    for one in points:
        at = ((one + 0.5) * scale - (left, top)) * 4 - 0.5
        outline = [np.rint(at * 16).astype(np.int32)]
        cv2.fillPoly(large, outline, 255, cv2.LINE_8, 4)
        # Half a pixel of the image around: the border runs along its pixels' outer sides.
        cv2.polylines(large, outline, True, 255, max(1, round(4 * scale)), cv2.LINE_8, 4)
    small = cv2.resize(large, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
    mask = np.asarray(small >= 128)
    one_mask = cropped(mask, int(top), int(left), 0, identifier, 1.0)
    if one_mask is None:
        return None
    inner = np.zeros(shape, bool)
    t, lf = max(one_mask.top, 0), max(one_mask.left, 0)
    b, r = min(one_mask.bottom, shape[0]), min(one_mask.right, shape[1])
    if t >= b or lf >= r:
        return None
    inner = one_mask.mask[
        t - one_mask.top : b - one_mask.top, lf - one_mask.left : r - one_mask.left
    ]
    return cropped(inner, t, lf, 0, identifier, 1.0)


def coco_images(
    folder: Path,
    names: Mapping[str, float],
    exhaustive: bool,
    no_worms: frozenset[int] = frozenset(),
) -> Iterator[LabelledImage]:
    """Images of a ``coco.json`` with masks.

    Args:
        names: the files of the images, each with its scale.
        exhaustive: whether every worm has a mask.
        no_worms: numbers of the annotations that show no worm.
    """
    content = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
    for image in content["images"]:
        if image["file_name"] not in names:
            continue
        scale = names[image["file_name"]]
        picture = plate_picture({"bright_field": grey_frame(folder / image["file_name"])}, scale)
        worms: list[Instance] = []
        ignore = [scaled_box(box, scale) for box in image.get("ignore", [])]
        for note in content["annotations"]:
            if note["image_id"] != image["id"]:
                continue
            shape = (picture.shape[0], picture.shape[1])
            one = polygon_mask(note["segmentation"], scale, shape, len(worms))
            doubtful = note.get("iscrowd") or note.get("suspect") or note.get("id") in no_worms
            if doubtful or one is None:
                ignore.append(scaled_box(note["bbox"], scale))
            else:
                worms.append(one)
        name = Path(image["file_name"]).stem
        group = f"{folder.name}_{image.get('video', name)}"
        yield LabelledImage(
            f"{folder.name}_{name}", group, picture, worms, ignore=ignore, exhaustive=exhaustive
        )


def lit_distance(frame: NDArray[Any]) -> NDArray[np.float32]:
    """Distance (px) of each pixel to the dark surround of a well."""
    calm = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 3)
    lit = (calm > 0.45 * np.percentile(calm, 95)).astype(np.uint8)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(lit)
    well = (labels == 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    well = np.asarray(cv2.morphologyEx(well, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8)))
    distance = cv2.distanceTransform(np.pad(well, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(distance, np.float32)


def bbbc010(folder: Path) -> Iterator[LabelledImage]:
    """32 wells; their masks are drawn by hand."""
    drawn = pd.read_csv(folder / "worms.csv")
    for well, rows in drawn.groupby("well"):
        worms: list[Instance] = []
        for name in rows["mask"]:
            mask = read_picture(folder / "masks" / name, labels=True) != 0
            one = cropped(mask, 0, 0, 0, len(worms), 1.0)
            if one is not None:
                worms.append(one)
        frame = read_frame(folder / "images" / f"{well}.png")
        picture = plate_picture({"bright_field": frame}, 1.0)
        yield LabelledImage(str(well), str(well), picture, worms, wall=lit_distance(frame))


FIRST_TEST_WELL = "C05"
"""Wells before it are those of PatchPerPix's training range, this one and the rest of its test."""


def bbbc010_test15(folder: Path) -> Iterator[LabelledImage]:
    """The 15 wells of which PatchPerPix's predictions are published."""
    return (one for one in bbbc010(folder) if one.name >= FIRST_TEST_WELL)


def quantworm_gender(
    folder: Path, plates: tuple[int, ...], no_worms: frozenset[int] = frozenset()
) -> Iterator[LabelledImage]:
    """Stitched plates of adults and males; automatic masks of single worms."""
    names = {f"plate{number}.jpg": 0.6 for number in plates}
    return coco_images(folder, names, exhaustive=False, no_worms=no_worms)


def quantworm_length(
    folder: Path, plates: tuple[int, ...], no_worms: frozenset[int] = frozenset()
) -> Iterator[LabelledImage]:
    """Stitched plates of adults or larvae; automatic masks of single worms."""
    names = {f"plate{number}.jpg": LENGTH_SCALES[number] for number in plates}
    return coco_images(folder, names, exhaustive=False, no_worms=no_worms)


NO_WORMS = frozenset({195, 658, 659, 660, 704, 712, 732, 742, 743, 748, 750, 752})
"""Annotations of quantworm_length, plates 3 and 8, on the wall of the dish or where tiles meet,
without a worm: all 227 of ``quantworm_single`` were looked at, without what was found there."""

NOT_ONE_WORM = frozenset({379, 381, 393, 396, 399, 402, 443, 444, 447, 448})
"""Annotations of quantworm_gender, plate 4, of strips of worms that lie side by side, and of three
worms in one: of those that were looked at, the ones that show something else than one worm."""


def quantworm_single(
    worms: Path,
    no_worms: frozenset[int] = frozenset(),
    not_one: frozenset[int] = frozenset(),
) -> Iterator[LabelledImage]:
    """The plates of the two sets that are kept for development.

    Args:
        no_worms: annotations of quantworm_length to leave out; not_one: of quantworm_gender.
    """
    yield from quantworm_gender(worms / "quantworm_gender", (4,), not_one)
    yield from quantworm_length(worms / "quantworm_length", (3, 8), no_worms)


LIFESPAN_SCALE = 2.1
LEAST_BOX_PX = 25
"""Boxes of what changed between the two frames that are smaller, half a worm's length, are of
trails, dirt or a part of a worm, by the note beside them: 54 of 329."""
BOXES_WITHOUT_WORM = frozenset(
    {10, 66, 70, 78, 151, 159, 165, 168, 170, 177, 180, 181, 184, 186, 187, 190, 198, 202, 205,
     213, 218, 221, 222, 232, 233, 327, 328}
)  # fmt: skip
"""Rows of live_worms.csv, from 0, whose box shows no worm in the second frame, but a trail, texture
of the lawn or the wall: all 275 were looked at in the two photographs, without what was found."""


def quantworm_lifespan(folder: Path) -> Iterator[LabelledImage]:
    """The second frame of each plate, with boxes of worms that moved and that lay still.

    ``moving_looked_at`` are the boxes of ``moving`` in which a worm is seen.
    """
    changed = pd.read_csv(folder / "live_worms.csv")
    moved = changed[changed[["w", "h"]].max(axis=1) >= LEAST_BOX_PX]
    seen = moved[~moved.index.isin(BOXES_WITHOUT_WORM)]
    still = pd.read_csv(folder / "still_worms.csv")
    tables = {"moving": moved, "moving_looked_at": seen, "still": still}
    for plate in sorted(set(moved["plate"])):
        path = folder / f"plate{plate}b.jpg"
        picture = plate_picture({"bright_field": grey_frame(path)}, LIFESPAN_SCALE)
        boxes, kinds = [], []
        for kind, table in tables.items():
            for row in table[table["plate"] == plate][["x", "y", "w", "h"]].values:
                boxes.append(scaled_box(row, LIFESPAN_SCALE))
                kinds.append(kind)
        yield LabelledImage(
            f"plate{plate}b", f"plate{plate}", picture, boxes=boxes, kinds=kinds, exhaustive=False
        )


def wormsizer(folder: Path) -> Iterator[LabelledImage]:
    """Five frames of plain agar; coils are filled."""
    content = json.loads((folder / "coco.json").read_text(encoding="utf-8"))
    names = {one["file_name"]: 0.65 for one in content["images"]}
    return coco_images(folder, names, exhaustive=True)


DENSE_SCALE = 7.0 / 9.74
COUNTED_BY_EYE = {"K01_1": 98, "K05_1": 95}
"""Worms of each dense photograph, by the note beside them."""


def dense_photographs(folder: Path) -> Iterator[LabelledImage]:
    """Two crowded photographs; worms have a dark outline and a bright core."""
    for path in sorted(folder.glob("*.jpg")):
        picture = plate_picture({"bright_field": grey_frame(path)}, DENSE_SCALE)
        counted = COUNTED_BY_EYE.get(path.stem)
        yield LabelledImage(path.stem, path.stem, picture, exhaustive=False, counted=counted)


def simulated_frames(folder: Path, every: int = 1) -> Iterator[LabelledImage]:
    """Frames of simulated plates whose tiles were kept, each with the truth on its plate.

    Args:
        folder: working directory of a run of the workflow, with ``<plate>/truth``.
        every: only each so many of the timepoints, to be quicker.
    """
    results = folder / "results" / "healthspan"
    for truth_path in sorted(folder.glob("*/truth/masks.json")):
        plate = truth_path.parents[1].name
        truth = read_masks(truth_path)
        motions = read_table(truth_path.parent / "frames.tsv")
        frames = read_table(results / plate / "frames.tsv")
        at = {round(float(h), 2): int(t) for t, h in motions[["timepoint", "time_h"]].values}
        numbers = {
            int(t): at[round(float(h), 2)] for t, h in frames[["timepoint", "time_h"]].values
        }
        taken = 0
        for table in sorted((results / plate / "tiles").glob("*.tsv")):
            origins = read_table(table)
            with Stack(table.with_suffix("").with_suffix(".ome.tif")) as tiles:
                for timepoint in sorted(set(origins["timepoint"])):
                    taken += 1
                    if (taken - 1) % every == 0:
                        picture = assemble(tiles, origins, int(timepoint))
                        worms = truth.at(numbers[int(timepoint)])
                        yield LabelledImage(f"{plate}_{timepoint}", plate, picture, worms)


def simulated_unseen_2() -> Iterator[LabelledImage]:
    """Hard scenes of looks that no training draws; worms cut by the border count neither way."""
    size = (UNSEEN_PX, UNSEEN_PX)
    scenes = draw_hard_scenes(UNSEEN_SEED, UNSEEN_SCENES, UNSEEN_PX, unseen=True)
    for number, scene in enumerate(scenes):
        whole, cut = list[Instance](), list[Box]()
        for one in scene.worms:
            if inside(one, size, 2):
                whole.append(one)
            else:
                cut.append((one.left, one.top, one.mask.shape[1], one.mask.shape[0]))
        yield LabelledImage(f"scene_{number}", f"scene_{number}", scene.picture, whole, ignore=cut)


SETS: dict[str, Callable[[Path], Iterator[LabelledImage]]] = {
    "bbbc010": lambda worms: bbbc010(worms / "bbbc010"),
    "bbbc010_test15": lambda worms: bbbc010_test15(worms / "bbbc010"),
    "quantworm_single": quantworm_single,
    "quantworm_single_looked_at": lambda worms: quantworm_single(worms, NO_WORMS),
    "quantworm_single_whole": lambda worms: quantworm_single(worms, NO_WORMS, NOT_ONE_WORM),
    "quantworm_lifespan": lambda worms: quantworm_lifespan(worms / "quantworm_lifespan"),
    "wormsizer": lambda worms: wormsizer(worms / "wormsizer"),
    "dense_photographs": lambda worms: dense_photographs(worms / "dense_photographs"),
    "simulated_unseen_2": lambda _: simulated_unseen_2(),
}
"""The sets by name; those of real images are read from the folder ``worms`` of the data."""
