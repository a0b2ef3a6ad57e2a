"""COCO files of worms, as CVAT, Label Studio, Roboflow, LabelMe and others write them.

What these programs write differs in more than it should; each difference that is known to have
cost somebody annotations is met here, and whatever cannot be used is counted with its reason.
Boxes and areas are not read: they are often wrong, and follow from the masks.
"""

import difflib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import cv2
import numpy as np

from snakescope.healthspan.fine_tuning.masks import Annotations
from snakescope.healthspan.fine_tuning.polygons import Origin, drawn, polygons_in
from snakescope.imaging.masks import Instance, cropped, intersection
from snakescope.step.errors import StepError

Note = Mapping[str, Any]


@dataclass(frozen=True)
class CocoImage:
    """An image of a COCO file: its size as stated (px, 0 if not), and its annotations."""

    width: int
    height: int
    notes: Sequence[Note]


@dataclass(frozen=True)
class Coco:
    """A COCO file: its images by ``file_name``, and the names of its categories."""

    images: Mapping[str, CocoImage]
    categories: Mapping[str, str]

    def class_of(self, note: Note) -> str:
        """The name of an annotation's category; numbers change from export to export."""
        number = str(note.get("category_id"))
        return self.categories.get(number, number)

    @property
    def classes(self) -> list[str]:
        """The names of the categories that have annotations."""
        notes = (note for image in self.images.values() for note in image.notes)
        return sorted({self.class_of(note) for note in notes})


@lru_cache(maxsize=2)
def read_coco(path: str) -> Coco:
    """Read a COCO file.

    Raises:
        StepError: no such file, or none with images and annotations; an image is there twice, or
            annotations are of none.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        # Some programs write numbers as text in one place, and not in the other.
        by_image: dict[str, list[Note]] = {}
        for note in content["annotations"]:
            by_image.setdefault(str(note["image_id"]), []).append(note)
        images = {
            str(one["file_name"]): CocoImage(
                int(one.get("width") or 0),
                int(one.get("height") or 0),
                by_image.get(str(one["id"]), []),
            )
            for one in content["images"]
        }
        categories = {str(one["id"]): str(one["name"]) for one in content.get("categories") or ()}
        _check_images(path, content["images"], by_image)
    except FileNotFoundError:
        raise StepError(f"{path}: expected a COCO file, found no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError(
            f"{path}: expected a COCO file with images and annotations, found something else"
            f" ({type(error).__name__}: {error}); export it as COCO instance segmentation"
        ) from None
    return Coco(images, categories)


def _check_images(
    path: str, images: Sequence[Note], by_image: Mapping[str, Sequence[Note]]
) -> None:
    """Check that every annotation is of one image.

    Raises:
        StepError: else some would be lost, or be there twice.
    """
    for key in ("id", "file_name"):
        number, times = (
            Counter(str(one[key]) for one in images).most_common(1)[0] if images else ("", 1)
        )
        if times > 1:
            raise StepError(
                f"{path}: expected each image once, found {times} images of the {key} {number};"
                " export one set of annotations of each image"
            )
    if absent := sorted(set(by_image) - {str(one["id"]) for one in images}):
        lost = sum(len(by_image[one]) for one in absent)
        raise StepError(
            f"{path}: expected annotations of the images that it names, found {lost} of others"
            f" (image_id {', '.join(absent[:3])}); export images and annotations together"
        )


def read_geojson(path: str, image: str) -> Coco:
    """Read the objects of one picture that QuPath exported as GeoJSON, as a COCO file.

    Raises:
        StepError: no such file, or none with features.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
        features = content["features"] if isinstance(content, dict) else content
        notes, names = [], {}
        for number, feature in enumerate(features, start=1):
            shape = feature["geometry"]
            about = (feature.get("properties") or {}).get("classification") or {}
            name = str(about.get("name", "without a class"))
            names[name] = name
            parts = (
                shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
            )
            if shape["type"] not in ("Polygon", "MultiPolygon"):
                parts = []
            rings = [np.ravel(np.asarray(ring)[:, :2]).tolist() for part in parts for ring in part]
            notes.append({"id": number, "category_id": name, "segmentation": rings})
    except FileNotFoundError:
        raise StepError(f"{path}: expected a GeoJSON file, found no such file") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise StepError(
            f"{path}: expected a GeoJSON file with polygons, found something else"
            f" ({type(error).__name__}: {error}); export the objects as GeoJSON"
        ) from None
    return Coco({Path(image).name: CocoImage(0, 0, notes)}, names)


def plain_name(name: str) -> str:
    """Return the name of an image without what programs add to it.

    Folders of either slash and the ending; Label Studio's eight digits before it; Roboflow's
    ``_png.rf.`` and digits behind it.
    """
    last = re.split(r"[\\/]", unquote(name))[-1]
    last = re.sub(r"^[0-9a-f]{8}-", "", last)
    if found := re.fullmatch(r"(.+?)(?:_(?:png|jpe?g|tiff?|bmp))?\.rf\.\w+\.\w+", last):
        return found[1]
    return last.removesuffix(Path(last).suffix)


def image_of(path: str, coco: Coco, image: str) -> CocoImage:
    """Return an image of a COCO file, which names it by its path, its file name, or nearly so.

    Raises:
        StepError: the file does not name the image, or two images so.
    """
    own = Path(image)
    for is_named in (
        lambda one: own.as_posix().endswith(one) and Path(one).name == own.name,
        lambda one: re.split(r"[\\/]", one)[-1] == own.name,
        # A name of its own may begin as those that programs add to, as with a date.
        lambda one: plain_name(one) == own.stem,
        lambda one: plain_name(one) == plain_name(own.name),
    ):
        named = [one for one in coco.images if is_named(one)]
        if len(named) == 1:
            return coco.images[named[0]]
        if named:
            break
    raise StepError(
        f"{path}: expected {own.name} once among its images, found it {len(named)} times; correct"
        " file_name"
    )


def files_in(folder: Path, coco: Coco) -> list[Path]:
    """Return the files of a folder that a COCO file names, one for each name that has one."""
    plain: dict[str, list[Path]] = {}
    for one in sorted(folder.iterdir()):
        for name in {plain_name(one.name), one.stem}:
            plain.setdefault(name, []).append(one)
    found = []
    for name in sorted(coco.images):
        if (folder / name).is_file():
            found.append(folder / name)
        elif len(like := plain.get(plain_name(name), [])) == 1:
            found += like
    return list(dict.fromkeys(found))


def check_classes(path: str, coco: Coco, classes: Sequence[str]) -> None:
    """Check that a file has annotations of the classes that are worms.

    Raises:
        StepError: it has none of one; the sentence names the nearest that it has.
    """
    there = coco.classes
    for name in classes:
        if name not in there:
            near = difflib.get_close_matches(name, there, 1, 0.5)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise StepError(
                f"{path}: expected annotations of the class {name}, as fine_tuning: annotations:"
                f" classes says, found {', '.join(there) or 'none'}{meant}"
            )


def of_coco(
    path: str,
    coco: Coco,
    image: str,
    shape: tuple[int, int],
    classes: Sequence[str] = (),
    origin: Origin = "corner",
) -> Annotations:
    """The worms of one image of a COCO file.

    Args:
        path: of the file; image: of the picture.
        shape: of the picture (Y, X).
        classes: names of the categories that are worms; all by default.
        origin: where the coordinates of polygons begin: at the corner of the first pixel or at its
            centre.

    Raises:
        StepError: the file does not name the image once, states another size, or has no such class.
    """
    check_classes(path, coco, classes)
    stated = image_of(path, coco, image)
    if stated.width and stated.height and (stated.height, stated.width) != shape:
        raise StepError(
            f"{path}: expected {Path(image).name} of {shape[1]} x {shape[0]} px, as the picture is,"
            f" found {stated.width} x {stated.height}; annotate the picture itself, not a copy of"
            " another size or turned by its EXIF data"
        )
    found = Annotations()
    notes = [one for one in stated.notes if not classes or coco.class_of(one) in classes]
    if not classes and len(names := sorted({coco.class_of(one) for one in notes})) > 1:
        found.notes.append(
            f"the classes {', '.join(names)} are all taken for worms; name those that are in"
            " fine_tuning: annotations: classes"
        )
    for number, note in enumerate(joined(notes), start=1):
        found.stated += 1
        _take(found, f"annotation {note.get('id', number)}", note, shape, origin)
    if touching_but_apart(found.worms):
        found.notes.append(
            "worms touch and none overlaps another; if some lie across others, the program may have"
            " cut one of them: export with overlaps, or as one mask a worm"
        )
    return found


def _take(
    found: Annotations, what: str, note: Note, shape: tuple[int, int], origin: Origin
) -> None:
    """Add the worm of an annotation, or why there is none; in place."""
    segmentation = note.get("segmentation")
    try:
        runs = isinstance(segmentation, Mapping)
        if note.get("iscrowd") and not runs and note.get("bbox"):
            _ignore(found, note)
            return
        mask, cut = drawn(segmentation, shape, origin)
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        found.dropped.append(str(error) if isinstance(error, ValueError) else "no polygon")
        reason = f"{type(error).__name__}: {error}"
        found.notes.append(f"{what} has no polygon or run lengths ({reason}), left out")
        return
    one = cropped(mask, 0, 0, 0, len(found.worms), 1.0)
    if one is None:
        found.dropped.append("no pixel on the image")
        found.notes.append(f"{what} has no pixel on the image, left out")
        return
    if note.get("iscrowd"):
        # CVAT says so of every mask that was painted.
        if cv2.connectedComponents(one.mask.astype(np.uint8))[0] > 2:
            _ignore(found, note, one)
            return
        found.notes.append(f"{what} is marked as a crowd and is one piece, taken for a worm")
    if cut:
        found.notes.append(f"{what} reaches out of the image and is cut at its border")
    found.worms.append(one)


def _ignore(found: Annotations, note: Note, one: Instance | None = None) -> None:
    if one is None:
        left, top, width, height = (float(side) for side in note["bbox"])
        found.ignore.append((left, top, width, height))
    else:
        found.ignore.append((one.left, one.top, one.mask.shape[1], one.mask.shape[0]))


def joined(notes: Sequence[Note]) -> list[Note]:
    """Return annotations, those of one group as one: parts of a worm that something lies across."""
    made: list[Note] = []
    place: dict[Any, int] = {}
    for note in notes:
        attributes = note.get("attributes")
        of_attributes = attributes.get("group_id") if isinstance(attributes, Mapping) else None
        group = note.get("group_id") or of_attributes
        if (
            not isinstance(group, (str, int))
            or not group
            or not isinstance(note.get("segmentation"), list)
        ):
            made.append(note)
        elif group in place:
            first = made[place[group]]
            parts = [*polygons_in(first["segmentation"]), *polygons_in(note["segmentation"])]
            made[place[group]] = {**first, "segmentation": parts}
        else:
            place[group] = len(made)
            made.append(note)
    return made


def touching_but_apart(worms: Sequence[Instance]) -> bool:
    """Whether some worms touch, and none has a pixel in common with another."""
    touching = False
    for place, one in enumerate(worms):
        wide = Instance(
            0, 0, one.top - 1, one.left - 1,
            cv2.dilate(np.pad(one.mask, 1).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0, 1.0,
        )  # fmt: skip
        for other in worms[place + 1 :]:
            if intersection(one, other):
                return False
            touching = touching or intersection(wide, other) > 0
    return touching
