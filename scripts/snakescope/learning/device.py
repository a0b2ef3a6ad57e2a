"""Choosing where a model runs."""

import os
import platform
import sys
from collections.abc import Mapping
from typing import Literal

import torch

from snakescope.step.environment import CPU_ALLOWED
from snakescope.step.errors import StepError

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


def gpu_was_given(environment: Mapping[str, str]) -> bool:
    """Whether Slurm gave this job a GPU, by the variables that it sets in every job step."""
    named = (environment.get(name, "") for name in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS"))
    return any(named) or environment.get("SLURM_GPUS_ON_NODE", "0") not in ("", "0")


def choose_device(
    wanted: Device = "auto", environment: Mapping[str, str] = os.environ
) -> torch.device:
    """The device for ``wanted``; ``auto`` falls back to the CPU where no GPU can be used.

    In a job that Slurm gave a GPU, ``auto`` falls back only where the environment variable
    ``SNAKESCOPE_CPU_IN_PLACE_OF_GPU`` allows it: the GPU would stay reserved and idle.

    Raises:
        StepError: a GPU is wanted, or was given by Slurm, and there is none, or none that torch
            has code for.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    problem = gpu_problem()
    if problem is None:
        return torch.device("cuda")
    given = gpu_was_given(environment)
    if wanted == "cuda":
        raise StepError(f"device: {problem}; or set device: auto")
    if given and not environment.get(CPU_ALLOWED):
        raise StepError(
            f"node {platform.node()}, on which Slurm gave this job a GPU: {problem}; or set"
            " cluster: cpu_in_place_of_gpu: true"
        )
    if given:
        print(f"RUNS ON THE CPU, its GPU unused: {problem}", file=sys.stderr, flush=True)
    return torch.device("cpu")


def gpu_problem() -> str | None:
    """Why torch cannot compute on this machine's GPU and what to do, or None if it can."""
    if not torch.cuda.is_available():
        return (
            "expected a CUDA GPU, found none that torch can see; look at nvidia-smi there, ask for"
            " a GPU in the profile"
        )
    reason = unusable_gpu(torch.cuda.get_device_capability(), torch.cuda.get_arch_list())
    if reason is None:
        return None
    return (
        f"expected a GPU that the installed torch {torch.__version__} has code for, found"
        f" {torch.cuda.get_device_name()}: {reason}; install a torch built for it, choose another"
        " GPU in the profile"
    )
