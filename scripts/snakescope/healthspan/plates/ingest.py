"""Ingest: the raw folders of the sample sheet become frame manifests.

The main process of Snakemake calls :func:`scan_plates` while it reads the Snakefile.
As a command the step shows what it makes of one folder, so that a naming pattern can
be tried out.
"""

import argparse
import json
import os
from pathlib import Path

import yaml

from snakescope.healthspan.plates.manifest import (
    Frame,
    PlateFrames,
    PlateProblem,
    block_name,
    block_range,
    blocks,
    read_manifest,
    read_problem,
    write_manifests,
    write_problem,
)
from snakescope.healthspan.plates.scan import scan_plate, scan_plates
from snakescope.healthspan.plates.settings import IngestSettings
from snakescope.healthspan.plates.sheet import Plate
from snakescope.settings.files import check_config_file
from snakescope.settings.load import load_sections
from snakescope.step.errors import StepError

__all__ = [
    "Frame",
    "PlateFrames",
    "PlateProblem",
    "block_name",
    "block_range",
    "blocks",
    "read_manifest",
    "read_problem",
    "scan_plate",
    "scan_plates",
    "write_manifests",
    "write_problem",
]


def describe(frames: PlateFrames) -> str:
    """Return a table of timepoints and channels, and what is missing why, for a person."""
    rows = [("timepoint", "time_h", *frames.channels)]
    # Names alone are the same in the folders of two channels, or of all times of an archive.
    folders = {Path(one.path).parent for one in frames.frames if one.status == "present"}
    root = os.path.commonpath(folders) if folders else ""
    missing = set()
    for timepoint in range(frames.timepoint_count):
        first = timepoint * len(frames.channels)
        row = frames.frames[first : first + len(frames.channels)]
        cells = [
            os.path.relpath(one.path, root) if one.status == "present" else one.reason
            for one in row
        ]
        rows.append((f"t{timepoint:03d}", f"{row[0].time_h:g}", *cells))
        if any(one.status == "missing" for one in row):
            missing.add(timepoint)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines += frames.notes
    lines.append(
        f"{frames.plate}: {frames.timepoint_count} timepoints, {len(missing)} with something "
        f"missing, channels {' and '.join(frames.channels)}"
    )
    return "\n".join(lines)


def read_settings(config: Path | None, settings: str | None) -> IngestSettings:
    """Return the settings in a configuration file or in a JSON text, else the defaults.

    Raises:
        StepError: no such file, no YAML or JSON, or settings that are refused.
    """
    source = str(config) if config else "--settings"
    try:
        if config:
            check_config_file(config)
            whole = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
            found = (whole.get("healthspan") or {}).get("ingest")
        else:
            found = json.loads(settings or "{}")
    except (yaml.YAMLError, json.JSONDecodeError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise StepError(f"{source}: expected a configuration, found {reason}") from None
    loaded = load_sections({"ingest": found}, {"ingest": IngestSettings}, source)["ingest"]
    assert isinstance(loaded, IngestSettings)
    return loaded


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--folder", required=True, help="folder of raw images to look at")
    parser.add_argument("--plate", default="plate", help="name of the plate, for {plate}")
    parser.add_argument("--well", default="", help="well or well_image that is the plate")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--settings", help="settings of the step, as JSON")
    how.add_argument("--config", type=Path, help="configuration file to take them from")


def main(options: argparse.Namespace) -> None:
    """Show what a folder holds."""
    # Not of a sheet: only the folder is looked at, so no column is checked.
    plate = Plate.model_construct(
        name=options.plate, experiment="", condition="", folder=options.folder, well=options.well
    )
    scanned = scan_plate(plate, read_settings(options.config, options.settings))
    if isinstance(scanned, PlateProblem):
        raise StepError(scanned.reason)
    print(describe(scanned))
