"""Choosing where a model runs."""

from typing import Literal

import torch

from step.errors import StepError

Device = Literal["auto", "cpu", "cuda"]


def unusable_gpu(capability: tuple[int, int], built_for: list[str]) -> str | None:
    """Why torch has no code for a GPU, or None if it has.

    Code built for sm_XY runs on the later minor versions of the same major version;
    compute_XY (PTX) is translated for every later GPU.

    Args:
        capability: (major, minor) compute capability of the card.
        built_for: as ``torch.cuda.get_arch_list()`` gives it, for example ``["sm_75", "sm_80"]``.
    """
    major, minor = capability
    for name in built_for:
        kind, _, digits = name.partition("_")
        digits = digits.rstrip("abcdefghijklmnopqrstuvwxyz")
        if not digits.isdigit():
            continue
        built_major, built_minor = int(digits[:-1]), int(digits[-1])
        if kind == "sm" and built_major == major and built_minor <= minor:
            return None
        if kind == "compute" and (built_major, built_minor) <= (major, minor):
            return None
    return f"its compute capability {major}.{minor} is not among {', '.join(built_for) or 'none'}"


def choose_device(wanted: Device = "auto") -> torch.device:
    """The device for ``wanted``; ``auto`` falls back to the CPU where no GPU can be used.

    Raises:
        StepError: ``cuda`` is wanted and there is no GPU, or none that torch has code for.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        if wanted == "cuda":
            raise StepError(
                "device: expected a CUDA GPU, found none that torch can see; ask for a GPU in the"
                " profile or set device: auto"
            )
        return torch.device("cpu")
    reason = unusable_gpu(torch.cuda.get_device_capability(), torch.cuda.get_arch_list())
    if reason is None:
        return torch.device("cuda")
    if wanted == "cuda":
        raise StepError(
            f"device: expected a GPU that the installed torch {torch.__version__} has code for,"
            f" found {torch.cuda.get_device_name()}: {reason}; install a torch built for it or set"
            " device: cpu"
        )
    return torch.device("cpu")
