"""Settings of the seed's table, measured again."""

from pydantic import Field

from configuration.strict import Settings


class PaperSettings(Settings):
    """The table of the paper: networks, parameters, time, memory and accuracy."""

    steps: int = Field(200, ge=1, description="optimiser steps of every network (count)")
    seeds: tuple[int, ...] = Field((1,), min_length=1, description="a training for each")
    n: tuple[int, ...] = Field((1, 2, 3, 4), description="numbers of reversible blocks")
