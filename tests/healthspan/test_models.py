"""Weights are looked at before a run, and the sentence says how to come by them."""

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from snakescope import REPOSITORY
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.healthspan.states.models import HYPER_PARAMETERS
from snakescope.healthspan.tree import Healthspan, training_command
from snakescope.learning.registry import Model, check_models, weights_checksum
from snakescope.neurites.settings import NeuritesSettings
from snakescope.neurites.tree import Neurites
from snakescope.reference import SECTIONS
from snakescope.settings.load import load_sections
from snakescope.step.errors import StepError

RULES = ["healthspan_register", "healthspan_classify", "healthspan_detect", "neurites_affinities"]


def models(weights_of: Callable[[str], str]) -> dict[str, Model]:
    """The models of the rules of both trees, each file found by a function of its path."""
    trees = (
        Healthspan(HealthspanSettings(), [], weights_of=weights_of),
        Neurites(NeuritesSettings(), [], weights_of=weights_of),
    )
    return {f"{tree.name}_{rule}": model for tree in trees for rule, model in tree.models().items()}


def test_the_shipped_weights_are_those_of_their_cards() -> None:
    check_models(RULES, models(lambda named: str(REPOSITORY / named)))


def test_what_is_wrong_with_weights_is_told_by_file(tmp_path: Path) -> None:
    names = ("detector", "classifier", "affinities")
    paths = [tmp_path / f"{name}.safetensors" for name in names]
    shipped = ("detector", "states", "neurites")
    found = dict(zip(shipped, map(str, paths), strict=True))
    wanted = models(lambda named: next(found[one] for one in shipped if one in Path(named).stem))
    check_models(["healthspan_register"], wanted)
    with pytest.raises(
        StepError, match=r"classifier.safetensors: expected model weights, found no"
    ):
        check_models(RULES, wanted)
    for path in paths:
        path.write_bytes(b"")
    with pytest.raises(StepError, match=r"classifier.json: expected the card of the weights"):
        check_models(RULES, wanted)
    for path in paths:
        path.with_suffix(".json").write_text(json.dumps({"sha256": "00"}))
    with pytest.raises(StepError, match=r"SHA-256 00, found .*classifier.json") as refused:
        check_models(RULES, wanted)
    assert str(refused.value).endswith(
        "and name that file in healthspan: states: classify: weights"
    )
    with pytest.raises(StepError, match=r"SHA-256 00, found .*affinities.json") as refused:
        check_models(["neurites_affinities"], wanted)
    assert str(refused.value).endswith("and name that file in neurites: prediction: weights")
    assert weights_checksum(paths[0]) == "00"


@pytest.mark.parametrize("architecture", list(HYPER_PARAMETERS))
def test_the_command_trains_what_was_chosen(architecture: str) -> None:
    words = shlex.split(training_command("classifier", f"models/states_{architecture}.safetensors"))
    section, _, given = (words[-1] if "--config" in words else "healthspan={}").partition("=")
    loaded = load_sections({section: yaml.safe_load(given)}, SECTIONS)["healthspan"]
    assert isinstance(loaded, HealthspanSettings)
    assert loaded.training.classifier.architecture == architecture
    assert words[3] == "results/healthspan/models/classifier.safetensors"
