"""The page of a plate that failed: why, its frames, and its registration as far as it came."""

from collections.abc import Collection, Mapping
from pathlib import Path

import cv2
import numpy as np

from snakescope.healthspan.plates.manifest import block_range, read_manifest_files
from snakescope.imaging.frames import read_frame
from snakescope.imaging.overlays import stretched
from snakescope.imaging.style import FAINT_INK, INK, RULE
from snakescope.report.pages import html, jpeg_url, write_text
from snakescope.step.errors import StepError
from snakescope.step.rows import table_rows

PAGE = "problem.html"
SHOWN_PX = 640
MOST_PAGES = 20
"""Plates of a run that get a page; where more fail, it is for one reason."""
COLUMNS = ("timepoint", "time_h", "status", "reason", "shift_y_px", "shift_x_px", "score", "method")


def write_problem_pages(
    results: str, reasons: Mapping[str, str], sheet: Collection[str]
) -> list[str]:
    """Write the page of every plate that failed; return a line that names them.

    Pages of earlier runs are removed where a plate has not failed again.

    Args:
        results: folder of the tree's results; reasons: why each plate failed; sheet: plates that
            may have a page.
    """
    made = []
    for plate in sheet:
        if plate not in reasons:
            Path(results, plate, PAGE).unlink(missing_ok=True)
    own = [(plate, reason) for plate, reason in reasons.items() if plate in sheet]
    for plate, reason in own[:MOST_PAGES]:
        folder = Path(results, plate)
        text = html(
            "problem.html",
            plate=plate,
            reason=reason,
            ink=INK,
            faint_ink=FAINT_INK,
            rule=RULE,
            frames=_frames(folder / "manifest"),
            header=COLUMNS,
            rows=_rows(folder / "registered"),
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / PAGE, text)
        made.append(str(folder / PAGE))
    return ["\n  ".join(["Pages of plates that failed:", *made])] if made else []


def _frames(manifest: Path) -> list[tuple[str, str]]:
    """Return first, middle and last raw frame of a plate as caption and picture."""
    files: list[str] = []
    try:
        blocks = sorted(manifest.glob("t*-t*.tsv"), key=lambda one: block_range(one.stem).start)
        for path in blocks:
            files += read_manifest_files(path)
    except StepError:
        return []
    places = sorted({0, (len(files) - 1) // 2, len(files) - 1}) if files else []
    found = []
    for file in (files[place] for place in places):
        try:
            frame = read_frame(file)
        except (StepError, OSError) as error:
            found.append((str(error), ""))
            continue
        scale = SHOWN_PX / max(frame.shape)
        size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
        grey = cv2.resize(stretched(frame), size, interpolation=cv2.INTER_AREA)
        found.append((Path(path).name, jpeg_url(np.repeat(grey[:, :, None], 3, axis=2))))
    return found


def _rows(registered: Path) -> list[list[str]]:
    """Return the registration of every timepoint that was looked at."""
    found = []
    for path in sorted(registered.glob("t*.tsv")):
        found += [[row.get(name) or "" for name in COLUMNS] for row in table_rows(path)]
    return found
