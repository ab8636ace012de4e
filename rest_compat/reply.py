"""An answer as a value, before it becomes bytes on the wire."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["HAL", "JSON", "Reply"]

HAL: Final = "application/hal+json"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer.

    Args:
        status: the HTTP status.
        body: the bytes, None for none.
        media_type: of the body.
        headers: what else is to be said.
        pieces: the body, where it is too large to be held at once; type and length are in the headers then.
    """

    status: int
    body: bytes | None = None
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: AsyncIterator[bytes] | None = None
