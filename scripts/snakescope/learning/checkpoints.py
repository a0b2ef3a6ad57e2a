"""Files from which an interrupted training is resumed, each tied to the training that wrote it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

Identity = dict[str, Any]
"""What a training depends on: settings, seed, version, checksums of data; as JSON holds it."""


def path_of(checkpoint: str | Path, identity: Identity) -> Path:
    """A path for this training only: one of another identity neither finds nor overwrites it.

    ``training/affinities.ckpt`` becomes ``training/affinities-<8 hexadecimal digits>.ckpt``.
    """
    checkpoint = Path(checkpoint)
    text = json.dumps(identity, sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return checkpoint.with_name(f"{checkpoint.stem}-{digest}{checkpoint.suffix}")


def save_checkpoint(path: str | Path, content: dict[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        content: ``identity`` and tensors, numbers, strings, lists and dicts of these.
    """
    with atomic_write(path) as partial:
        torch.save(content, partial)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """What a checkpoint holds, its ``identity`` among it; tensors are on the CPU.

    Raises:
        StepError: the file is no checkpoint.
    """
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        content["identity"].keys()
        content["rates"].tolist()
    except Exception as error:
        raise StepError(
            f"{path}: expected a training checkpoint, found something else"
            f" ({type(error).__name__}); remove it to train from the start"
        ) from None
    return content


def check_identity(path: str | Path, found: Identity, wanted: Identity) -> None:
    """Refuse the checkpoint ``path`` where its identity is not that of the training.

    Raises:
        StepError: it is one of other settings.
    """
    if found != wanted:
        keys = sorted(set(found) | set(wanted))
        other = [key for key in keys if found.get(key) != wanted.get(key)]
        raise StepError(
            f"{path}: expected a checkpoint of the same training, found one with another"
            f" {', '.join(other)}; remove it to train from the start"
        )
