"""Shapes in settings."""

from typing import Annotated

from pydantic import Field

Side = Annotated[int, Field(ge=1)]
Shape = tuple[Side, Side, Side]
"""Voxels along z, y and x, at least one along each."""
