"""Model weights that the configuration names."""

import json
import os
from pathlib import Path


def weights_file(named: str, repository: str | Path) -> str:
    """Return the path of weights that the configuration names.

    The user's own file, seen from the working directory, comes before the repository's.
    """
    if Path(named).is_absolute() or Path(named).exists():
        return named
    return os.path.relpath(Path(repository, named))


def weights_checksum(weights: str | Path) -> str:
    """Return the SHA-256 that the card beside ``weights`` states.

    It stands in for the file among what a step depends on. Without a card it is ``unknown``,
    and the step that wants the weights says what is missing.
    """
    try:
        card = json.loads(Path(weights).with_suffix(".json").read_text(encoding="utf-8"))
        return str(card["sha256"])
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return "unknown"
