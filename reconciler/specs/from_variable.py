"""A value that an environment file does not hold: it names the environment variable that does."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FromEnvironmentVariable(BaseModel):
    """Where a value is read; never the value."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    env: Annotated[str, Field(min_length=1)]
    """Name of the environment variable that holds it."""
