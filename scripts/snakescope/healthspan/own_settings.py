"""Settings of one plate: those of the configuration, with the differences of a file of its own."""

from snakescope.healthspan.settings import HealthspanSettings
from snakescope.settings.differences import with_differences
from snakescope.step.errors import StepError

OWN = ("plates", "registration", "detection", "states", "tracking", "report")
"""Sections that a plate may have of its own."""


def settings_of_plate(settings: HealthspanSettings, path: str) -> HealthspanSettings:
    """Return the settings of a plate.

    Args:
        settings: of the run; path: the file that the plate's row names, empty without one.

    Raises:
        StepError: the file is absent or refused, or names models of its own.
    """
    if not path:
        return settings
    own = with_differences(settings, path, "healthspan", OWN)
    for theirs, ours in (
        (own.detection.detect.weights, settings.detection.detect.weights),
        (own.states.classify.weights, settings.states.classify.weights),
    ):
        if theirs != ours:
            raise StepError(
                f"{path}: expected the models of the configuration ({ours}), as all plates of a"
                f" run have the same, found {theirs}; move it to the configuration"
            )
    return own
