"""Arithmetic of a training: float32, or half the bits where the device is fast at it."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

Precision = Literal["auto", "float32", "bfloat16", "float16"]

BFLOAT16_CAPABILITY = (8, 0)
"""Compute capability from which NVIDIA GPUs have arithmetic of bfloat16 (Ampere)."""

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""What Linux calls the instructions, of x86 and of ARM. PyTorch tells the widest vectors only."""


def arithmetic(precision: Precision, device: torch.device) -> torch.dtype:
    """The dtype that convolutions and products use under autocast.

    ``auto`` is bfloat16 on GPUs that have its arithmetic, float16 on older ones (such as Titan Xp
    and RTX 2080 Ti), and float32 on a CPU. Training in float16 needs the scaled loss of
    :func:`snakescope.learning.loop.fit`. Where bfloat16 is asked for and will be slow, the log is
    told so, once.
    """
    if precision == "bfloat16" and device.type == "cpu":
        _warn_of_slow_bfloat16()
    if precision != "auto":
        dtype: torch.dtype = getattr(torch, precision)
        return dtype
    if device.type != "cuda":
        return torch.float32
    newer = torch.cuda.get_device_capability(device) >= BFLOAT16_CAPABILITY
    return torch.bfloat16 if newer else torch.float16


@cache
def _warn_of_slow_bfloat16() -> None:
    if not has_bfloat16(CPUINFO):
        print(
            "warning: this processor has no instructions of bfloat16, without which precision:"
            " bfloat16 is many times slower than float32; set precision: float32",
            file=sys.stderr, flush=True,
        )  # fmt: skip


def has_bfloat16(cpuinfo: Path) -> bool:
    """Whether a processor computes in bfloat16; true where there is no telling, as off Linux."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return True
    flags = [text for name, _, text in (line.partition(":") for line in lines)
             if name.strip() in ("flags", "Features")]  # fmt: skip
    return not flags or not BFLOAT16_FLAGS.isdisjoint(flags[0].split())


def name_of(dtype: torch.dtype) -> str:
    """``float32``, ``bfloat16`` or ``float16``."""
    return str(dtype).removeprefix("torch.")


def autocast(device: torch.device, dtype: torch.dtype) -> torch.autocast:
    """A context in which operations that tolerate it compute in ``dtype``; none for float32."""
    lower = dtype != torch.float32
    return torch.autocast(device.type, dtype=dtype if lower else torch.bfloat16, enabled=lower)


@contextmanager
def lower_precision(
    modules: Sequence[nn.Module], device: torch.device, dtype: torch.dtype
) -> Iterator[None]:
    """Within, these parts of a model compute in ``dtype`` and return float32.

    For models of which only parts tolerate it: in bfloat16, for example, a coordinate of a box
    beyond 256 px is off by up to a pixel.

    Args:
        modules: return a tensor or a dict of tensors.
    """
    if dtype == torch.float32:
        yield
        return
    with ExitStack() as stack:
        for module in modules:
            module.forward = _lowered(module.forward, device, dtype)  # type: ignore[method-assign]
            # Takes away the attribute of the instance, so that the method of the class shows again.
            stack.callback(module.__dict__.pop, "forward")
        yield


def computing_in(dtype: torch.dtype, module: nn.Module) -> nn.Module:
    """The module with its weights in ``dtype``, changed in place: takes and returns float32.

    For prediction; unlike autocast it converts the weights once.

    Args:
        module: takes tensors, returns a tensor or a dict of tensors.
    """
    if dtype == torch.float32:
        return module

    def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return tuple(one.to(dtype) for one in inputs)

    def after(_: nn.Module, __: tuple[Tensor, ...], output: Any) -> Any:
        return _in_float32(output)

    module.to(dtype)
    module.register_forward_pre_hook(before)
    module.register_forward_hook(after)
    return module


def _in_float32(output: Any) -> Any:
    if isinstance(output, Tensor):
        return output.float()
    return {name: value.float() for name, value in output.items()}


def _lowered(forward: Any, device: torch.device, dtype: torch.dtype) -> Any:
    def lowered(*inputs: Tensor) -> Any:
        with autocast(device, dtype):
            output = forward(*inputs)
        return _in_float32(output)

    return lowered
