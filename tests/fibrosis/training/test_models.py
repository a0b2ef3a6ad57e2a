"""Every model is fitted, kept, restored and asked; nothing leaks into a prediction."""

import numpy as np
import pytest
import torch

from snakescope.fibrosis.costs import of_training
from snakescope.fibrosis.networks.ordinal import OrdinalNet
from snakescope.fibrosis.prediction.ensemble import Familiar, ask, external_scores, joined
from snakescope.fibrosis.prediction.predict import temperature_of, tidied
from snakescope.fibrosis.prediction.settings import EnsembleSettings
from snakescope.fibrosis.simulation.cohort import Planned
from snakescope.fibrosis.simulation.devices import DEVICES
from snakescope.fibrosis.simulation.settings import SimulateSettings
from snakescope.fibrosis.simulation.simulate import simulate
from snakescope.fibrosis.training.adapted import adapted
from snakescope.fibrosis.training.beside import sector_of, simulated_views
from snakescope.fibrosis.training.examples import Examples, moved, normalisation_of, rescanned
from snakescope.fibrosis.training.models import (
    class_probabilities,
    fit_model,
    predict,
    restored,
)
from snakescope.fibrosis.training.networks import material
from snakescope.fibrosis.training.settings import MODELS, FitSettings
from snakescope.imaging.sector import fit_sector
from snakescope.learning.weights import load_weights, save_weights
from snakescope.step.errors import StepError

TINY = FitSettings.model_validate({
    "threads": 1, "device": "cpu",
    "paper": {"width": 2, "size_px": 32, "batch": 2, "epochs": 1},
    "ordinal": {"width": 4, "size_px": 64, "speckle_px": 128, "batch": 4, "epochs": 1},
    "vgg": {"size_px": 32, "patch_px": 32, "patches": 1, "epochs": 2},
})  # fmt: skip


def drawn(count: int = 10, side: int = 128) -> Examples:
    """Squares of noise that is coarser in later stages, in a black frame."""
    rng = np.random.default_rng(1)
    images, masks = [], []
    for at in range(count):
        coarse = np.kron(rng.normal(size=(16, 16)), np.ones((side // 16, side // 16)))
        grey = 110 + 12 * rng.normal(size=(side, side)) + 9 * (at % 5) * coarse
        image = np.clip(grey, 1, 255).astype(np.uint8)
        image[:8] = image[-8:] = 0
        mask = np.zeros((side, side), np.uint8)
        mask[30:100, 20:110] = 255
        images.append(image)
        masks.append(mask)
    names = tuple(f"s{at}" for at in range(count))
    stages = np.arange(count) % 5
    return Examples(names, tuple(images), tuple(masks), stages, names)


@pytest.mark.parametrize(
    "name", [name for name in MODELS if not name.startswith("vgg")] + ["vgg16"]
)
def test_a_model_is_kept_and_restored(name, tmp_path):
    examples = drawn()
    fitted = fit_model(name, examples, TINY, {"x": 1}, tmp_path / "a.ckpt")
    save_weights(tmp_path / "w.safetensors", fitted.module, fitted.card)
    again = restored(*load_weights(tmp_path / "w.safetensors"))
    one, other = (predict(model, examples.of([0, 3])) for model in (fitted, again))
    for a, b in zip(one, other, strict=True):
        assert np.allclose(a.logits, b.logits) and a.logits.shape == (3,)
        assert (a.liver is None) == (name not in ("paper", "ordinal"))
    blind = Examples(
        examples.names, examples.images, (None,) * 10, np.full(10, -1), examples.groups
    )
    if name in ("paper", "ordinal", "vgg16", "majority"):  # which see no outline
        assert np.allclose(one[0].logits, predict(fitted, blind.of([0]))[0].logits)


def test_a_training_is_reproducible():
    torch.manual_seed(5)
    one = fit_model("ordinal", drawn(), TINY, {})
    torch.manual_seed(6)
    other = fit_model("ordinal", drawn(), TINY, {})
    for a, b in zip(
        one.module.state_dict().values(), other.module.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_a_training_starts_from_weights_of_equal_width(tmp_path):
    path = tmp_path / "w.safetensors"
    first = fit_model("ordinal", drawn(), TINY, {})
    save_weights(path, first.module, first.card)
    still = {**TINY.model_dump(), "start": str(path)}
    still["ordinal"] |= {"rate": 1e-12}
    again = fit_model("ordinal", drawn(), FitSettings.model_validate(still), {})
    # Nothing was learnt, and the stages were read anew, not on top of the first reading.
    assert torch.allclose(again.module.output.weight, first.module.output.weight)
    ratio = again.module.sd / first.module.sd
    assert ((ratio > 0.5) & (ratio < 2)).float().mean() > 0.8
    wide = {**still, "ordinal": {**still["ordinal"], "width": 6}}
    with pytest.raises(StepError, match="`ordinal` of width 6, found other ones"):
        fit_model("ordinal", drawn(), FitSettings.model_validate(wide), {})
    gone = {**still, "start": str(tmp_path / "none.safetensors")}
    with pytest.raises(StepError, match="found no such file"):
        fit_model("ordinal", drawn(), FitSettings.model_validate(gone), {})


def test_a_network_is_adapted_to_another_device_by_its_scans_alone():
    examples = drawn()
    learnt = TINY.model_dump()
    learnt["ordinal"] |= {"epochs": 12, "rate": 0.01}
    fitted = fit_model("ordinal", examples, FitSettings.model_validate(learnt), {})
    before = {name: one.clone() for name, one in fitted.module.state_dict().items()}
    flat = tuple(
        np.where(one > 0, np.clip(one * 0.45 + 15, 1, 255), 0).astype(np.uint8)
        for one in examples.images
    )  # of a scanner with another gain and range
    other = Examples(examples.names, flat, (None,) * 10, np.full(10, -1), examples.groups)
    own, new = adapted(fitted, examples), adapted(fitted, other)
    assert new.norm == normalisation_of(other) and not new.module.training
    for name, one in fitted.module.state_dict().items():
        assert torch.equal(one, before[name])  # a copy was changed
    wanted, found, asked = (
        np.array([one.liver for one in predict(model, scans)])
        for model, scans in ((own, examples), (new, other), (fitted, other))
    )
    assert np.abs(found - wanted).mean() < 0.5 * np.abs(asked - wanted).mean()


def test_many_scans_are_adapted_to_by_some_of_them(monkeypatch):
    examples = drawn()
    fitted = fit_model("majority", examples, TINY, {})._replace(
        module=OrdinalNet(4), name="ordinal"
    )
    whole = adapted(fitted, examples.of([0, 4, 9]))
    monkeypatch.setattr("snakescope.fibrosis.training.adapted.MOST", 3)
    few = examples.of([0, 4, 9])
    monkeypatch.setattr(
        "snakescope.fibrosis.training.adapted.normalisation_of", lambda _: normalisation_of(few)
    )
    again = adapted(fitted, examples)
    for name, one in whole.module.state_dict().items():
        assert torch.equal(one, again.module.state_dict()[name])


def test_more_is_asked_for_where_views_are_simulated_beside():
    few = of_training(TINY, "ordinal", 4).amounts
    views = TINY.model_copy(update={"ordinal": TINY.ordinal.model_copy(update={"views": 40})})
    more = of_training(views, "ordinal", 4).amounts
    assert more["item"] == few["item"] + 40
    assert more["work"] == pytest.approx(few["work"] * (5 * 4 + 40) / 4)
    assert of_training(views, "paper", 4) == of_training(TINY, "paper", 4)


def test_simulated_views_stand_beside_few_scans_and_tell_no_stage():
    examples, given = drawn(4), TINY.model_dump()
    given["ordinal"] |= {"views": 16}
    settings = FitSettings.model_validate(given)
    norm = normalisation_of(examples)
    scans = material("ordinal", examples, norm, settings)
    views = simulated_views(16, settings.seed)
    assert len(views) == 20 and len(scans) == 2 * 4 + 20
    assert [one.label for one in scans] == [0, 1, 2, 3] * 2 + [-1] * 20
    assert scans[0].norm == norm and scans[-1].norm == normalisation_of(views)
    assert len(material("paper", examples, norm, settings)) == 4
    for image, mask in zip(views.images, views.masks, strict=True):
        assert image.shape == mask.shape == (512, 512) and not mask[image == 0].any()
    assert torch.isfinite(fit_model("ordinal", examples, settings, {}).module.axis.weight).all()


def test_the_sector_of_a_simulated_device_is_the_one_that_is_found():
    for name, device in DEVICES.items():
        frame = simulate(Planned("s", "p", 0, name, 0), SimulateSettings(set="x")).image
        known, found = sector_of(device).mask(frame.shape), fit_sector(frame).mask(frame.shape)
        assert (known & found).sum() / (known | found).sum() > 0.97


def test_far_moves_stay_in_the_sector():
    examples = drawn(1)
    image = examples.images[0].astype(np.float32)
    found = moved(image, np.ones_like(image), np.random.default_rng(0), flip=True, moves=3)
    assert not found.image[image == 0].any() and (found.mask[found.image == 0] == 0).all()
    assert (found.image > 0).sum() < (image > 0).sum()


def test_augmentation_keeps_the_outside_black():
    examples = drawn(1)
    image = examples.images[0].astype(np.float32)
    rng = np.random.default_rng(0)
    found = moved(image, np.ones_like(image), rng)
    assert (found.image[found.image > 0] >= 1).all() and (found.image == 0).any()
    again = rescanned(image, rng)
    assert np.array_equal(again == 0, image == 0)
    assert normalisation_of(examples).sd > 1


def test_class_probabilities_are_differences_of_thresholds():
    found = class_probabilities(np.array([0.9, 0.7, 0.4, 0.1]), 3)
    assert found == pytest.approx([0.3, 0.6, 0.1])
    assert class_probabilities(np.array([0.9, 0.7, 0.4, 0.1]), 5).sum() == pytest.approx(1)


def test_a_temperature_of_few_scans_stays_near_one():
    sure = np.array([[6.0, 0, 0], [0, 6.0, 0], [6.0, 0, 0]])
    wrong = np.array([1, 1, 2])
    assert 1.2 < temperature_of(sure, wrong) < 5
    assert temperature_of(np.zeros((0, 3)), np.zeros(0, int)) == 1


def test_unfamiliar_scans_are_farther_away():
    rng = np.random.default_rng(1)
    train = rng.normal(size=(60, 4))
    known = Familiar(train, 0.99)
    assert (known.distance(train) <= 1).mean() >= 0.98
    assert (known.distance(rng.normal(size=(5, 4)) + 20) > 2).all()


def test_an_ensemble_abstains_with_a_reason():
    examples = drawn()
    fitted = fit_model("ordinal", examples, TINY, {})
    noise = np.random.default_rng(2).integers(1, 255, (128, 128)).astype(np.uint8)
    new = Examples(("odd", "usual"), (noise, examples.images[0]), (None, None),
                   np.array([-1, 0]), ("p", "q"))  # fmt: skip
    never = EnsembleSettings(min_confidence=1.0, max_distance=1e9, min_liver=0.0)
    table, livers = ask([fitted, fitted], examples, new, never)
    assert (table["abstains"] == "no class is likely enough").all() and len(livers) == 2
    free = EnsembleSettings(min_confidence=0.0, max_distance=1.2, min_liver=0.0)
    table, _ = ask([fitted, fitted], examples, new, free)
    assert table["abstains"].tolist() == ["unlike the training scans", ""]
    table, _ = ask([fitted], examples, new, free.model_copy(update={"adapt": True}))
    assert table["liver_share"].between(0, 1).all()
    scores = external_scores(table, 3).set_index("metric")
    assert scores.at["accuracy", "n"] == 1
    predictions = predict(fitted, new)
    probability, spread, _ = joined([predictions, predictions], [1.0, 1.0])
    assert probability.sum(axis=1) == pytest.approx(1) and np.allclose(spread, 0)


def test_an_outline_is_made_one_piece_without_holes():
    liver = np.zeros((20, 20), np.float32)
    liver[2:12, 2:12], liver[5, 5], liver[15:18, 15:18], liver[0, 19] = 0.7, 0.1, 0.9, 0.3
    found = tidied(liver)
    assert (found >= 0.5).sum() == 100 and found[5, 5] == 1 and found[16, 16] == 0
    assert found[0, 19] == liver[0, 19] and found[3, 3] == liver[3, 3]
    assert not tidied(np.zeros((4, 4), np.float32)).any()
