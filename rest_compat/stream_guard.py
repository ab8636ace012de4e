"""Sends watchers away whose reason to be there is gone: the stream's definition, or the right of their API key.

A token that runs out is no such reason: who is in stays in.
"""

import asyncio
from contextvars import Context
from dataclasses import replace
from typing import Any, Final

from content_core.access import AccessControl
from content_core.access.principals import key_principal
from content_core.access.reserved import PROPERTIES
from content_core.errors import ForbiddenError, StoreError
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import ChangeEvent, ChangeFeed, FindQuery, Store
from rest_compat.metadata import read_properties
from rest_compat.stream_definitions import find_definition
from rest_compat.watcher import CHANGED, FORBIDDEN, REMOVED, Watcher

__all__ = ["WatcherGuard"]

_AGAIN_SECONDS: Final = 0.25
_DROP_SECONDS: Final = 0.5
"""A collection's metadata go before it is dropped; what happened until then, and the drop itself, are still told."""

_Doubt = tuple[str, str, Any]
"""A kind of collection, a database, and the ``_id`` of a document; None for any."""


class WatcherGuard:
    """Follows the change feed on behalf of the watchers.

    Args:
        store: where definitions and keys are.
        access: weighs rights.
        feed: tells of changes to either.
    """

    def __init__(self, store: Store, access: AccessControl, feed: ChangeFeed) -> None:
        self._store = store
        self._access = access
        self._watchers: set[Watcher] = set()
        self._doubts: set[_Doubt] = set()
        self._task: asyncio.Task[None] | None = None
        self.generation = 0
        """Grows with everything that may concern a watcher: compared before and after one is made."""
        feed.subscribe(
            self._follow,
            collections=lambda _database, collection: collection in {PROPERTIES, APIKEYS},
            on_gap=self._doubt_all,
        )

    def add(self, watcher: Watcher, *, since: int) -> None:
        """Guard a watcher.

        Args:
            watcher: the watcher.
            since: :attr:`generation` when it began to be looked at.
        """
        self._watchers.add(watcher)
        if since != self.generation:
            self._doubt(PROPERTIES, watcher.database, None)
            self._doubt(APIKEYS, _home(watcher), None)

    def remove(self, watcher: Watcher) -> None:
        """Let a watcher go."""
        self._watchers.discard(watcher)

    def _follow(self, event: ChangeEvent) -> None:
        self.generation += 1
        for kind in [event.collection] if event.collection else [PROPERTIES, APIKEYS]:
            self._doubt(kind, event.database, event.document_id)

    def _doubt_all(self) -> None:
        self.generation += 1
        for watcher in self._watchers:
            self._doubt(PROPERTIES, watcher.database, None)
            self._doubt(APIKEYS, _home(watcher), None)

    def _doubt(self, kind: str, database: str, document_id: Any) -> None:
        if not self._watchers:
            return
        self._doubts.add((kind, database, document_id if isinstance(document_id, str) else None))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._clear_up(), name="watcher guard", context=Context())

    async def _clear_up(self) -> None:
        while self._doubts and self._watchers:
            doubt = self._doubts.pop()
            kind, database, document_id = doubt
            try:
                if kind == APIKEYS:
                    await self._check_keys(database, document_id)
                else:
                    await self._check_definitions(database, document_id)
            except StoreError:  # MongoDB is away, and what it would say is still to be heard
                self._doubts.add(doubt)
                await asyncio.sleep(_AGAIN_SECONDS)
        self._doubts.clear()

    async def _check_definitions(self, database: str, properties_id: str | None) -> None:
        """Compare the definitions with what was watched when the watchers came."""
        concerned = {watcher.collection for watcher in self._watchers if watcher.database == database}
        if properties_id is not None:
            concerned &= {properties_id.removeprefix(f"{PROPERTIES}.")}
        for collection in concerned:
            properties = await read_properties(self._store, database, collection)
            for watcher in tuple(self._watchers):
                if (watcher.database, watcher.collection) == (database, collection):
                    definition = find_definition(properties, watcher.uri)
                    if definition is None:
                        asyncio.get_running_loop().call_later(_DROP_SECONDS, watcher.close, REMOVED)
                    elif definition != watcher.definition:
                        watcher.close(CHANGED)

    async def _check_keys(self, database: str, key: str | None) -> None:
        """Weigh the rights of the keys anew, as they are stored now."""
        tenant = None if database == ADMIN_DATABASE else database
        wanted = {} if key is None else {"_id": {"$eq": key}}
        stored = await self._store.find(database, APIKEYS, FindQuery(filter=wanted))
        principals = [key_principal(each, tenant=tenant) for each in stored if each.get("key") == each["_id"]]
        by_id = {principal.key_id: principal for principal in principals}
        only = None if key is None else key_principal({"_id": key}, tenant=tenant).key_id
        for watcher in tuple(self._watchers):
            if _home(watcher) != database or (only is not None and watcher.principal.key_id != only):
                continue
            principal = by_id.get(watcher.principal.key_id)
            if principal is None:
                watcher.close(FORBIDDEN)
                continue
            standing = replace(principal, token_tenant=watcher.principal.token_tenant)
            try:
                self._access.authorize_path(standing, method="GET", segments=watcher.segments, websocket=True)
            except ForbiddenError:
                watcher.close(FORBIDDEN)


def _home(watcher: Watcher) -> str:
    """Name the database that holds a watcher's key; empty for the admin user, who has none."""
    if watcher.principal.kind == "admin":
        return ""
    return watcher.principal.tenant or ADMIN_DATABASE
