"""Training: repeatable, resumable bit for bit, kept apart from validation, and it learns."""

import json
from argparse import Namespace
from dataclasses import replace

import numpy as np
import pytest
import torch
import zarr

from snakescope import REPOSITORY
from snakescope.learning import loop
from snakescope.neurites.networks.networks import parameter_count
from snakescope.neurites.paper.paper import training_settings
from snakescope.neurites.paper.settings import PaperSettings
from snakescope.neurites.training import train as module
from snakescope.neurites.training.held_out import scored_window
from snakescope.neurites.training.patches import (
    Labelled,
    check_fits,
    draw_batch,
    draw_patch,
    labelled,
    split,
    window,
)
from snakescope.neurites.training.settings import AugmentSettings, TrainSettings
from snakescope.neurites.training.train import (
    make_training,
    rate,
    read_volumes,
    train,
    validate,
    volumes_of,
)
from snakescope.neurites.volumes.sheet import Volume
from snakescope.settings.sheet import read_rows
from snakescope.step.command import call
from snakescope.step.errors import StepError

ROOT = REPOSITORY

TINY = TrainSettings(
    network="revnet",
    features=(4, 6),
    patch_zyx=(3, 16, 16),
    steps=4,
    epoch_steps=2,
    warmup_steps=1,
    learning_rate=0.01,
    validation_patches=1,
    threads=1,
    device="cpu",
    augment=AugmentSettings(misalignment_px=2, elastic_px=1),
)


def tiles(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Bright tiles with dark outlines; every tile its own label."""
    y, x = np.mgrid[:48, :48]
    labels = np.where((y % 12 == 0) | (x % 12 == 0), 0, 1 + (y // 12) * 4 + x // 12)
    noise = np.random.default_rng(seed).normal(0, 8, (10, 48, 48))
    image = np.where(labels == 0, 60, 180)[None] + noise
    return image.clip(0, 255).astype(np.uint8), np.repeat(labels[None], 10, 0).astype(np.uint64)


@pytest.fixture
def volume() -> Labelled:
    return labelled("tiles", *tiles())


def state(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def test_a_stopped_training_ends_like_an_unbroken_one(
    tmp_path, volume, capsys, monkeypatch
) -> None:
    first, last = split(volume, 0.3)
    whole = train(TINY, [first], [last])
    checkpoint = tmp_path / "c.ckpt"

    def stop(path, content):
        save(path, content)
        raise KeyboardInterrupt

    save = loop.save_checkpoint
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(loop, "save_checkpoint", stop)
        train(TINY, [first], [last], checkpoint)
    resumed = train(TINY, [first], [last], checkpoint)
    assert torch.equal(state(whole), state(resumed))
    assert "resumed after step 2" in capsys.readouterr().err


@pytest.mark.parametrize("changed", ["seed", "image", "labels"])
def test_another_training_begins_anew_and_leaves_the_first_its_checkpoint(
    tmp_path, volume, changed, capsys
) -> None:
    first, last = split(volume, 0.3)
    checkpoint = tmp_path / "c.ckpt"
    whole = train(TINY, [first], [last], checkpoint)
    settings, part = TINY, first
    if changed == "seed":
        settings = TINY.model_copy(update={"seed": 5})
    else:
        voxels = np.asarray(getattr(volume, changed)).copy()
        voxels[6, 20, 20] += 1
        part = split(replace(volume, **{changed: voxels}), 0.3)[0]
    capsys.readouterr()
    other = train(settings, [part], [last], checkpoint)
    assert "resumed" not in capsys.readouterr().err
    if changed == "seed":
        assert not torch.equal(state(whole), state(other))
    assert torch.equal(state(whole), state(train(TINY, [first], [last], checkpoint)))
    assert "resumed after step 4" in capsys.readouterr().err
    assert len(list(tmp_path.glob("c-*.ckpt"))) == 2


@pytest.mark.slow
def test_it_learns_the_outlines(volume) -> None:
    settings = TINY.model_copy(update={"steps": 60, "epoch_steps": 60, "batch": 2})
    first, last = split(volume, 0.3)
    fresh = make_training(settings, [first], [last]).model.eval()
    before = validate(fresh, [last], settings)  # type: ignore[arg-type]
    after = validate(train(settings, [first], [last]), [last], settings)
    assert after["loss"] < 0.7 * before["loss"]
    assert after["balanced_accuracy"] > max(0.7, before["balanced_accuracy"])


def test_validation_sections_are_never_trained_on(volume) -> None:
    image, labels = np.asarray(volume.image).copy(), np.asarray(volume.labels).copy()
    first, last = split(volume, 0.3)
    assert (first.first, first.last, last.first, last.last) == (0, 7, 7, 10)
    image[7:], labels[7:] = 0, 99
    spoiled = Labelled("tiles", image, labels, 0, 7)
    for step in range(20):
        one, other = draw_batch([first], TINY, step), draw_batch([spoiled], TINY, step)
        assert np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def test_batches_depend_on_seed_and_step_only(volume) -> None:
    one, again, next_step = (draw_batch([volume], TINY, step) for step in (3, 3, 4))
    other = draw_batch([volume], TINY.model_copy(update={"seed": 9}), 3)
    assert np.array_equal(one[0], again[0])
    assert not np.array_equal(one[0], next_step[0])
    assert not np.array_equal(one[0], other[0])
    assert one[0].dtype == np.float32 and one[0].shape == (1, 3, 16, 16)


def test_a_window_beyond_the_edge_is_mirrored(volume) -> None:
    image, labels = window(volume, (2, -3, 40), (3, 16, 16))
    assert image.shape == labels.shape == (3, 16, 16)
    assert np.array_equal(labels[:, :3], labels[:, 3:6][:, ::-1])
    assert np.array_equal(labels[:, :, 8:], labels[:, :, :8][:, :, ::-1])


def test_a_window_of_a_part_is_mirrored_along_z_and_sees_nothing_beyond(volume) -> None:
    labels = np.broadcast_to(np.arange(1, 11)[:, None, None], (10, 48, 48))
    part = Labelled("part", volume.image, labels, 3, 7)
    _, seen = window(part, (1, 0, 0), (8, 16, 16))
    assert seen[:, 0, 0].tolist() == [5, 4, 4, 5, 6, 7, 7, 6]


def test_patches_of_cubes_are_turned_to_every_axis() -> None:
    """Labels grow along z; in a turned patch they grow along y or x, also in one that is longer."""
    labels = np.broadcast_to(np.arange(1, 25)[:, None, None], (24, 24, 24)).astype(np.uint64)
    cube = labelled("cube", labels.astype(np.uint8), labels)
    still = AugmentSettings(
        misalignment_share=0, missing_share=0, blurred_share=0, warp_share=0, grey_share=0
    )
    for patch in ((8, 8, 8), (8, 16, 32)):
        settings = TINY.model_copy(update={"isotropic": True, "patch_zyx": patch, "augment": still})
        along = set()
        for seed in range(30):
            image, found = draw_patch(np.random.default_rng(seed), [cube], settings)
            assert image.shape == found.shape == patch
            assert np.allclose(image * 255, found, atol=1e-3)
            changes = [bool(np.diff(found, axis=axis).any()) for axis in range(3)]
            assert sum(changes) == 1
            along.add(changes.index(True))
        assert along == {0, 1, 2}
    flat = settings.model_copy(update={"isotropic": False, "patch_zyx": (8, 8, 8)})
    for seed in range(10):
        _, found = draw_patch(np.random.default_rng(seed), [cube], flat)
        assert np.diff(found, axis=0).any()


def test_weights_for_cubes_come_back_as_they_were(tmp_path, volume) -> None:
    from snakescope.learning.weights import save_weights
    from snakescope.neurites.networks.model_files import load_network
    from snakescope.neurites.training.network import description

    settings = TINY.model_copy(
        update={"isotropic": True, "patch_zyx": (4, 16, 16), "boundary_px": 1}
    )
    first, last = split(volume, 0.4)
    network = train(settings, [first], [last]).eval()
    save_weights(tmp_path / "w.safetensors", network, description(settings))
    again, card = load_network(tmp_path / "w.safetensors", None)
    assert card["cubes"] and card["offsets_zyx"][3] == [3, 0, 0]
    image = torch.rand(1, 1, 4, 16, 16)
    assert torch.allclose(again(image), network(image)[:, :3], atol=1e-4)


def test_bfloat16_refuses_maps_two_sections_deep(volume) -> None:
    thin = {"isotropic": True, "patch_zyx": (4, 16, 16), "precision": "bfloat16"}
    first, last = split(volume, 0.4)
    with pytest.raises(StepError, match="2 sections deep in bfloat16, found 4 sections"):
        train(TINY.model_copy(update=thin), [first], [last])


def test_patches_come_from_all_of_the_volumes() -> None:
    one, other = labelled("one", *tiles()), labelled("other", tiles()[0], tiles()[1] + 100)
    rng = np.random.default_rng(1)
    found = [draw_patch(rng, [one, other], TINY, varied=False)[1].max() > 50 for _ in range(40)]
    assert 5 < sum(found) < 35


def test_learning_rate_rises_and_falls() -> None:
    settings = TrainSettings(steps=100, warmup_steps=10)
    rates = [rate(step, settings) for step in range(100)]
    assert rates[0] == pytest.approx(0.1 * settings.learning_rate)
    assert max(rates) == settings.learning_rate
    assert rates[-1] < 0.01 * settings.learning_rate and np.all(np.diff(rates[10:]) < 0)


def test_bad_input_is_told_in_a_sentence(volume) -> None:
    image, labels = tiles()
    with pytest.raises(StepError, match="labels of the image's shape 10 x 48 x 48, found 9"):
        labelled("tiles", image, labels[1:])
    with pytest.raises(StepError, match="labels of whole numbers, found uint8 and float64"):
        labelled("tiles", image, labels.astype(float))
    dark = labelled("tiles", image, np.where(np.arange(10)[:, None, None] < 7, labels, 0))
    for part, purpose in (
        (replace(dark, first=7), "training"),
        (split(dark, 0.3)[1], "validation"),
    ):
        pair = ([part], [volume]) if purpose == "training" else ([volume], [part])
        with pytest.raises(StepError, match=f"sections for {purpose}, 7 to 9, found only 0"):
            train(TINY, *pair)
    with pytest.raises(StepError, match="at least a patch of 3 x 64 x 64"):
        train(TINY.model_copy(update={"patch_zyx": (3, 64, 64)}), [volume], [volume])
    with pytest.raises(StepError, match="2 images and 1 labels"):
        read_volumes(["a", "b"], ["a"])
    with pytest.raises(StepError, match="expected one of the set train at least, found none"):
        volumes_of(Namespace(image=[], labels=[]), 0.2, 3)


def test_the_default_settings_fit_the_volumes_of_snemi3d() -> None:
    sheet = read_rows(ROOT / "config/examples/snemi3d/volumes.tsv", Volume)
    sections = {"snemi3d_train": 80, "snemi3d_held_out": 20}
    kinds = (("train", "training"), ("validation", "validation"))
    for settings in (TrainSettings(), training_settings(PaperSettings(), "revnet", 4, 1)):
        for kind, purpose in kinds:
            names = [volume.name for volume in sheet if volume.set == kind]
            assert names
            for name in names:
                shape = (sections[name], 1024, 1024)
                nothing = np.broadcast_to(np.uint8(1), shape)
                check_fits(labelled(name, nothing, nothing), settings.patch_zyx, purpose)


def test_a_patch_fits_into_the_sections_that_are_kept_for_validation(volume) -> None:
    first, last = split(volume, 0.1, 3)
    assert (first.last, last.first, last.sections) == (7, 7, 3)
    assert split(volume, 0.1, 30)[0].sections == 0


def test_scores_are_of_the_middle_unless_the_labels_lie_elsewhere(volume) -> None:
    labels = np.asarray(volume.labels)
    size = (4, 16, 16)
    middle = (slice(3, 7), slice(16, 32), slice(16, 32))
    assert scored_window(volume, size) == middle
    corner = np.zeros_like(labels)
    corner[7:, 38:, 2:9] = labels[7:, 38:, 2:9]
    assert corner.any()
    found = scored_window(replace(volume, labels=corner), size)
    assert found == (slice(6, 10), slice(32, 48), slice(0, 16))
    last = split(replace(volume, labels=corner), 0.4)[1]
    assert scored_window(last, size) == found


def test_the_command_writes_weights_and_a_card(tmp_path, monkeypatch) -> None:
    for name, data in zip(("image", "labels"), tiles(), strict=True):
        zarr.create_array(str(tmp_path / f"v/{name}.zarr"), data=data, chunks=(4, 24, 24))
    settings = TINY.model_dump(mode="json") | {"steps": 2, "validation_share": 0.4}
    words = {
        "image": f"{tmp_path}/v/image.zarr",
        "labels": f"{tmp_path}/v/labels.zarr",
        "settings": json.dumps(settings),
        "checkpoint": f"{tmp_path}/c.ckpt",
        "weights": f"{tmp_path}/w.safetensors",
        "card": f"{tmp_path}/w.json",
    }
    line = [word for name, value in words.items() for word in (f"--{name}", value)]
    monkeypatch.setattr("sys.argv", ["train", *line])
    call(module)
    card = json.loads((tmp_path / "w.json").read_text())
    assert [one["what"] for one in card["data"]] == ["v, sections 0 to 5"]
    (held_out,) = card["held_out"].values()
    scores = held_out["scores"]
    assert held_out["n"] == 4 * 48 * 48 and 0 <= scores["arand"] <= 1
    assert str(tmp_path) not in (tmp_path / "w.json").read_text()
    from snakescope.neurites.networks.model_files import load_network

    network, header = load_network(tmp_path / "w.safetensors", card["sha256"])
    assert header["seed"] == 1
    assert parameter_count(network) > 0
