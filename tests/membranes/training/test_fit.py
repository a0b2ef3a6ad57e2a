"""Trainings: the same on every run, resumed without a trace, and better than chance."""

from pathlib import Path

import numpy as np
import pytest
import torch

from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.prediction.labelled import predict_labelled
from snakescope.membranes.scores.pixels import counts_of, pixel_scores
from snakescope.membranes.simulation.settings import SimulateSettings
from snakescope.membranes.simulation.simulate import simulate
from snakescope.membranes.stacks.sections import Labelled, grey_of
from snakescope.membranes.training.crops import Crops, margin_of, warp_of
from snakescope.membranes.training.fit import auxiliary_weight, rate_of, train
from snakescope.membranes.training.settings import AuxiliarySettings, TrainSettings
from snakescope.step.errors import StepError

SMALL = TrainSettings(
    network=NetworkSettings(width=2), crop_px=32, batch=2, steps=4, warmup_steps=1, report_steps=2
)


@pytest.fixture(scope="module")
def stack() -> Labelled:
    """Three sections of 64 x 64 px, two of them to train with."""
    image, labels = simulate(SimulateSettings(shape=(3, 64, 64), cell_px=16), 1)
    return Labelled(grey_of("a", image), labels > 0, (0, 1))


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    weights, others = one.state_dict(), other.state_dict()
    return all(torch.equal(weights[name], others[name]) for name in weights)


def test_a_seed_gives_the_same_weights_and_another_gives_others(stack: Labelled) -> None:
    one = train(SMALL, [stack], {})
    assert same(one, train(SMALL, [stack], {}))
    assert not same(one, train(SMALL.model_copy(update={"seed": 1}), [stack], {}))


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_a_training_that_was_killed_ends_like_one_that_was_not(
    stack: Labelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schedule: str
) -> None:
    settings = SMALL.model_copy(update={"schedule": schedule})
    whole = train(settings, [stack], {"data": 1})
    drawn = Crops.draw

    def dies(self: Crops, index: int, rng: np.random.Generator) -> object:
        if (tmp_path / "a.ckpt").exists():
            raise KeyboardInterrupt
        return drawn(self, index, rng)

    monkeypatch.setattr(Crops, "draw", dies)
    with pytest.raises(KeyboardInterrupt):
        train(settings, [stack], {"data": 1}, tmp_path / "a.ckpt")
    monkeypatch.setattr(Crops, "draw", drawn)
    assert same(whole, train(settings, [stack], {"data": 1}, tmp_path / "a.ckpt"))


def test_a_constant_training_goes_on_from_a_shorter_one(stack: Labelled, tmp_path: Path) -> None:
    settings = SMALL.model_copy(update={"schedule": "constant"})
    train(settings.model_copy(update={"steps": 2}), [stack], {}, tmp_path / "a.ckpt")
    longer = train(settings, [stack], {}, tmp_path / "a.ckpt")
    assert same(train(settings, [stack], {}), longer)


def test_a_checkpoint_of_other_data_is_refused(stack: Labelled, tmp_path: Path) -> None:
    train(SMALL, [stack], {"data": 1}, tmp_path / "a.ckpt")
    with pytest.raises(StepError, match="another data"):
        train(SMALL, [stack], {"data": 2}, tmp_path / "a.ckpt")


def test_rates_and_weights_of_branches() -> None:
    auxiliary = AuxiliarySettings(start=0.1, factor=0.1, every_steps=10, floor=0.01)
    weights = [auxiliary_weight(auxiliary, step) for step in (0, 9, 10, 500)]
    assert weights == pytest.approx([0.1, 0.1, 0.01, 0.01])
    constant = SMALL.model_copy(update={"schedule": "constant", "steps": 10})
    assert [rate_of(constant, step) for step in (0, 5, 9)] == [constant.learning_rate] * 3
    cosine = SMALL.model_copy(update={"steps": 10})
    assert rate_of(cosine, 9) < 0.1 * rate_of(cosine, 1)


def test_crops_are_of_training_sections_turned_with_their_membranes(stack: Labelled) -> None:
    crops = Crops([stack], SMALL)
    assert {z for _, z in crops.places} == {0, 1} and crops.count == 8
    for index in range(8):
        planes, membrane = crops.draw(index, np.random.default_rng(index))
        assert planes.shape == (1, 32, 32) and membrane.shape == (32, 32)
        # Membranes are dark.
        assert planes[0][membrane].mean() < planes[0][~membrane].mean()


PLAIN = {"scaling": 0.0, "elastic_px": 0.0, "grey_jitter": 0.0, "blur_px": 0.0, "noise": 0.0}


def test_membranes_are_warped_like_their_sections(stack: Labelled) -> None:
    """Where a section is its own membrane, a crop is so too, but for the width of a pixel."""
    grey = grey_of("a", np.where(stack.membrane, 0, 200).astype(np.uint8))
    own = Labelled(grey, stack.membrane, stack.sections)
    varied = {**PLAIN, "scaling": 0.4, "elastic_px": 6.0}
    settings = SMALL.model_copy(update=varied)
    shown = [Crops([own], settings).draw(0, np.random.default_rng(seed)) for seed in range(20)]
    for planes, membrane in shown:
        middle = grey.planes(0, 0).max() + grey.planes(0, 0).min()
        assert ((planes[0] < middle / 2) == membrane).mean() > 0.99
    plain = SMALL.model_copy(update=PLAIN)
    planes, _ = Crops([own], plain).draw(0, np.random.default_rng(1))
    assert len(np.unique(planes)) == 2 < len(np.unique(shown[0][0]))


def test_a_warp_stays_within_its_margin_and_goes_everywhere() -> None:
    settings = TrainSettings(crop_px=64, scaling=0.3, elastic_px=3.0)
    warps = np.array([warp_of(settings, np.random.default_rng(seed)) for seed in range(200)])
    reach = np.abs(warps).max()
    assert 32 * 2**0.5 < reach < 32 + margin_of(settings)
    # No direction is preferred: pixels come from their own place on average.
    assert np.abs(warps[:, :, 32, 32].mean(axis=0)).max() < 1.5


def test_blur_and_noise_change_looks_and_not_membranes(stack: Labelled) -> None:
    plain = Crops([stack], SMALL.model_copy(update=PLAIN))
    blurred = Crops([stack], SMALL.model_copy(update={**PLAIN, "blur_px": 3.0}))
    noisy = Crops([stack], SMALL.model_copy(update={**PLAIN, "noise": 1.0}))
    spread = []
    for crops in (plain, blurred, noisy):
        drawn = [crops.draw(index, np.random.default_rng(7)) for index in range(8)]
        assert all(planes.dtype == np.float32 for planes, _ in drawn)
        spread.append(np.mean([np.abs(np.diff(planes)).mean() for planes, _ in drawn]))
    assert spread[1] < spread[0] < spread[2]


def test_half_the_bits_give_nearly_the_same_network(stack: Labelled) -> None:
    halved = SMALL.model_copy(update={"precision": "bfloat16"})
    one, other = train(halved, [stack], {}), train(SMALL, [stack], {})
    assert same(one, train(halved, [stack], {})) and not same(one, other)
    held_out = [Labelled(stack.grey, stack.membrane, (2,))]
    ((full, _),) = predict_labelled(one, SMALL.network, held_out)
    ((half, _),) = predict_labelled(one, SMALL.network, held_out, dtype=torch.bfloat16)
    assert np.abs(full.astype(int) - half).mean() < 3


def test_sections_smaller_than_a_crop_and_no_sections_are_refused(stack: Labelled) -> None:
    with pytest.raises(StepError, match="at least 128 x 128 px"):
        Crops([stack], TrainSettings())
    with pytest.raises(StepError, match="expected sections to train with, found none"):
        Crops([], SMALL)


@pytest.mark.parametrize("architecture", ["dcn", "unet"])
def test_a_short_training_tells_membranes(stack: Labelled, architecture: str) -> None:
    network = SMALL.network.model_copy(update={"architecture": architecture, "width": 4})
    settings = SMALL.model_copy(
        update={"network": network, "steps": 40, "batch": 4, "learning_rate": 0.01,
                "ema_decay": 0.8}
    )  # fmt: skip
    trained = train(settings, [stack], {})
    held_out = Labelled(stack.grey, stack.membrane, (2,))
    ((probability, membrane),) = predict_labelled(trained, network, [held_out])
    all_membrane = membrane.mean()
    iou = pixel_scores(counts_of(probability, membrane), 0.5).iou
    assert iou > all_membrane + 0.1
