"""What two frames of a plate tell: size and bit depth, dish, mark, worms, pixel size."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.inspection.dishes import ASKED_MM, inner_mm, likely_dish, pixel_size_um
from snakescope.healthspan.inspection.infer_pattern import LIKELY, SURE, UNSURE
from snakescope.healthspan.inspection.moving import USUAL_UM, Look, look_at
from snakescope.healthspan.inspection.proposals import Proposal
from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.imaging.frames import UnreadableFrame, read_frame, read_header

LEAST_BETWEEN_H = 3.0
"""Least time between the two frames that are compared, so that slow worms have moved."""
PLAUSIBLE = (0.7, 1.5)
"""Length of worms by the pixel size, relative to an adult's, outside of which one is wrong."""


@dataclass(frozen=True)
class Scale:
    """What a person has said of the scale; None where nothing."""

    pixel_size_um: float | None = None
    dish_mm: float | None = None
    dish_inner_mm: float | None = None

    @property
    def given(self) -> bool:
        """Whether anything was said."""
        return any((self.pixel_size_um, self.dish_mm, self.dish_inner_mm))


def look_at_plate(
    frames: PlateFrames, scale: Scale, settings: HealthspanSettings
) -> list[Proposal]:
    """Propose what the pictures of a plate tell.

    Args:
        frames: of its scan; scale: what was given.
    """
    channel = frames.channels[0]
    own = [one for one in frames.frames if one.channel == channel and one.status == "present"]
    damaged: list[Proposal] = []
    first, first_path, time_h = _first_readable([(one.path, one.time_h) for one in own], damaged)
    if first is None:
        none = Proposal("pictures", "none could be read", "the first frames", "unknown")
        return [*damaged, none]
    later = [one.path for one in own if one.time_h >= time_h + LEAST_BETWEEN_H]
    later += [one.path for one in own if one.time_h > time_h][:1]
    second = _read(later[0], damaged) if later else None
    look = look_at(first, second)
    bits = first.dtype.itemsize * 8
    proposals = [
        *damaged,
        Proposal(
            "frames",
            f"{first.shape[1]} x {first.shape[0]} px, {bits} bit, values {first.min()} to"
            f" {first.max()}",
            f"{first_path.rpartition('/')[2]}",
            SURE,
        ),
    ]
    proposals += _light(look, channel)
    proposals += _dish_and_mark(look)
    proposals += _scale(look, scale, settings, _stated_um(first_path))
    return proposals


def _stated_um(path: str) -> float | None:
    try:
        return read_header(path).pixel_size_um
    except UnreadableFrame:
        return None


def _first_readable(
    own: list[tuple[str, float]], damaged: list[Proposal]
) -> tuple[NDArray[Any] | None, str, float]:
    for path, time_h in own[:3]:
        frame = _read(path, damaged)
        if frame is not None:
            return frame, path, time_h
    return None, "", 0.0


def _read(path: str, damaged: list[Proposal]) -> NDArray[Any] | None:
    """Return a frame, None where it cannot be read, which is added to what is told."""
    try:
        return np.asarray(read_frame(path))
    except UnreadableFrame as error:
        why = str(error).removeprefix(f"{path}: ")
        damaged.append(Proposal("UNREADABLE", path.rpartition("/")[2], why, SURE))
        return None


def _light(look: Look, channel: str) -> list[Proposal]:
    """Propose the other channel where worms are bright in what passes for bright field."""
    if look.dark is None or look.dark == (channel == "bright_field"):
        return []
    other = "bright_field" if look.dark else "dark_field"
    said = f"worms are {'dark on bright' if look.dark else 'bright on dark'} ground"
    return [
        Proposal("light", other.replace("_", " "), f"{len(look.worms)} {said}", LIKELY,
                 {"plates.default_channel": other})
    ]  # fmt: skip


def _dish_and_mark(look: Look) -> list[Proposal]:
    dish, mark = look.description.dish, look.description.mark
    proposals = []
    if look.description.dish_seen:
        said = f"{2 * dish.radius_px:.0f} px wide, centre {dish.x_px:.0f}, {dish.y_px:.0f} px"
        proposals.append(Proposal("dish", said, "a closed ring in the first frame", SURE))
    else:
        proposals.append(Proposal("dish", "not seen whole", "no closed ring in the frame", SURE))
    if mark is None:
        said = "none; frames are aligned by the plate's texture"
        proposals.append(Proposal("mark", said, "no cross in the first frame", SURE))
    else:
        said = f"a cross, {mark.span_px:.0f} px wide, at {mark.x_px:.0f}, {mark.y_px:.0f} px"
        proposals.append(Proposal("mark", said, f"correlation {mark.score:.2f}", SURE))
    return proposals


def _scale(
    look: Look, scale: Scale, settings: HealthspanSettings, stated: float | None
) -> list[Proposal]:
    """Propose the pixel size: given, by the dish that was given, the files, or the worms."""
    diameter = 2 * look.description.dish.radius_px if look.description.dish_seen else None
    worm = look.length_px
    size, source, sure = _pixel_size(scale, settings, stated, diameter, worm)
    proposals = []
    keys = (
        {}
        if size is None or abs(size / settings.plates.pixel_size_um - 1) < 1e-4
        else {"plates.pixel_size_um": round(size, 3)}
    )
    value = "unknown" if size is None else f"{size:.2f} um"
    proposals.append(Proposal("pixel size", value, source, sure, keys))
    if stated and size and abs(stated / size - 1) > 0.05:
        proposals.append(
            Proposal("CONFLICT", f"the files state {stated:.4g} um", f"taken: {source}", UNSURE)
        )
    if worm is None or look.width_px is None:
        found = f"{len(look.worms)} slender objects moved between two frames"
        if look.shift_px is None:
            found = "the second frame was not found to be of the same place"
        proposals.append(Proposal("worms", "size unknown", found, "unknown"))
        return proposals
    said = f"{worm:.0f} px long, {look.width_px:.1f} px wide"
    if size is not None:
        length = worm * size
        low, high = PLAUSIBLE
        fits = low * USUAL_UM <= length <= high * USUAL_UM
        said += f": {length:.0f} um long, {worm * size / PIXEL_SIZE_UM:.0f} px to the detector"
        sure = LIKELY if fits else "CHECK: adults are 1000 to 1500 um long"
    else:
        sure = LIKELY
    found = f"{len(look.worms)} objects that moved between two frames, {look.still} did not"
    proposals.append(Proposal("worms", said, found, sure))
    return proposals


def _pixel_size(
    scale: Scale,
    settings: HealthspanSettings,
    stated: float | None,
    diameter: float | None,
    worm: float | None,
) -> tuple[float | None, str, str]:
    if scale.pixel_size_um:
        return scale.pixel_size_um, "--pixel-size-um", SURE
    if diameter and scale.dish_inner_mm:
        said = f"{scale.dish_inner_mm:g} mm across {diameter:.0f} px (--dish-inner-mm)"
        return pixel_size_um(scale.dish_inner_mm, diameter), said, SURE
    if diameter and scale.dish_mm:
        inner = inner_mm(scale.dish_mm)
        said = f"a dish of {scale.dish_mm:g} mm is {inner:g} mm wide inside, {diameter:.0f} px here"
        return pixel_size_um(inner, diameter), f"{said}; to 3 %", LIKELY
    configured = settings.plates.pixel_size_um
    if "pixel_size_um" in settings.plates.model_fields_set:
        return configured, "the configuration", SURE
    if stated:
        return stated, "the image files", LIKELY
    if diameter and worm:
        name, length = likely_dish(diameter, worm, USUAL_UM)
        size = pixel_size_um(inner_mm(name), diameter)
        said = f"worms would be {length:.0f} um long in a dish of {name} mm"
        return size, f"{said}: give --dish-mm ({', '.join(map(str, ASKED_MM))})", UNSURE
    if worm:
        said = f"worms of {USUAL_UM:g} um: give --pixel-size-um, or --dish-mm with a whole dish"
        return USUAL_UM / worm, said, UNSURE
    if diameter:
        return None, "give --dish-mm (30, 35, 55, 60, 90)", "unknown"
    return None, "give --pixel-size-um", "unknown"
