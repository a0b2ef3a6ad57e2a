"""Weights are looked at before a run, and the sentence says how to come by them."""

import json
import shlex
from pathlib import Path

import pytest
import yaml

from configuration.load import load_sections
from configuration.sections import SECTIONS
from configuration.weights import weights_checksum
from healthspan.models import MODELS, check_models, training_command
from healthspan.settings import HealthspanSettings
from healthspan.state_models import HYPER_PARAMETERS
from step.errors import StepError

REPOSITORY = Path(__file__).parents[2]
RULES = ["healthspan_register", *MODELS]


def files(folder: Path) -> dict[str, str]:
    return {rule: str(folder / f"{model}.safetensors") for rule, (_, model) in MODELS.items()}


def test_the_shipped_weights_are_those_of_their_cards() -> None:
    settings = HealthspanSettings()
    named = (settings.detect.weights, settings.classify.weights)
    check_models(RULES, dict(zip(MODELS, (str(REPOSITORY / one) for one in named), strict=True)))


def test_what_is_wrong_with_weights_is_told_by_file(tmp_path: Path) -> None:
    weights = files(tmp_path)
    check_models(["healthspan_register"], weights)
    with pytest.raises(
        StepError, match=r"classifier.safetensors: expected model weights, found no"
    ):
        check_models(RULES, weights)
    for path in map(Path, weights.values()):
        path.write_bytes(b"")
    with pytest.raises(StepError, match=r"classifier.json: expected the card of the weights"):
        check_models(RULES, weights)
    for path in map(Path, weights.values()):
        path.with_suffix(".json").write_text(json.dumps({"sha256": "00"}))
    with pytest.raises(StepError, match=r"SHA-256 00, found .*classifier.json") as refused:
        check_models(RULES, weights)
    assert str(refused.value).endswith("and name that file in healthspan: classify: weights")
    assert weights_checksum(weights["healthspan_detect"]) == "00"


@pytest.mark.parametrize("architecture", list(HYPER_PARAMETERS))
def test_the_command_trains_what_was_chosen(architecture: str) -> None:
    words = shlex.split(training_command("classifier", f"models/states_{architecture}.safetensors"))
    section, _, given = (words[-1] if "--config" in words else "healthspan={}").partition("=")
    loaded = load_sections({section: yaml.safe_load(given)}, SECTIONS)["healthspan"]
    assert isinstance(loaded, HealthspanSettings)
    assert loaded.train_classifier.architecture == architecture
    assert words[3] == "results/healthspan/models/classifier.safetensors"
