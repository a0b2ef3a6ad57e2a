"""The provenance of a plate: from what weights and frames it is, and with what software.

The software is that of the job which made the plate's tables; blocks that were made in an earlier
run, and that nothing changed for since, may be from an older one.
Of the settings there are digests: of configuration.yaml beside the plates as it was in that run,
and of the plate's own file of settings.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snakescope.healthspan.plates.manifest import read_manifest_files
from snakescope.step.output import write_json
from snakescope.tree.provenance import configuration, sha256_of_file, software, summed

EXPLANATION = (
    "configuration: SHA-256 of configuration.yaml of the run and of the plate's own settings. "
    "weights: SHA-256 of their contents. manifests: of every block, sha256 of the frame manifest; "
    "of the raw files in it their number, their size in bytes, and as frames_sha256 the SHA-256 of "
    "the lines 'path, size in bytes, modification time in ns' of each, since their contents are "
    "not read for this."
)


def provenance(
    plate: str,
    weights: Sequence[str | Path],
    manifests: Sequence[str | Path],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Describe what a plate's results were made with; without time, host and user.

    Raises:
        StepError: weights or a manifest are absent.
    """
    return {
        "plate": plate,
        "explanation": EXPLANATION,
        **software(),
        "configuration": dict(settings),
        "weights": {str(path): sha256_of_file(path) for path in weights},
        "manifests": {
            str(path): {
                "sha256": sha256_of_file(path),
                **summed("frames", read_manifest_files(path)),
            }
            for path in manifests
        },
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--plate", required=True, help="name of the plate")
    parser.add_argument("--manifests", nargs="+", required=True, help="manifest/{block}.tsv")
    parser.add_argument("--weights", nargs="*", default=[], help="weights of the models")
    parser.add_argument("--configuration", required=True, help="configuration.yaml of the run")
    parser.add_argument("--own-settings", default="", help="the plate's file of settings, if any")
    parser.add_argument("--provenance", required=True, help="JSON to write")


def main(options: argparse.Namespace) -> None:
    """Write the provenance manifest."""
    settings = configuration(options.configuration, options.own_settings)
    found = provenance(options.plate, options.weights, options.manifests, settings)
    write_json(options.provenance, found)
