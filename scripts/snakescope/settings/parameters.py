"""Settings as parameters of rules."""

from collections.abc import Callable
from typing import Any

from snakescope.settings.strict import Settings
from snakescope.step.signature import signed


def handed_over(settings: Settings) -> Callable[[Any, Any], str]:
    """Make a parameter: all settings as JSON, where they are no defaults, unrecorded ones as well.

    Snakemake records no parameter whose function knows the outputs. What results depend on is
    recorded beside it, see :meth:`snakescope.settings.strict.Settings.recorded`.
    """

    @signed
    def parameter(wildcards: Any, output: Any) -> str:
        return settings.model_dump_json(exclude_defaults=True)

    return parameter
