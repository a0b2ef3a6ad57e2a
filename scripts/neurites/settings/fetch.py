"""Settings of the fetching of SNEMI3D."""

from pydantic import Field

from configuration.strict import Settings


class FetchSettings(Settings):
    """Where SNEMI3D comes from, and how its labelled sections are divided."""

    url: str = Field(
        "https://zenodo.org/records/7142003/files/snemi.zip?download=1",
        pattern=r"^(https?|file)://",
        description="address of the archive; file:///path/snemi.zip takes one that you have",
    )
    md5: str = Field(
        "3d25a7025f66698f33c7850ace885939",
        pattern=r"^[0-9a-f]{32}$",
        description="MD5 sum that the archive must have",
    )
    train_sections: int = Field(
        80,
        ge=1,
        le=99,
        description="labelled sections to train with, from the first; the others of the 100 are"
        " kept for the scores",
    )
