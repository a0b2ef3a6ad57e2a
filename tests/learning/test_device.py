"""Choosing a device, on machines with and without GPUs that torch can use."""

import pytest
import torch

from snakescope.learning.device import choose_device, unusable_gpu
from snakescope.step.errors import StepError

WHEEL = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]


@pytest.mark.parametrize("capability", [(6, 1), (7, 5), (8, 9), (9, 0)])
def test_code_for_an_earlier_minor_version_runs(capability):
    assert unusable_gpu(capability, WHEEL) is None


@pytest.mark.parametrize("capability", [(3, 5), (10, 0), (12, 0)])
def test_another_major_version_has_no_code(capability):
    assert f"{capability[0]}.{capability[1]}" in str(unusable_gpu(capability, WHEEL))


def test_intermediate_code_runs_on_every_later_gpu():
    assert unusable_gpu((12, 0), ["sm_80", "compute_90"]) is None
    assert unusable_gpu((7, 5), ["sm_80", "compute_90"]) is not None
    assert unusable_gpu((9, 0), ["sm_90a"]) is None
    assert unusable_gpu((10, 0), ["sm_80", "sm_100"]) is None


def machine(monkeypatch, available, capability=(7, 5)):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: WHEEL)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some Card")


def test_without_a_gpu_auto_takes_the_cpu_and_cuda_is_refused(monkeypatch):
    machine(monkeypatch, available=False)
    assert choose_device("auto").type == "cpu"
    with pytest.raises(StepError, match="expected a CUDA GPU, found none"):
        choose_device("cuda")


def test_a_gpu_is_used_unless_the_cpu_is_asked_for(monkeypatch):
    machine(monkeypatch, available=True)
    assert choose_device("auto").type == choose_device("cuda").type == "cuda"
    assert choose_device("cpu").type == "cpu"


GIVEN = [{"SLURM_STEP_GPUS": "0"}, {"SLURM_JOB_GPUS": "1"}, {"SLURM_GPUS_ON_NODE": "1"}]


@pytest.mark.parametrize("environment", GIVEN)
def test_a_job_that_was_given_a_gpu_must_use_it(monkeypatch, capsys, environment):
    machine(monkeypatch, available=False)
    with pytest.raises(StepError, match=r"Slurm gave this job a GPU.*found none"):
        choose_device("auto", environment)
    allowed = {**environment, "SNAKESCOPE_CPU_IN_PLACE_OF_GPU": "1"}
    assert choose_device("auto", allowed).type == "cpu"
    assert "RUNS ON THE CPU" in capsys.readouterr().err
    assert choose_device("cpu", environment).type == "cpu"


def test_a_job_that_was_given_none_may_run_on_the_cpu(monkeypatch, capsys):
    machine(monkeypatch, available=False)
    for environment in ({}, {"SLURM_JOB_ID": "1"}, {"SLURM_GPUS_ON_NODE": "0"}):
        assert choose_device("auto", environment).type == "cpu"
    assert capsys.readouterr().err == ""


def test_a_gpu_without_code_is_named_or_passed_over(monkeypatch):
    machine(monkeypatch, available=True, capability=(12, 0))
    assert choose_device("auto").type == "cpu"
    with pytest.raises(StepError, match=r"Some Card: its compute capability 12\.0"):
        choose_device("cuda")
