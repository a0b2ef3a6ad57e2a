"""Settings of the search for kernels."""

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from snakescope.membranes.networks.kernels import PAPER_SETTINGS, Kernels, check_kernels
from snakescope.membranes.networks.settings import NetworkSettings
from snakescope.membranes.training.settings import TrainSettings
from snakescope.settings.strict import Settings

Checked = Annotated[Kernels, AfterValidator(check_kernels)]


class TrialSettings(Settings):
    """A training of the search, and how it is scored."""

    version: ClassVar[int] = 1
    unrecorded: ClassVar[frozenset[str]] = frozenset()

    training: TrainSettings = Field(
        TrainSettings(
            network=NetworkSettings(width=8),
            crop_px=128,
            batch=2,
            learning_rate=3e-3,
            schedule="constant",
            steps=80,
            warmup_steps=10,
            ema_decay=0.95,
            scaling=0,
            elastic_px=0,
            grey_jitter=0,
            blur_px=0,
            noise=0,
        ),
        description="of all trainings; kernels, seed and steps are those of the trial",
    )

    @model_validator(mode="after")
    def _can_be_lengthened(self) -> Self:
        if self.training.schedule != "constant":
            raise ValueError("a constant schedule, so that trainings can go on")
        return self


class SearchSettings(Settings):
    """Which kernels are tried, and for how long."""

    version: ClassVar[int] = 1

    trial: TrialSettings = Field(TrialSettings(), description="one training of the search")
    kernels: tuple[Checked, ...] = Field(
        PAPER_SETTINGS,
        min_length=2,
        description="kernels that are tried, the first as the reference; by default the 16 of"
        " table 1 of Takaya et al.",
    )
    seeds: int = Field(2, ge=1, le=99, description="trainings of each setting, with paired seeds")
    rungs: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (20, 40, 80), min_length=1, description="steps after which settings are compared"
    )
    kept: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5, description="share of the settings that goes on after each rung"
    )

    @model_validator(mode="after")
    def _ascending(self) -> Self:
        if list(self.rungs) != sorted(set(self.rungs)):
            raise ValueError("rungs in ascending order, each once")
        if len(set(self.kernels)) != len(self.kernels):
            raise ValueError("kernels that differ, each once")
        return self


class SearchPageSettings(SearchSettings):
    """Of the page of a search: the settings of the search."""

    version: ClassVar[int] = 1


class PaperSettings(Settings):
    """The comparison of searches on a full table of trainings."""

    version: ClassVar[int] = 1

    seeds: int = Field(10, ge=2, le=99, description="trainings of each setting")
    resamples: int = Field(2000, ge=100, description="replays of each strategy")
    seed: int = Field(1, ge=0, description="seed of the replays")
