"""Settings of the ingest step: how raw files are named and what may be missing."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from snakescope.healthspan.geometry import PIXEL_SIZE_UM
from snakescope.healthspan.plates.naming import CHANNELS, compile_pattern
from snakescope.settings.strict import Settings


class ChannelNames(Settings):
    """What file and folder names call a channel; case is ignored."""

    bright_field: tuple[str, ...] = Field(
        ("bright_field", "brightfield", "bf", "bright", "phase", "ph", "p"),
        description="names of the bright-field channel",
    )
    dark_field: tuple[str, ...] = Field(
        ("dark_field", "darkfield", "df", "dark", "green", "gfp", "c1", "red", "rfp", "c2"),
        description="names of the dark-field (fluorescence) channel",
    )
    ignored: tuple[str, ...] = Field((), description="names of channels to leave unread")

    @model_validator(mode="after")
    def _each_name_once(self) -> Self:
        names = [name.lower() for name in (*self.bright_field, *self.dark_field, *self.ignored)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"every name under one channel only ({', '.join(twice)} is under two)")
        return self


class IngestSettings(Settings):
    """How a folder of raw images becomes the frames of a plate."""

    pixel_size_um: float = Field(
        PIXEL_SIZE_UM,
        ge=0.05,
        le=500,
        description="pixel size of the raw images (um); a plate may override it",
    )
    pattern: str | None = Field(
        None,
        description="naming of the raw files, such as plate_day{days}.png, with the fields "
        "{channel}, {days}, {hours}, {minutes}, {seconds}, {year}, {month}, {monthname}, {day}, "
        "{timepoint}, {well}, {image}, {plate} and {any}; null recognises the exports of the "
        "IncuCyte; a plate may override it",
    )
    times: str | None = Field(
        None,
        description="table of the times of the images, where their names tell none: a column of "
        "files and one of days, hours or dates (file); `snakescope inspect` writes one from the "
        "dates in the images",
    )
    channels: Literal["auto"] | tuple[Literal["bright_field", "dark_field"], ...] = Field(
        "auto",
        description="channels that every timepoint must have; auto takes those that are there",
    )
    channel_names: ChannelNames = Field(
        ChannelNames(), description="what file and folder names call the channels"
    )
    default_channel: Literal["bright_field", "dark_field"] = Field(
        "bright_field", description="channel of files whose names tell none"
    )
    interval_h: float | None = Field(
        None,
        gt=0,
        description="scheduled time between timepoints (h), by which gaps are found; null takes "
        "every acquisition time as a timepoint and knows no gaps",
    )
    interval_tolerance: float = Field(
        0.3,
        gt=0,
        le=0.5,
        description="how far an image may be from its scheduled time (fraction of interval_h)",
    )
    duplicates: Literal["refuse", "first", "last"] = Field(
        "refuse",
        description="two files for one timepoint and channel: refuse the plate, or take the "
        "first or the last by name",
    )
    max_missing_fraction: float = Field(
        0.3,
        ge=0,
        le=1,
        description="fraction of timepoints that may be missing, unreadable or unregistered before "
        "the plate fails",
    )

    @field_validator("channels")
    @classmethod
    def _channels_once(cls, channels: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if (channels != "auto" and sorted(set(channels)) != sorted(channels)) or not channels:
            raise ValueError("auto, or one or two channels, each once")
        return channels if channels == "auto" else tuple(c for c in CHANNELS if c in channels)

    @field_validator("pattern")
    @classmethod
    def _pattern_compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            compile_pattern(pattern, plate="plate", timed=False)
        return pattern

    @model_validator(mode="after")
    def _timepoints_need_an_interval(self) -> Self:
        if self.pattern and self.times is None:
            try:
                compile_pattern(self.pattern, plate="plate")
            except ValueError as error:
                raise ValueError(f"{error}, or plates: times to name a table of them") from None
        if (
            self.times is None
            and self.pattern
            and "{timepoint}" in self.pattern
            and self.interval_h is None
        ):
            raise ValueError("interval_h to be set, since {timepoint} in the pattern tells no time")
        return self
