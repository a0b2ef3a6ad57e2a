"""The base of every settings model: unknown keys are refused at every level."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A section of the configuration; frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
