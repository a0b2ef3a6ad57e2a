"""Runs of the workflow in working directories of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import ROOT
from snakescope.step.errors import StepError
from snakescope.step.output import write_if_changed
from snakescope.step.tables import write_table

SHEET_COLUMNS = ("plate", "experiment", "condition", "folder", "age_at_first_frame_d", "worms")


def configure(folder: Path, section: Mapping[str, Any], sheet: Sequence[tuple[Any, ...]]) -> None:
    """Write the configuration and the sheet of a working directory.

    Args:
        folder: the working directory.
        section: the section ``healthspan`` of the configuration.
        sheet: plates, each with ``SHEET_COLUMNS``; folders are seen from the working directory.
    """
    (folder / "config").mkdir(parents=True, exist_ok=True)
    write_table(folder / "config/plates.tsv", pd.DataFrame(sheet, columns=list(SHEET_COLUMNS)))
    # JSON is YAML as well.
    configuration = json.dumps({"healthspan": section}, indent=2) + "\n"
    write_if_changed(folder / "config/config.yaml", configuration)


def workflow(
    folder: Path,
    targets: Sequence[str] = (),
    options: Sequence[str] = ("--cores", "1"),
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the workflow in a working directory, for ``targets`` or all that its sheet asks for.

    Raises:
        StepError: it did not end well; its own messages are on stderr.
    """
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    words += ["--directory", str(folder), "--quiet", "rules", "--rerun-incomplete"]
    ended = subprocess.run(
        [*words, *options, "--", *targets],
        env={**os.environ, **(environment or {})},
        stdout=sys.stderr,
        check=False,
    )
    if ended.returncode:
        raise StepError(
            f"{folder}: expected the workflow to finish, found that it failed; see {folder}/logs"
        )
