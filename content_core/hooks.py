"""Where one room must hear of what happens in another: the hooks, connected by ``opencaas``."""

from typing import Any, Protocol

from content_core.documents import Document
from content_core.names import AppKey

__all__ = ["DefinitionHook"]


class DefinitionHook(Protocol):
    """What the REST interface tells the GraphQL rooms about application definitions.

    A write goes: :meth:`prepare` (checks, builds, off the event loop), then the document is stored, then
    :meth:`activate` makes it answer on this server at once. Other servers follow by the change feed.
    """

    async def prepare(self, tenant: str, definition: Document) -> Any:
        """Check and build a definition that carries its ``_id``; give back what :meth:`activate` takes.

        Raises:
            DefinitionError: with every reason (400).
            ConflictError: another application answers at this address (409).
        """
        ...

    async def activate(self, prepared: Any, etag: str) -> None:
        """Let the prepared version answer; ``etag`` is the hex form of the stored ``_etag``."""
        ...

    async def retire(self, key: AppKey) -> None:
        """Stop answering for an application whose definition was deleted."""
        ...
