"""Settings of the tiling."""

from pydantic import Field

from configuration.strict import Settings


class TileSettings(Settings):
    """How registered frames are brought to the model's pixel size and cut."""

    size_px: int = Field(
        440, ge=64, le=4096, description="side of a tile (px of the model's pixel size)"
    )
    model_pixel_size_um: float = Field(
        9.74,
        gt=0,
        le=200,
        description="pixel size at which the detector sees worms, that of its card (um)",
    )
