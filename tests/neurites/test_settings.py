"""Settings of the neurites tree that could not be obeyed are refused when they are read."""

import pytest

from snakescope.neurites.settings import NeuritesSettings
from snakescope.reference import SECTIONS
from snakescope.settings.load import load_sections
from snakescope.step.errors import StepError


@pytest.mark.parametrize(
    "section",
    [
        {"training": {"network": "revnet", "features": [15, 24]}},
        {"training": {"features": [0, 24]}},
        {"training": {"patch_zyx": [0, 16, 16]}},
        {"paper": {"n": [5]}},
        {"paper": {"patch_zyx": [18, 0, 160]}},
        {"simulation": {"shape": [0, 64, 64]}},
        {"prediction": {"patch_zyx": [0, -4, 160]}},
    ],
)
def test_what_no_step_could_do_is_refused(section: dict[str, object]) -> None:
    (name,) = section
    with pytest.raises(StepError, match=f"neurites.{name}") as refused:
        load_sections({"neurites": section}, SECTIONS)
    assert "\n" not in str(refused.value)


def test_the_base_network_may_have_odd_numbers_of_channels() -> None:
    section = {"training": {"network": "base", "features": [15, 24]}}
    loaded = load_sections({"neurites": section}, SECTIONS)["neurites"]
    assert isinstance(loaded, NeuritesSettings)
    assert loaded.training.features == (15, 24)
