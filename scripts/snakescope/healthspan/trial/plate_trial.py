"""A trial of a plate on three frames: what its settings do, and which would help.

First, middle and last frame are registered, searched for worms and judged as a run would. Other
settings are tried on the same frames. One page shows it; the settings that are proposed are kept
beside it until a person takes them.
"""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from snakescope.healthspan.detection.border import Border, border_of_plate
from snakescope.healthspan.detection.detect import MARK_SHARE, load_detector
from snakescope.healthspan.detection.sorting import Surroundings
from snakescope.healthspan.detection.tile import plate_picture
from snakescope.healthspan.detection.views import Disc
from snakescope.healthspan.plates.manifest import PlateFrames
from snakescope.healthspan.plates.timepoints import Timepoint
from snakescope.healthspan.registration.motion import to_reference
from snakescope.healthspan.registration.reference import Description, describe
from snakescope.healthspan.registration.register import Reference, prepare
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.trial.advice import (
    TRIED_SCORES,
    Advice,
    on_alignment,
    on_objects,
    on_size,
    on_unsure,
)
from snakescope.healthspan.trial.alignments import Alignment, align, current_kind, needed_kind
from snakescope.healthspan.trial.objects import Found, Searched, judged, search, wall_um
from snakescope.imaging.frames import Frame, UnreadableFrame
from snakescope.step.errors import StepError

THREADS = 2


@dataclass
class Trial:
    """What a trial found.

    Attributes:
        plate: its name; timepoints: first, middle and last that could be read.
        reference, description: the first frame.
        frames: raw frames of the registration channel by timepoint.
        alignments: of the other frames; lost: why a frame could not be used, by timepoint.
        searched: overlays and objects by timepoint, registered with the proposed motion.
        found: objects as the settings keep them, ``after`` as with what is proposed.
        border: where the masks of the plate end.
        wall: how far the wall reaches inwards (um).
        advice: warnings with the settings that help; seconds: what it took.
    """

    plate: str
    reference: Reference
    pixel_size_um: float
    model_px_um: float
    frames: dict[int, NDArray[Any]] = field(default_factory=dict)
    times_h: dict[int, float] = field(default_factory=dict)
    alignments: dict[int, Alignment] = field(default_factory=dict)
    lost: dict[int, str] = field(default_factory=dict)
    searched: dict[int, Searched] = field(default_factory=dict)
    found: dict[int, list[Found]] = field(default_factory=dict)
    after: dict[int, list[Found]] = field(default_factory=dict)
    border: Border = field(default_factory=Border)
    wall: float | None = None
    kind: str = "rigid"
    advice: list[Advice] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def description(self) -> Description:
        """The reference frame's mark and dish."""
        return self.reference.description

    @property
    def keys(self) -> dict[str, Any]:
        """All settings that are proposed, by dotted key."""
        return {key: value for one in self.advice for key, value in one.keys.items()}


def timepoints_of(frames: PlateFrames) -> list[Timepoint]:
    """Return the timepoints of a scan with all their channels."""
    found: dict[int, Timepoint] = {}
    for one in frames.frames:
        before = found.get(one.timepoint)
        paths = dict(before.paths) if before else {}
        missing = before.missing if before else ""
        if one.status == "present":
            paths[one.channel] = Path(one.path)
        else:
            missing = "; ".join(filter(None, [missing, one.reason]))
        found[one.timepoint] = Timepoint(frames.plate, one.timepoint, one.time_h, paths, missing)
    return [one for one in found.values() if not one.missing]


def chosen(timepoints: Sequence[Timepoint]) -> list[Timepoint]:
    """Return first, middle and last timepoint, each once."""
    places = dict.fromkeys((0, (len(timepoints) - 1) // 2, len(timepoints) - 1))
    return [timepoints[place] for place in places]


def run_trial(
    plate: str,
    frames: PlateFrames,
    pixel_size_um: float,
    settings: HealthspanSettings,
    weights: tuple[str, str | None],
) -> Trial:
    """Try the settings of a plate on three of its frames.

    Args:
        frames: of its scan; pixel_size_um: of its raw images; weights: of the detector, checksum.

    Raises:
        StepError: no frame can be read, or the weights are others.
    """
    begun = time.monotonic()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    read: dict[int, dict[str, Frame]] = {}
    lost: dict[int, str] = {}
    times_h = {}
    for one in chosen(timepoints_of(frames)):
        try:
            read[one.timepoint] = one.read()
            times_h[one.timepoint] = one.time_h
        except UnreadableFrame as error:
            lost[one.timepoint] = str(error)
    if not read:
        said = "; ".join(lost.values()) or "no complete timepoint"
        raise StepError(f"{plate}: expected a readable frame among three, found none ({said})")
    first = next(iter(read))
    description = describe(first, read[first], settings.registration)
    reference = prepare(dict(read[first]), description, settings.registration)
    model, model_px_um = load_detector(*weights, settings.detection.detect)
    trial = Trial(plate, reference, pixel_size_um, model_px_um, lost=lost, times_h=times_h)
    trial.frames = {t: channels[description.channel] for t, channels in read.items()}
    with ThreadPoolExecutor(THREADS) as pool:
        others = [t for t in read if t != first]
        aligned = pool.map(
            lambda t: align(reference, trial.frames[t], settings.registration), others
        )
        for timepoint, alignment in zip(others, aligned, strict=True):
            if alignment is None:
                trial.lost[timepoint] = "nothing of the plate was found again"
            else:
                trial.alignments[timepoint] = alignment
    own = settings.registration
    trial.advice += on_alignment(trial.alignments, trial.lost, own)
    order = ("rigid", "similar", "tilted")
    needed = needed_kind(trial.alignments, own.tolerance_px)
    trial.kind = max(needed, current_kind(own), key=order.index)
    scale = pixel_size_um / model_px_um
    around = _surroundings(description, scale)
    tile_px = settings.detection.tile.size_px

    def one_frame(timepoint: int) -> Searched:
        channels: Mapping[str, Frame] = read[timepoint]
        if timepoint in trial.alignments:
            fits = trial.alignments[timepoint].fits
            fit = fits.get(trial.kind) or next(iter(fits.values()))
            channels = {name: to_reference(f, fit.motion) for name, f in channels.items()}
        picture = plate_picture(channels, scale, description)
        return search(model, picture, timepoint, tile_px, settings.detection.detect, around.dish)

    usable = [t for t in read if t == first or t in trial.alignments]
    with ThreadPoolExecutor(THREADS) as pool:
        trial.searched = {one.timepoint: one for one in pool.map(one_frame, usable)}
    trial.found = _judge(trial, settings, around)
    trial.border = border_of_plate(
        *(model, trial.searched[first].picture, tile_px, model_px_um),
        *(settings.detection.detect, around),
    )
    if around.dish is not None:
        pictures = [one.picture for one in trial.searched.values()]
        trial.wall = wall_um(pictures, around.dish, model_px_um)
    trial.advice += on_objects(trial.found, settings.detection.detect, trial.wall)
    # What the other proposals drop is not taken for worms of which the detector is unsure.
    stated = _with(settings, trial.keys)
    tried = {
        score: _judge(trial, _with(stated, {"detection.detect.score_threshold": score}), around)
        for score in TRIED_SCORES
        if score < settings.detection.detect.score_threshold
    }
    trial.advice += on_unsure(trial.found, tried, settings.detection.detect)
    trial.advice += on_size(trial.found, model_px_um, pixel_size_um)
    trial.after = _judge(trial, _with(settings, trial.keys), around)
    trial.seconds = time.monotonic() - begun
    return trial


def _judge(
    trial: Trial, settings: HealthspanSettings, around: Surroundings
) -> dict[int, list[Found]]:
    pictures = {t: one.picture for t, one in trial.searched.items()}
    return {
        t: judged(
            one,
            [picture for other, picture in pictures.items() if other != t],
            trial.model_px_um,
            settings.detection.detect,
            around,
        )
        for t, one in trial.searched.items()
    }


def _with(settings: HealthspanSettings, keys: Mapping[str, Any]) -> HealthspanSettings:
    """Return the settings with the detection that is proposed."""
    stated = {key.rpartition(".")[2]: value for key, value in keys.items() if ".detect." in key}
    detect = settings.detection.detect.model_copy(update=stated)
    detection = settings.detection.model_copy(update={"detect": detect})
    return settings.model_copy(update={"detection": detection})


def _surroundings(description: Description, scale: float) -> Surroundings:
    dish = mark = None
    if description.dish_seen:
        one = description.dish
        dish = Disc(one.y_px * scale, one.x_px * scale, one.radius_px * scale)
    if description.mark is not None:
        cross = description.mark
        mark = Disc(cross.y_px * scale, cross.x_px * scale, MARK_SHARE * cross.span_px * scale)
    return Surroundings(dish, mark)


def proposals_text(trial: Trial, tried: str) -> str:
    """Return what is proposed as JSON, for the acceptance later on.

    Args:
        tried: a digest of what the proposals are of.
    """
    advice = [asdict(one) for one in trial.advice]
    stated = {"tried": tried, "keys": trial.keys, "advice": advice, "seconds": trial.seconds}
    return json.dumps(stated, indent=1)


def sizes(found: Mapping[int, Sequence[Found]]) -> list[tuple[str, str, str]]:
    """Return length, width and contrast of kept objects: name, median and range."""
    kept = [one for objects in found.values() for one in objects if not one.reason]
    rows = []
    for name, values in (
        ("length (um)", [one.length_um for one in kept]),
        ("width (um)", [one.width_um for one in kept]),
        ("contrast (grey values)", [one.contrast for one in kept]),
        ("score (0-1)", [one.instance.score for one in kept]),
    ):
        if values:
            low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
            form = ".2f" if "score" in name else ".0f"
            rows.append((name, f"{middle:{form}}", f"{low:{form}} to {high:{form}}"))
    return rows
