"""Settings of one subject, where they differ from those of the run."""

from pathlib import Path

import pytest

from snakescope.healthspan.own_settings import settings_of_plate
from snakescope.healthspan.settings import HealthspanSettings
from snakescope.step.errors import StepError

RUN = HealthspanSettings.model_validate(
    {"plates": {"pixel_size_um": 9.0, "interval_h": 12}, "registration": {"max_scale_change": 0.02}}
)


def own(tmp_path: Path, text: str) -> HealthspanSettings:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    return settings_of_plate(RUN, str(path))


def test_differences_come_over_the_settings_of_the_run(tmp_path: Path) -> None:
    found = own(
        tmp_path,
        "healthspan:\n  plates: {pixel_size_um: 30}\n  detection:\n    detect: {rim_um: 90}",
    )
    assert (found.plates.pixel_size_um, found.plates.interval_h) == (30, 12)
    assert found.detection.detect.rim_um == 90
    # A rule over several keys is met by both together.
    found = own(tmp_path, "healthspan: {registration: {max_tilt: 0.05}}")
    assert found.registration.max_scale_change == 0.02
    assert settings_of_plate(RUN, "") is RUN


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("healthspan: {survival: {}}", "found healthspan: survival; move it to the configuration"),
        ("healthspan: {detection: {detect: {rim: 3}}}", "found 'rim'"),
        ("plates: {pixel_size_um: 3}", "expected one section healthspan:"),
        ("healthspan: {detection: {detect: {weights: x.safetensors}}}", "expected the models of"),
        ("- 3", "expected sections"),
    ],
)
def test_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(StepError) as refused:
        own(tmp_path, text)
    assert sentence in str(refused.value) and "own.yaml" in str(refused.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="expected settings of the healthspan tree"):
        settings_of_plate(RUN, str(tmp_path / "absent.yaml"))
