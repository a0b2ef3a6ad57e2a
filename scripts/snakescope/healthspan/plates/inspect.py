"""What a folder of raw images looks like to the tree, and the rows of the sheet to write for it."""

import re
from itertools import pairwise
from pathlib import Path
from statistics import median

from snakescope.healthspan.plates.manifest import PlateFrames, PlateProblem
from snakescope.healthspan.plates.naming import INCUCYTE, compile_pattern, read_name
from snakescope.healthspan.plates.raw_folder import Refused, list_images
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.sheet import LEGAL_NAME
from snakescope.step.errors import StepError


def inspect_folder(folder: str, settings: IngestSettings) -> list[str]:
    """Return what is found in a folder, a line each; nothing where there is no image.

    Naming, and of every well and position: timepoints, channels, what is missing, size and type of
    the first frame, and a row of the sample sheet, without its age and number of worms.

    Raises:
        StepError: no such folder, or one that cannot be read.
    """
    try:
        files = list_images(folder)
    except Refused as refused:
        raise StepError(f"{folder}: {refused}") from None
    if not files:
        return []
    patterns = [compile_pattern(settings.pattern, "")] if settings.pattern else INCUCYTE
    named = {file.relative_path: read_name(file.relative_path, patterns) for file in files}
    found = {path: parts for path, parts in named.items() if parts is not None}
    positions = sorted({parts.position for parts in found.values()})
    naming = f"the pattern {settings.pattern}" if settings.pattern else "an IncuCyte"
    example = next(iter(found or named))
    lines = [f"{len(found)} of {len(files)} images named as by {naming}, such as {example}"]
    scanner, rows = PlateScanner(settings), []
    for position in positions or [""]:
        well = position if len(positions) > 1 else ""
        name = _legal(f"{Path(folder).resolve().name}{f'_{well}' if well else ''}")
        given = {"plate": name, "experiment": "experiment", "condition": "condition"}
        plate = Plate.model_validate({**given, "folder": folder, "well": well})
        scanned = scanner.scan(plate)
        if isinstance(scanned, PlateProblem):
            lines.append(f"{position or name}: {scanned.reason}")
            continue
        lines += [f"{position or name}: {described(scanned)}", *scanned.notes]
        row = [name, plate.experiment, plate.condition, folder, *([well] if well else [])]
        rows.append("\t".join(row))
    if rows:
        head = ["plate", "experiment", "condition", "folder", *(["well"] if positions[1:] else [])]
        lines += ["rows of the sample sheet:", "\t".join(head), *rows]
    return lines


def described(frames: PlateFrames) -> str:
    """Return timepoints, channels, gaps and the first frame of a plate in one line."""
    from snakescope.imaging.frames import UnreadableFrame, read_frame

    times_h = list(dict.fromkeys(frame.time_h for frame in frames.frames))
    steps = [after - before for before, after in pairwise(times_h)]
    every = f", every {median(steps):g} h" if steps else ""
    missing = sum(frame.status == "missing" for frame in frames.frames)
    path = next(frame.path for frame in frames.frames if frame.status == "present")
    try:
        image = read_frame(path)
        first = f"{image.shape[1]} x {image.shape[0]} px, {image.dtype}"
    except UnreadableFrame as error:
        first = str(error)
    return (
        f"{frames.timepoint_count} timepoints over {times_h[-1]:g} h{every}; channels"
        f" {' and '.join(frames.channels)}; {missing} images missing; first frame {first}"
    )


def _legal(name: str) -> str:
    """A name as the sheet takes it."""
    legal = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).lstrip(".-_") or "plate"
    return legal if re.fullmatch(LEGAL_NAME.pattern, legal) else "plate"
