"""Arithmetic by device, and parts of a model in lower precision for a while."""

import copy

import pytest
import torch
from torch import nn

from snakescope.learning import precision
from snakescope.learning.precision import (
    arithmetic,
    autocast,
    computing_in,
    lower_precision,
    name_of,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("capability", "expected"),
    [((6, 1), "float16"), ((7, 5), "float16"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")],
)
def test_auto_is_what_the_gpu_is_fast_at(monkeypatch, capability, expected) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert name_of(arithmetic("auto", GPU)) == expected
    assert arithmetic("float32", GPU) == torch.float32


def test_auto_is_exact_on_a_cpu_unless_another_is_set() -> None:
    assert arithmetic("auto", CPU) == torch.float32
    assert arithmetic("bfloat16", CPU) == torch.bfloat16


@pytest.mark.parametrize(
    ("cpuinfo", "said"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512f\n", True),
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd\n", True),
        ("processor\t: 0\n", False),
        (None, False),
    ],
)
def test_a_processor_that_is_slow_at_bfloat16_is_named_once(
    cpuinfo, said, tmp_path, monkeypatch, capsys
) -> None:
    path = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        path.write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", path)
    precision._warn_of_slow_bfloat16.cache_clear()
    arithmetic("float32", CPU)
    arithmetic("auto", CPU)
    arithmetic("bfloat16", GPU)
    assert not capsys.readouterr().err
    for _ in range(2):
        arithmetic("bfloat16", CPU)
    told = capsys.readouterr().err
    assert told.count("bfloat16") == 2 * said and told.count("\n") == said


def test_autocast_of_float32_is_none() -> None:
    layer, inputs = nn.Linear(4, 4), torch.rand(2, 4)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        with autocast(CPU, dtype):
            assert layer(inputs).dtype == dtype


def test_parts_compute_in_lower_precision_within_only() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    inputs = torch.rand(2, 4)
    exact = model[0](inputs)
    with lower_precision([model[0]], CPU, torch.bfloat16):
        lower = model[0](inputs)
        assert lower.dtype == torch.float32 and not torch.equal(lower, exact)
        assert torch.equal(lower, lower.bfloat16().float())
        assert torch.equal(model[1](inputs), copy.deepcopy(model[1])(inputs))
    assert torch.equal(model[0](inputs), exact)
    with pytest.raises(ValueError), lower_precision([model[0]], CPU, torch.float16):
        raise ValueError
    assert torch.equal(model[0](inputs), exact)


def test_a_module_computes_in_lower_precision_for_good() -> None:
    layer, inputs = nn.Linear(64, 8), torch.rand(2, 64)
    exact = layer(inputs)
    assert torch.equal(computing_in(torch.float32, copy.deepcopy(layer))(inputs), exact)
    lower = computing_in(torch.bfloat16, copy.deepcopy(layer))(inputs)
    assert lower.dtype == torch.float32 and torch.equal(lower, lower.bfloat16().float())
    assert 0 < (lower - exact).abs().max() < 0.02
