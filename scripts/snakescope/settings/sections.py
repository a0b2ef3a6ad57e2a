"""The top-level keys of the configuration: one section a tree, and one for the cluster."""

from collections.abc import Mapping

from snakescope.healthspan.settings import HealthspanSettings
from snakescope.neurites.settings import NeuritesSettings
from snakescope.run.settings import ClusterSettings
from snakescope.settings.strict import Settings

SECTIONS: Mapping[str, type[Settings]] = {
    "healthspan": HealthspanSettings,
    "cluster": ClusterSettings,
    "neurites": NeuritesSettings,
}
