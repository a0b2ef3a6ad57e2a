"""The table of steps of a tree."""

from typing import NamedTuple

from snakescope.settings.strict import Settings


class Step(NamedTuple):
    """What a rule needs to know of a step; importing it loads neither torch nor numpy.

    Attributes:
        module: dotted path of the module with ``add_arguments`` and ``main``. No command line holds
            it, so that a module may move without a reason to compute results again.
        settings: the model of the step's settings, which states the version of its results.
    """

    module: str
    settings: type[Settings]

    @property
    def version(self) -> int:
        """Version of the step's results, raised when they change."""
        return self.settings.version
