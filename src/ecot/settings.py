"""The base class of everything that is configured."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Settings refuse unknown keys and silent conversions ("4" for 4, true for 1). Their values never change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
