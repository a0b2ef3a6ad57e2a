"""`snakescope trial PLATE` for plates of worms: the trial, its page, the acceptance."""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snakescope.healthspan.inspection.proposals import settings_text
from snakescope.healthspan.inspection.written import (
    MARK,
    file_to_accept,
    set_keys,
    set_settings_of_row,
)
from snakescope.healthspan.own_settings import OWN, settings_of_plate
from snakescope.healthspan.plates.raw_folder import Refused, list_images
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.settings.sheet import read_rows
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write
from snakescope.tree.notes import some


def trial_of(
    row: Plate,
    settings: HealthspanSettings,
    options: argparse.Namespace,
    weights: tuple[str, str | None],
) -> list[str]:
    """Run the trial of a plate, or take what its last trial proposed; return lines to print.

    Args:
        row: of the sheet; settings: of the run; weights: of the detector, and their checksum.

    Raises:
        StepError: the plate cannot be used, or there is nothing to accept.
    """
    folder = Path("results/healthspan", row.name, "trial")
    others = {one.name: one.settings for one in read_rows(settings.sheet, Plate)}
    others.pop(row.name, None)
    file, sharing = file_to_accept(row, others)
    state = folder / "proposals.json"
    own = settings_of_plate(settings, row.settings)
    tried = _tried(row, own, weights)
    if options.accept and state.exists():
        proposed = json.loads(state.read_text(encoding="utf-8"))
        if proposed.get("tried") != tried:
            raise StepError(
                f"{row.name}: expected the images and settings of its last trial, found others"
                f" since; run snakescope trial {row.name} again and look at its page"
            )
        return _accept(row, settings, proposed, file, sharing)
    scanned = PlateScanner(own.plates).scan(row)
    # Imported here, since torch takes seconds that an acceptance does not need.
    from snakescope.healthspan.trial.plate_trial import proposals_text, run_trial
    from snakescope.healthspan.trial.trial_page import write_page

    size = own.plates.pixel_size_um if row.pixel_size_um is None else row.pixel_size_um
    trial = run_trial(row.name, scanned, size, own, weights)
    text = settings_text("healthspan", trial.keys, _notes(trial.advice), f"Proposed for {row.name}")
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "trial.html"
    write_page(page, trial, own, text, file)
    with atomic_write(state) as partial:
        partial.write_text(proposals_text(trial, tried), encoding="utf-8")
    lines = [
        f"{row.name}: timepoints {', '.join(map(str, trial.frames))}; took {trial.seconds:.0f} s"
    ]
    for one in trial.advice:
        lines += ["", f"WARNING {one.title}", f"  {one.text}"]
        lines += [f"  {key.replace('.', ': ')}: {value}" for key, value in one.keys.items()]
    if not trial.advice:
        lines.append("No warning: the settings fit these frames.")
    lines += ["", f"Open {page}"]
    if options.accept:
        proposed = json.loads(proposals_text(trial, tried))
        return lines + _accept(row, settings, proposed, file, sharing)
    if trial.keys:
        lines.append(f"To take these settings into {file}: snakescope trial {row.name} --accept")
    return lines


def _tried(row: Plate, own: HealthspanSettings, weights: tuple[str, str | None]) -> str:
    """Return a digest of what a trial's proposals are of: row, settings and raw images.

    Raises:
        StepError: the folder of the images cannot be read.
    """
    try:
        images = [(one.relative_path, one.size, one.modified) for one in list_images(row.folder)]
    except Refused as refused:
        raise StepError(f"{row.name}: {refused}") from None
    stated = own.model_dump(mode="json", include=set(OWN))
    of_row = row.folder, row.pattern, row.well, row.pixel_size_um, row.settings
    text = json.dumps([of_row, stated, images, weights], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _notes(advice: Any) -> dict[str, str]:
    return {key: one.title for one in advice for key in one.keys}


def _accept(
    row: Plate,
    settings: HealthspanSettings,
    proposed: Mapping[str, Any],
    file: str,
    sharing: Sequence[str],
) -> list[str]:
    """Write what was proposed into the plate's file of settings, and the file into its row.

    Args:
        sharing: plates that share the file in the row, which then stays as it is.
    """
    keys = proposed["keys"]
    if not keys:
        return [f"{row.name}: its trial proposed no setting; nothing was written"]
    notes = {key: one["title"] for one in proposed["advice"] for key in one["keys"]}
    lines, head = [], f"Settings of {row.name}, {MARK} trial"
    start = None
    if sharing:
        # A plate's trial tells nothing of the others: it gets a file of its own.
        start = Path(row.settings)
        lines.append(f"{row.settings} is that of {some(sharing)} too and stays as it is")
    lines += set_keys(
        Path(file), "healthspan", keys, notes, head, start,
        check=lambda path: settings_of_plate(settings, path),
    )  # fmt: skip
    if file != row.settings:
        lines += set_settings_of_row(Path(settings.sheet), row.name, file)
    shown = [f"  {key.replace('.', ': ')}: {value}" for key, value in keys.items()]
    return [*lines, *shown, "Next: snakemake --cores all"]
