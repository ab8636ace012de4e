"""Finds an API key by the digest that a security token carries: the token must not hold the key, and no key its digest.

Stored keys stay as clients wrote them. A digest leads to the same key forever, so what was read once stays true;
whether the key is still there is for the caller to look up.
"""

import time
from collections.abc import Callable
from typing import Final

from content_core.names import APIKEYS
from content_core.store import FindQuery, Store

__all__ = ["KeyDirectory"]

_MAX_KEYS: Final = 200_000
"""Digests kept in all; past it everything is forgotten, and read again where it is needed."""

_MISS_SECONDS: Final = 1.0
"""How long a deleted key's tokens cost no reading of all keys. A token is never older than its key."""


class KeyDirectory:
    """The digests of the keys in each database that tokens were shown for.

    Args:
        store: where the keys are.
        digest: how a key becomes a digest.
    """

    def __init__(self, store: Store, digest: Callable[[str], str]) -> None:
        self._store = store
        self._digest = digest
        self._keys: dict[str, str] = {}
        self._misses: dict[tuple[str, str], float] = {}

    async def find(self, database: str, digest: str) -> str | None:
        """Give the key behind a digest; None where the database has none."""
        if digest in self._keys:
            return self._keys[digest]
        now = time.monotonic()
        if self._misses.get((database, digest), 0.0) > now:
            return None
        await self._read(database)
        if digest not in self._keys:
            if len(self._misses) >= _MAX_KEYS:
                self._misses.clear()
            self._misses[database, digest] = now + _MISS_SECONDS
        return self._keys.get(digest)

    async def _read(self, database: str) -> None:
        found = await self._store.find(
            database, APIKEYS, FindQuery(filter={"_id": {"$type": "string"}}, projection={"_id": 1})
        )
        if len(self._keys) + len(found) > _MAX_KEYS:
            self._keys.clear()
        self._keys |= {self._digest(document["_id"]): document["_id"] for document in found}
