"""Prediction: blocks agree with the whole volume, views are turned back rightly, bad input told."""

import h5py
import numpy as np
import pytest
import torch
import zarr

from snakescope.learning.weights import save_weights
from snakescope.neurites.networks.model_files import load_network
from snakescope.neurites.prediction import predict as module
from snakescope.neurites.prediction.patches import bump, parse_block, patches_of, starts, window_of
from snakescope.neurites.prediction.predict import (
    patch_affinities,
    predict_block,
    turned,
    turned_back,
    views,
)
from snakescope.neurites.prediction.settings import PredictSettings
from snakescope.neurites.training.network import build, description
from snakescope.neurites.training.settings import TrainSettings
from snakescope.step.command import call
from snakescope.step.errors import StepError

SETTINGS = PredictSettings(patch_zyx=(4, 16, 16), batch=3, threads=1)
SHAPE = (9, 40, 33)
CPU = torch.device("cpu")
TINY = TrainSettings(network="base", features=(4, 6), patch_zyx=(4, 16, 16))


class Differences(torch.nn.Module):
    """Exact affinities of an image: how alike a voxel and the one before it are."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        channels = []
        for axis in (2, 3, 4):
            before = image.roll(1, dims=axis)
            channels.append(4 - 40 * (image - before).abs())
        return torch.cat(channels, dim=1)


class Constant(torch.nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.full((len(image), 3, *image.shape[2:]), self.value)


@pytest.fixture
def volume() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, SHAPE).astype(np.uint8)


def network() -> torch.nn.Module:
    torch.manual_seed(4)
    model = build(TINY)
    model.head = torch.nn.Conv3d(4, 3, 1)
    return model.eval()


def test_blocks_are_cut_from_the_affinities_of_the_whole_volume(volume: np.ndarray) -> None:
    model = network()
    whole = predict_block(model, volume, ((0, 9), (0, 40), (0, 33)), SETTINGS, CPU)
    assert whole.shape == (3, *SHAPE) and whole.std() > 1
    for text in ("0:5,0:20,0:33", "5:9,20:40,10:33", "3:4,7:8,30:33"):
        block = parse_block(text)
        found = predict_block(model, volume, block, SETTINGS, CPU)
        part = whole[(slice(None), *(slice(a, b) for a, b in block))]
        assert np.abs(found.astype(int) - part).max() <= 1, text  # rounding to 8 bit


def test_only_the_window_of_a_block_is_read(volume: np.ndarray) -> None:
    block = parse_block("5:9,20:40,0:10")
    inside = window_of(block, SHAPE, SETTINGS.patch_zyx, SETTINGS.overlap)
    assert inside != ((0, 9), (0, 40), (0, 33))
    changed = np.full_like(volume, 7)
    window = tuple(slice(a, b) for a, b in inside)
    changed[window] = volume[window]
    model = network()
    one, other = (predict_block(model, v, block, SETTINGS, CPU) for v in (volume, changed))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("count", [1, 4, 8, 16])
def test_views_are_turned_back_to_the_same_pairs(count: int) -> None:
    image = torch.rand(1, 1, 4, 6, 5, generator=torch.manual_seed(1))
    wanted = torch.sigmoid(Differences()(image))
    assert len(set(views(count))) == count
    for view in views(count):
        found = turned_back(torch.sigmoid(Differences()(turned(image, view))), view)
        assert torch.allclose(found[:, :, 1:, 1:, 1:], wanted[:, :, 1:, 1:, 1:]), view


def test_views_are_combined_by_mean_or_least() -> None:
    class Position(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            ramp = torch.linspace(-2, 2, image.shape[4]).expand_as(image)
            return ramp.repeat(1, 3, 1, 1, 1)

    image = torch.zeros(1, 1, 2, 4, 4)
    by = {
        how: patch_affinities(
            Position(), image, PredictSettings(test_time_augmentation=4, combine=how)
        )
        for how in ("mean", "min")
    }
    assert torch.allclose(by["mean"][:, :2], torch.full((1, 2, 2, 4, 4), 0.5))
    least = by["min"][:, :2]  # x's own pairs have moved on by one
    assert least.max() < 0.5 and least.min() < 0.2


def test_patches_cover_the_volume_and_the_last_ends_with_it() -> None:
    assert starts(33, 16, 0.5) == [0, 8, 16, 17]
    assert starts(16, 16, 0.5) == [0]
    covered = np.zeros(SHAPE, int)
    for corner in patches_of(((0, 9), (0, 40), (0, 33)), SHAPE, (4, 16, 16), 0.25):
        covered[tuple(slice(a, a + b) for a, b in zip(corner, (4, 16, 16), strict=True))] += 1
    assert covered.min() >= 1


def test_bump_weights_favour_the_middle() -> None:
    weights = bump((5, 16, 16))
    assert weights.argmax() in range(2 * 256, 3 * 256)
    assert 0 < weights.min() < 1e-3 < weights.max() <= 1
    assert np.allclose(weights, weights[::-1, ::-1, ::-1])


def test_constant_affinities_stay_constant(volume: np.ndarray) -> None:
    found = predict_block(Constant(0.0), volume, ((0, 9), (0, 40), (0, 33)), SETTINGS, CPU)
    assert np.unique(found).tolist() == [128]


def test_lower_precision_gives_nearly_the_same(volume: np.ndarray) -> None:
    block = ((0, 9), (0, 40), (0, 33))
    half = SETTINGS.model_copy(update={"precision": "bfloat16"})
    one, other = (predict_block(network(), volume, block, s, CPU) for s in (SETTINGS, half))
    difference = np.abs(one.astype(int) - other)
    assert difference.max() > 0 and difference.mean() < 2


def test_bad_input_is_told_in_a_sentence(volume: np.ndarray) -> None:
    model, block = Constant(0.0), ((0, 3), (0, 10), (0, 10))
    with pytest.raises(StepError, match="at least a patch of 4 x 16 x 16"):
        predict_block(model, volume[:3], block, SETTINGS, CPU)
    with pytest.raises(StepError, match="8 bit along z, y, x, found uint16"):
        predict_block(model, volume.astype(np.uint16), block, SETTINGS, CPU)
    with pytest.raises(StepError, match="found NaN"):
        predict_block(Constant(float("nan")), volume, block, SETTINGS, CPU)
    with pytest.raises(StepError, match="within 9 x 40 x 33"):
        predict_block(model, volume, ((0, 10), (0, 10), (0, 10)), SETTINGS, CPU)
    with pytest.raises(StepError, match="multiples of 16 along y and x, found 100"):
        module.check_patch((18, 100, 160), 5)
    with pytest.raises(StepError, match="multiples of 4 along z, y and x, found 6 and 8 and 8"):
        module.check_patch((6, 8, 8), 3, cubes=True)
    module.check_patch((6, 8, 8), 3)
    with pytest.raises(StepError, match="Z0:Z1"):
        parse_block("0:3,0:4")


def run(monkeypatch: pytest.MonkeyPatch, folder: object, **changed: str) -> None:
    words = {
        "image": f"{folder}/image.zarr",
        "block": "0:9,0:40,0:33",
        "weights": f"{folder}/w.safetensors",
        "settings": SETTINGS.model_dump_json(),
        "affinities": f"{folder}/affinities.h5",
        **changed,
    }
    line = [word for name, value in words.items() for word in (f"--{name}", value)]
    monkeypatch.setattr("sys.argv", ["predict", *line])
    call(module)


def test_the_command_writes_one_file(tmp_path, volume, monkeypatch) -> None:
    stored = zarr.create_array(str(tmp_path / "image.zarr"), data=volume, chunks=(4, 16, 16))
    assert stored.shape == SHAPE
    torch.manual_seed(4)
    model = build(TINY)
    sha256 = save_weights(tmp_path / "w.safetensors", model, description(TINY))
    run(monkeypatch, tmp_path, sha256=sha256)
    with h5py.File(tmp_path / "affinities.h5") as file:
        data = file["affinities"]
        assert data.shape == (3, *SHAPE) and data.dtype == np.uint8
        assert data.attrs["block_end"].tolist() == list(SHAPE)
        assert data.attrs["weights_sha256"] == sha256
        found = data[...]
    loaded, card = load_network(tmp_path / "w.safetensors", sha256)
    assert card["network"] == "base"
    block = ((0, 9), (0, 40), (0, 33))
    assert (
        np.abs(predict_block(loaded, volume, block, SETTINGS, CPU).astype(int) - found).max() <= 1
    )
    with pytest.raises(StepError, match="expected weights with SHA-256"):
        run(monkeypatch, tmp_path, sha256="0" * 64)
    with pytest.raises(StepError, match=r"a volume as neurites\.ingest stores it"):
        run(monkeypatch, tmp_path, image=str(tmp_path / "none.zarr"))
    # Of many volumes, the one that is too small for the patch is named.
    large = SETTINGS.model_copy(update={"patch_zyx": (16, 16, 16)}).model_dump_json()
    sentence = rf"^{tmp_path}/image\.zarr: expected at least a patch of 16 x 16 x 16 voxels"
    with pytest.raises(StepError, match=sentence):
        run(monkeypatch, tmp_path, settings=large)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "affinities.h5", "image.zarr", "w.safetensors"
    ]  # fmt: skip


def test_a_job_that_slurm_gave_a_gpu_must_use_it(tmp_path, volume, monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("SLURM_STEP_GPUS", "0")
    zarr.create_array(str(tmp_path / "image.zarr"), data=volume)
    save_weights(tmp_path / "w.safetensors", build(TINY), description(TINY))
    with pytest.raises(StepError, match=r"Slurm gave this job a GPU.*cpu_in_place_of_gpu: true"):
        run(monkeypatch, tmp_path)
    assert not (tmp_path / "affinities.h5").exists()
    monkeypatch.setenv("SNAKESCOPE_CPU_IN_PLACE_OF_GPU", "1")
    run(monkeypatch, tmp_path)
    assert "RUNS ON THE CPU, its GPU unused" in capsys.readouterr().err
    assert (tmp_path / "affinities.h5").exists()


def test_weights_of_something_else_are_refused(tmp_path) -> None:
    save_weights(tmp_path / "w.safetensors", torch.nn.Linear(2, 2), {"model": "worms"})
    with pytest.raises(StepError, match="expected weights of an affinity network"):
        load_network(tmp_path / "w.safetensors", None)
