"""The provenance of a plate: with what software, settings, weights and frames it was made."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configuration.provenance import as_yaml, sha256_of_file, software, stated
from healthspan.manifest import read_manifest_files
from healthspan.settings import HealthspanSettings
from step.command import run_step
from step.output import whole_file

VERSION = 1
EXPLANATION = (
    "weights: SHA-256 of their contents. manifests: of every block, sha256 of the frame manifest; "
    "of the raw files in it their number, their size in bytes, and as frames_sha256 the SHA-256 of "
    "the lines 'path, size in bytes, modification time in ns' of each, since their contents are "
    "not read for this."
)


def provenance(
    plate: str,
    settings: HealthspanSettings,
    weights: Sequence[str | Path],
    manifests: Sequence[str | Path],
) -> dict[str, Any]:
    """Describe what a plate's results were made with; it tells no time, host or user.

    Raises:
        StepError: weights or a manifest are absent.
    """
    return {
        "plate": plate,
        "explanation": EXPLANATION,
        **software(),
        "weights": {str(path): sha256_of_file(path) for path in weights},
        "manifests": {str(path): _inputs(path) for path in manifests},
        "settings": settings.model_dump(mode="json"),
    }


def _inputs(manifest: str | Path) -> dict[str, Any]:
    files = read_manifest_files(manifest)
    size, checksum = stated(files)
    return {
        "sha256": sha256_of_file(manifest),
        "frames": len(files),
        "frames_bytes": size,
        "frames_sha256": checksum,
    }


def main() -> None:
    """Write the provenance manifest, and the resolved settings where asked."""
    parser = argparse.ArgumentParser(prog="python -m healthspan.provenance", description=__doc__)
    parser.add_argument("--plate", required=True, help="name of the plate")
    parser.add_argument("--settings", required=True, help="settings of the tree, as JSON")
    parser.add_argument("--manifests", nargs="+", required=True, help="manifest/{block}.tsv")
    parser.add_argument("--weights", nargs="*", default=[], help="weights of the models")
    parser.add_argument("--provenance", required=True, help="JSON to write")
    parser.add_argument("--configuration", help="YAML to write, with the settings alone")
    options = parser.parse_args()
    settings = HealthspanSettings.model_validate_json(options.settings)
    found = provenance(options.plate, settings, options.weights, options.manifests)
    texts = {options.provenance: json.dumps(found, indent=2) + "\n"}
    if options.configuration:
        texts[options.configuration] = as_yaml(settings)
    for path, text in texts.items():
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
