"""The arithmetic in which networks are trained."""

import pytest
import torch

from snakescope.learning.precision import arithmetic
from snakescope.sperm.networks.catalogue import ABOUT
from snakescope.sperm.training.fit import FLOAT32_ON_CPU, arithmetic_of

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_networks_that_diverge_in_bfloat16_on_a_cpu_train_in_float32_and_say_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(ABOUT) >= FLOAT32_ON_CPU
    assert arithmetic_of("r3d", "bfloat16", CPU) == torch.float32
    assert "r3d: trained in float32 in place of bfloat16" in capsys.readouterr().err
    assert arithmetic_of("r3d", "auto", CPU) == torch.float32
    assert arithmetic_of("r3d", "bfloat16", GPU) == torch.bfloat16
    assert arithmetic_of("timesformer", "bfloat16", CPU) == arithmetic("bfloat16", CPU)
