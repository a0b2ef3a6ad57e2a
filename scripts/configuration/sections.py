"""The top-level keys of the configuration: one section a tree."""

from collections.abc import Mapping

from configuration.strict import Settings
from healthspan.settings import HealthspanSettings
from neurites.settings import NeuritesSettings

SECTIONS: Mapping[str, type[Settings]] = {
    "healthspan": HealthspanSettings,
    "neurites": NeuritesSettings,
}
