"""The base of every settings model: unknown keys are refused at every level."""

from collections.abc import Mapping
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo


def _is_number(annotation: Any) -> bool:
    """Whether a type is a number, or a choice of types of which one is and none is a truth."""
    choice = get_origin(annotation) in (Union, UnionType)
    types = get_args(annotation) if choice else (annotation,)
    return bool not in types and bool({int, float} & set(types))


class Settings(BaseModel):
    """A section of the configuration; frozen, and closed to unknown keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    version: ClassVar[int] = 1
    """Of the results of the step whose settings these are; raised when they change."""

    unrecorded: ClassVar[frozenset[str]] = frozenset()
    """Fields that change no result of the step, as where it runs: no reason to compute it again."""

    old_keys: ClassVar[Mapping[str, str]] = {}
    """Dotted keys of the release before, each with its new name, or with none where it is gone."""

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        field: FieldInfo | None = cls.model_fields.get(info.field_name or "")
        if isinstance(value, bool) and field is not None and _is_number(field.annotation):
            raise PydanticCustomError("number", "a number")
        return value

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
