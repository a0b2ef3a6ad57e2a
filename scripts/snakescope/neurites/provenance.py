"""The provenance of a volume: from what files and weights it is, and with what software.

The software is that of the job which wrote the segmentation; blocks that were made in an earlier
run, and that nothing changed for since, may be from an older one. The settings are those of a whole
run, not of a volume: see configuration.yaml beside the volumes.
"""

import argparse
from pathlib import Path
from typing import Any

from snakescope.neurites.volumes.scan import read_manifest
from snakescope.step.output import write_json
from snakescope.tree.provenance import sha256_of_file, software, summed

EXPLANATION = (
    "weights: SHA-256 of their contents. sources: of the image and of the labels the path in the "
    "sheet, the shape and type as found; of their files the number, the size in bytes, and as "
    "files_sha256 the SHA-256 of the lines 'path, size in bytes, modification time in ns' of each, "
    "since their contents are not read for this."
)


def provenance(volume: str, weights: str | Path, manifest: str | Path) -> dict[str, Any]:
    """Describe what a volume's results were made with; without time, host and user.

    Args:
        volume: its name in the sheet.
        manifest: volume.json, what was found of its files.

    Raises:
        StepError: the weights are absent.
    """
    sources = {}
    for kind, source in read_manifest(Path(manifest).parent).items():
        sources[kind] = {
            "path": source.path,
            "dataset": source.dataset,
            "shape_zyx": list(source.shape),
            "dtype": source.dtype,
            **summed("files", source.files),
        }
    return {
        "volume": volume,
        "explanation": EXPLANATION,
        **software(),
        "weights": {str(weights): sha256_of_file(weights)},
        "sources": sources,
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--volume", required=True, help="name of the volume")
    parser.add_argument("--manifest", type=Path, required=True, help="volume.json of the volume")
    parser.add_argument("--weights", type=Path, required=True, help="weights of the network")
    parser.add_argument("--provenance", type=Path, required=True, help="JSON to write")


def main(given: argparse.Namespace) -> None:
    """Write the provenance of a volume."""
    found = provenance(given.volume, given.weights, given.manifest)
    write_json(given.provenance, found)
