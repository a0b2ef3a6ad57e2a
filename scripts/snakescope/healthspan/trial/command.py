"""`snakescope trial PLATE` for plates of worms: the trial, its page, the acceptance."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snakescope.healthspan.own_settings import settings_of_plate
from snakescope.healthspan.plates.manifest import PlateProblem
from snakescope.healthspan.plates.scan import PlateScanner
from snakescope.healthspan.plates.sheet import Plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.trial.proposals import settings_text
from snakescope.healthspan.trial.written import MARK, set_keys, set_settings_of_row
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write


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
    file = row.settings or f"config/{row.name}.yaml"
    state = folder / "proposals.json"
    if options.accept and state.exists():
        return _accept(row, settings, json.loads(state.read_text(encoding="utf-8")), file)
    own = settings_of_plate(settings, row.settings)
    scanned = PlateScanner(own.plates).scan(row)
    if isinstance(scanned, PlateProblem):
        raise StepError(scanned.reason)
    # Imported here, since torch takes seconds that an acceptance does not need.
    from snakescope.healthspan.trial.plate_trial import proposals_text, run_trial
    from snakescope.healthspan.trial.trial_page import write_page

    size = own.plates.pixel_size_um if row.pixel_size_um is None else row.pixel_size_um
    trial = run_trial(row.name, scanned, size, own, weights)
    text = settings_text("healthspan", trial.keys, _notes(trial.advice), f"Proposed for {row.name}")
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "trial.html"
    tile_px = own.detection.tile.size_px
    write_page(page, trial, own.registration, tile_px, text, file)
    with atomic_write(state) as partial:
        partial.write_text(proposals_text(trial), encoding="utf-8")
    lines = [f"{row.name}: timepoints {', '.join(map(str, trial.frames))}, {trial.seconds:.0f} s"]
    for one in trial.advice:
        lines += ["", f"WARNING {one.title}", f"  {one.text}"]
        lines += [f"  {key.replace('.', ': ')}: {value}" for key, value in one.keys.items()]
    if not trial.advice:
        lines.append("No warning: the settings fit these frames.")
    lines += ["", f"Open {page}"]
    if options.accept:
        return lines + _accept(row, settings, json.loads(proposals_text(trial)), file)
    if trial.keys:
        lines.append(f"To take these settings into {file}: snakescope trial {row.name} --accept")
    return lines


def _notes(advice: Any) -> dict[str, str]:
    return {key: one.title for one in advice for key in one.keys}


def _accept(
    row: Plate, settings: HealthspanSettings, proposed: Mapping[str, Any], file: str
) -> list[str]:
    """Write what was proposed into the plate's file of settings, and the file into its row."""
    keys = proposed["keys"]
    if not keys:
        return [f"{row.name}: its trial proposed no setting; nothing was written"]
    notes = {key: one["title"] for one in proposed["advice"] for key in one["keys"]}
    lines = [
        set_keys(Path(file), "healthspan", keys, notes, f"Settings of {row.name}, {MARK} trial")
    ]
    if not row.settings:
        lines += set_settings_of_row(Path(settings.sheet), row.name, file)
    settings_of_plate(settings, file)
    shown = [f"  {key.replace('.', ': ')}: {value}" for key, value in keys.items()]
    return [*lines, *shown, "Next: snakemake healthspan --cores all"]
