"""Model weights as safetensors, with what is needed to rebuild the model in the header."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from snakescope.step.checksum import RESTORE, check_sha256, sha256_of
from snakescope.step.errors import StepError
from snakescope.step.output import atomic_write

Model = TypeVar("Model", bound=torch.nn.Module)

# One header entry only: safetensors does not fix the order of several, and the
# checksum of a repeated training has to be the same.
HEADER_ENTRY = "card"


def save_weights(path: str | Path, model: torch.nn.Module, card: Mapping[str, Any]) -> str:
    """Write the model's parameters and buffers, and ``card`` into the file's header.

    Args:
        card: what rebuilds the model (architecture, hyper-parameters, pixel size), as
            values that JSON can hold.

    Returns:
        SHA-256 of the file written. Equal parameters and card give equal files.
    """
    tensors = {
        name: tensor.detach().to("cpu").contiguous() for name, tensor in model.state_dict().items()
    }
    with atomic_write(path) as partial:
        save_file(tensors, partial, metadata={HEADER_ENTRY: json.dumps(card, sort_keys=True)})
    return sha256_of(path)


def load_weights(
    path: str | Path, sha256: str | None = None
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read a file of :func:`save_weights`, on the CPU.

    Args:
        sha256: the checksum that the file must have; None accepts any.

    Returns:
        The state dict and the card.

    Raises:
        StepError: the file is absent, has another checksum, or is no such file.
    """
    if sha256 is None:
        sha256_of(path, "model weights", RESTORE)
    else:
        check_sha256(path, sha256)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, json.loads(header[HEADER_ENTRY])
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise StepError(
            f"{path}: expected safetensors weights with a model card in their header, found"
            f" something else ({type(error).__name__}); restore the file"
        ) from None


def with_tensors(
    model: Model, tensors: Mapping[str, torch.Tensor], path: str | Path, what: str
) -> Model:
    """Give a model the tensors of a file, and return it in evaluation mode.

    Args:
        path: of the file; what: of what model its card tells.

    Raises:
        StepError: they are those of another model.
    """
    try:
        model.load_state_dict(tensors)
    except RuntimeError:
        raise StepError(
            f"{path}: expected the tensors of {what} as its card describes it, found others;"
            " restore the file"
        ) from None
    return model.eval()
