"""The top-level keys of the configuration: one section a tree, and one for the cluster."""

from collections.abc import Mapping

from cluster.settings import ClusterSettings
from configuration.strict import Settings
from healthspan.settings import HealthspanSettings
from neurites.settings import NeuritesSettings

SECTIONS: Mapping[str, type[Settings]] = {
    "healthspan": HealthspanSettings,
    "cluster": ClusterSettings,
    "neurites": NeuritesSettings,
}
