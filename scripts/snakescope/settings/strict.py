"""The base of settings and of rows of sheets: unknown keys are refused at every level."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from snakescope.step.numbers import checked, is_number


class Strict(BaseModel):
    """Frozen, closed to unknown keys, with finite numbers as people write them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _number_as_written(cls, value: Any, info: ValidationInfo) -> Any:
        field: FieldInfo | None = cls.model_fields.get(info.field_name or "")
        if field is None or not is_number(field.annotation):
            return value
        if isinstance(value, bool):
            raise PydanticCustomError("number", "a number")
        return checked(value)


class Settings(Strict):
    """A section of the configuration."""

    model_config = ConfigDict(validate_default=True)

    version: ClassVar[int] = 1
    """Of the results of the step whose settings these are; raised when they change."""

    unrecorded: ClassVar[frozenset[str]] = frozenset()
    """Fields that change no result of the step, as where it runs: no reason to compute it again."""

    old_keys: ClassVar[Mapping[str, str]] = {}
    """Dotted keys of the release before, each with its new name, or with none where it is gone."""

    def recorded(self, *keys: str) -> str:
        """Return what results depend on, or some of it, as JSON, where it is no default."""
        kept = set(keys) or set(type(self).model_fields)
        return self.model_dump_json(exclude_defaults=True, include=kept - self.unrecorded)

    def section(self, model: "type[Settings]") -> "Settings | None":
        """The section whose type is ``model`` or a model that it extends, breadth first."""
        level: list[Settings] = [self]
        while level:
            for section in level:
                if type(section) is not Settings and issubclass(model, type(section)):
                    return section
            values = (
                getattr(section, name) for section in level for name in type(section).model_fields
            )
            level = [value for value in values if isinstance(value, Settings)]
        return None
