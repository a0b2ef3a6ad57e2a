"""Settings of the networks."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from snakescope.membranes.networks.kernels import BRANCHES, Kernels, check_kernels
from snakescope.settings.strict import Settings

Branch = Literal["F1", "F2", "F3"]


class NetworkSettings(Settings):
    """The network that tells membranes."""

    architecture: Literal["dcn", "unet"] = Field(
        "dcn",
        description="dcn: Deep Contextual Network (Chen et al. 2016); unet: a U-Net of at most as"
        " many parameters as the dcn of the same settings",
    )
    kernels: Annotated[Kernels, AfterValidator(check_kernels)] = Field(
        (4, 8, 16),
        description="sides of the deconvolution kernels of F1, F2 and F3 (px): at least the strides"
        " 2, 4 and 8, and even; multiples of the stride leave no pattern of squares",
    )
    width: int = Field(
        16, ge=2, le=64, description="channels of the first stage; the next have 2, 4, 8 times more"
    )
    branches: tuple[Branch, ...] = Field(
        ("F1", "F2", "F3"),
        min_length=1,
        description="branches that are summed; leave some out to compare",
    )
    normalisation: Literal["batch", "none"] = Field(
        "batch", description="batch normalisation after every convolution, or none"
    )
    logits: Literal["linear", "rectified"] = Field(
        "rectified",
        description="rectified: a branch can only argue for a class, as in the code of Takaya et"
        " al.; linear: without their last ReLU",
    )
    neighbours: int = Field(
        0,
        ge=0,
        le=3,
        description="sections on either side that the network sees as well, as channels (count)",
    )

    @model_validator(mode="after")
    def _branches_once(self) -> Self:
        if list(self.branches) != [name for name in BRANCHES if name in self.branches]:
            raise ValueError("branches in the order F1, F2, F3, each once")
        return self

    @property
    def channels(self) -> int:
        """Sections that enter the network."""
        return 2 * self.neighbours + 1


def described(settings: NetworkSettings) -> dict[str, object]:
    """What rebuilds the network, for the header of weights."""
    return {"network": settings.model_dump(mode="json")}


def of_description(card: dict[str, object]) -> NetworkSettings:
    """The settings of a network of the header of its weights."""
    return NetworkSettings.model_validate(card["network"])
