"""Settings of the neurites tree that could not be obeyed are refused when they are read."""

import pytest

from snakescope.neurites.settings import NeuritesSettings
from snakescope.settings.load import load_sections
from snakescope.settings.sections import SECTIONS
from snakescope.step.errors import StepError


@pytest.mark.parametrize(
    "section",
    [
        {"train": {"network": "revnet", "features": [15, 24]}},
        {"train": {"features": [0, 24]}},
        {"train": {"patch_zyx": [0, 16, 16]}},
        {"paper": {"n": [5]}},
        {"paper": {"patch_zyx": [18, 0, 160]}},
        {"simulate": {"shape": [0, 64, 64]}},
        {"predict": {"patch_zyx": [0, -4, 160]}},
    ],
)
def test_what_no_step_could_do_is_refused(section: dict[str, object]) -> None:
    (name,) = section
    with pytest.raises(StepError, match=f"neurites.{name}") as refused:
        load_sections({"neurites": section}, SECTIONS)
    assert "\n" not in str(refused.value)


def test_the_base_network_may_have_odd_numbers_of_channels() -> None:
    section = {"train": {"network": "base", "features": [15, 24]}}
    loaded = load_sections({"neurites": section}, SECTIONS)["neurites"]
    assert isinstance(loaded, NeuritesSettings)
    assert loaded.train.features == (15, 24)
