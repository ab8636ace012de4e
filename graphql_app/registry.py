"""The running applications: definitions as they come, change and go, compiled off the event loop and swapped at once.

What is stored decides. Whoever changes a definition, here or on another server, this server reads it, builds it, and
replaces the running version if the build succeeds; until then, and if it fails, the last good version answers.
"""

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import bson

from content_core import observe
from content_core.documents import Document
from content_core.errors import ConflictError, DefinitionError, IllegalNameError, StoreError
from content_core.names import GQL_APPS, AppKey
from content_core.store import ChangeEvent, ChangeFeed, FindQuery, Store
from graphql_app.plan.cache import BoundedCache, PlanCache
from graphql_app.plan.types import Operations
from graphql_app.schema.build import ExecutableApp, build_app
from graphql_app.schema.definition import parse_definition
from graphql_app.settings import GraphQLSettings

__all__ = ["ActiveApp", "Prepared", "Registry"]

_log = logging.getLogger(__name__)

_FULL_CHECK_SECONDS: Final = 60.0
"""Even with a live feed, everything is compared with the database so often."""

Place: TypeAlias = tuple[str, str]
"""Where a definition is stored: its database and its ``_id``."""


@dataclass(frozen=True, slots=True)
class ActiveApp:
    """One version of an application, with the operations that were planned and compiled for it."""

    app: ExecutableApp
    plans: PlanCache


@dataclass(frozen=True, slots=True)
class Prepared:
    """A definition that was checked and built and is not stored yet."""

    place: Place
    digest: bytes
    active: ActiveApp

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is worth telling whoever wrote the definition."""
        return self.active.app.warnings

    @property
    def collections(self) -> frozenset[tuple[str, str]]:
        """What the application reads, as pairs of database and collection."""
        return self.active.app.definition.collections


@dataclass(frozen=True, slots=True)
class _Version:
    """What is known of one stored definition.

    Attributes:
        digest: of the document that was looked at last.
        etag: its etag.
        active: the last version that could be built.
        problem: why the document looked at last could not be built.
    """

    digest: bytes
    etag: str
    active: ActiveApp | None
    problem: str | None = None


class Registry:
    """All applications of all tenants; implements :class:`content_core.hooks.DefinitionHook`."""

    def __init__(self, store: Store, feed: ChangeFeed, settings: GraphQLSettings) -> None:
        self._store = store
        self._feed = feed
        self._settings = settings
        self._operations = BoundedCache[Operations](entries=settings.plan_cache_size, length=settings.plan_cache_bytes)
        self._versions: dict[Place, _Version] = {}
        self._places: Mapping[AppKey, Place] = {}
        self._stale: dict[Place, None] = {}
        self._all_stale = False
        self._changed = asyncio.Event()
        self._writes: dict[Place, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._unsubscribe = contextlib.ExitStack()
        self._builder: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Load every stored definition and follow their changes; bad ones are logged and do not stop the start.

        Raises:
            StoreError: the database cannot be read.
        """
        unsubscribe = self._feed.subscribe(
            self._follow, collections=lambda _database, collection: collection == GQL_APPS, on_gap=self._lose_track
        )
        self._unsubscribe.callback(unsubscribe)
        for place, _ in await self._list_etags():
            await self._reconcile_logged(place)
        self._task = asyncio.create_task(self._keep_up(), name="graphql definitions")

    async def stop(self) -> None:
        """Stop following; the applications stay as they are."""
        self._unsubscribe.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._builder is not None:
            self._builder.shutdown(wait=False, cancel_futures=True)
            self._builder = None

    def get(self, key: AppKey) -> ExecutableApp | None:
        """Give the application that answers at an address; None if there is none, or it is disabled."""
        active = self.active(key)
        return None if active is None else active.app

    def active(self, key: AppKey) -> ActiveApp | None:
        """Give the same together with its planned operations."""
        place = self._places.get(key)
        version = None if place is None else self._versions.get(place)
        if version is None or version.active is None or not version.active.app.definition.enabled:
            return None
        return version.active

    def problem(self, key: AppKey) -> str | None:
        """Say why nothing answers at an address although a definition is stored there; None if that is not so."""
        version = self._versions.get(self._places.get(key, (key.tenant, key.document_id)))
        return version.problem if version is not None and version.active is None else None

    def problems(self) -> Mapping[str, str]:
        """Give the definitions whose stored version is not the one that answers, by their ids, with the reasons."""
        return {place[1]: version.problem for place, version in self._versions.items() if version.problem}

    async def prepare(self, tenant: str, definition: Document) -> Prepared:
        """Check and build a definition that is about to be stored; see the hook.

        Raises:
            DefinitionError: with every reason.
            ConflictError: another application answers at its address.
        """
        prepared = await self._build(tenant, definition)
        await self._refuse_collision(tenant, prepared)
        return prepared

    async def activate(self, prepared: Prepared, etag: str) -> None:
        """Let a stored definition answer at once; see the hook."""
        self._note_write(prepared.place)
        self._install(prepared.place, _Version(prepared.digest, etag, prepared.active))

    async def retire(self, key: AppKey) -> None:
        """Stop answering for a deleted definition; see the hook."""
        place = self._places.get(key, (key.tenant, key.document_id))
        self._note_write(place)
        self._remove(place)

    # --- the stored definitions ---------------------------------------------------------------------------------

    def _follow(self, event: ChangeEvent) -> None:
        if event.document_id is None:
            self._lose_track()
        elif isinstance(event.document_id, str):
            self._mark((event.database, event.document_id))

    def _lose_track(self) -> None:
        self._all_stale = True
        self._changed.set()

    def _mark(self, place: Place) -> None:
        self._stale[place] = None
        self._changed.set()

    def _note_write(self, place: Place) -> None:
        """Outdate builds under way, and compare with the database: writes may be told in another order than stored."""
        self._writes[place] = self._writes.get(place, 0) + 1
        self._mark(place)

    async def _keep_up(self) -> None:
        checked = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.poll_seconds):
                    await self._changed.wait()
            if not self._feed.live or time.monotonic() - checked > _FULL_CHECK_SECONDS:
                self._all_stale = True
            try:
                if self._all_stale:
                    self._all_stale = False
                    checked = time.monotonic()
                    self._stale |= dict.fromkeys(await self._list_outdated())
                self._changed.clear()
                while self._stale:
                    place = next(iter(self._stale))
                    del self._stale[place]
                    await self._reconcile_logged(place)
            except StoreError as error:
                _log.warning("graphql definitions cannot be read: %s", error.message)
                self._all_stale = True
                self._changed.clear()

    async def _reconcile_logged(self, place: Place) -> None:
        try:
            await self._reconcile(place)
        except StoreError:
            self._stale[place] = None
            raise
        except Exception:  # noqa: BLE001 - one definition must stop neither the start nor the others
            _log.exception("graphql definition %s could not be activated", place[1])

    async def _list_etags(self) -> list[tuple[Place, str]]:
        """List the definitions of all databases; a document whose id is no text is none."""
        found = []
        for database in await self._store.database_names():
            query = FindQuery(filter={}, projection={"_etag": 1}, sort=(("_id", 1),))
            found += [
                ((database, document["_id"]), _etag_of(document))
                for document in await self._store.find(database, GQL_APPS, query)
                if isinstance(document["_id"], str)
            ]
        return found

    async def _list_outdated(self) -> list[Place]:
        stored = dict(await self._list_etags())
        gone = [place for place in self._versions if place not in stored]
        return gone + [
            place
            for place, etag in stored.items()
            if not etag or place not in self._versions or self._versions[place].etag != etag
        ]

    async def _reconcile(self, place: Place) -> None:
        """Make what answers equal to what is stored; a write on this server in the meantime starts it anew."""
        writes = self._writes.get(place, 0)
        wanted = FindQuery(filter={"_id": {"$eq": place[1]}}, limit=1, verbatim=True)
        found = await self._store.find(place[0], GQL_APPS, wanted)
        if not found:
            version = None
        else:
            document = found[0]
            known = self._versions.get(place)
            digest = _digest(document)
            if known is not None and known.digest == digest:
                version = replace(known, etag=_etag_of(document))
            else:
                version = await self._read_version(place, document, digest)
        if writes != self._writes.get(place, 0):
            self._mark(place)
        elif version is None:
            self._remove(place)
        else:
            self._install(place, version)

    async def _read_version(self, place: Place, document: Document, digest: bytes) -> _Version:
        known = self._versions.get(place)
        last_good = known.active if known is not None else None
        etag = _etag_of(document)
        try:
            prepared = await self._build(place[0], document)
        except DefinitionError as error:
            observe.count("definition_changes", outcome="refused")
            _log.error("graphql definition %s is not valid, the last good version stays: %s", place[1], error.message)
            return _Version(digest, etag, last_good, error.message)
        return _Version(digest, etag, prepared.active)

    # --- building -----------------------------------------------------------------------------------------------

    async def _build(self, tenant: str, document: Document) -> Prepared:
        if self._builder is None:
            self._builder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="graphql-build")
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        try:
            return await loop.run_in_executor(self._builder, _build, tenant, document, self._settings, self._operations)
        finally:
            observe.duration("graphql_activation", time.perf_counter() - started)

    async def _refuse_collision(self, tenant: str, prepared: Prepared) -> None:
        """Compare with what is stored, disabled and invalid definitions included."""
        query = FindQuery(filter={}, projection={"descriptor.uri": 1})
        wanted = prepared.active.app.definition.key
        own = _addresses(tenant, prepared.place[1], wanted.uri)
        for other in await self._store.find(tenant, GQL_APPS, query):
            if other["_id"] == prepared.place[1]:
                continue
            descriptor = other.get("descriptor")
            uri = descriptor.get("uri") if isinstance(descriptor, dict) else None
            taken = own & _addresses(tenant, other["_id"], uri)
            if taken:
                address = wanted if wanted in taken else min(taken, key=str)
                raise ConflictError(f"URI collision: another GraphQL app is already accessible at /{address.uri}")

    # --- what answers -------------------------------------------------------------------------------------------

    def _install(self, place: Place, version: _Version) -> None:
        before = self._versions.get(place)
        self._versions[place] = version
        replaced = before.active if before is not None else None
        if version.active is not replaced:
            observe.count("definition_changes", outcome="activated")
            self._assign_addresses()
            _let_go(replaced)

    def _remove(self, place: Place) -> None:
        removed = self._versions.pop(place, None)
        if removed is not None:
            observe.count("definition_changes", outcome="removed")
            self._assign_addresses()
            _let_go(removed.active)

    def _assign_addresses(self) -> None:
        """Give each address to one definition: to the one that names it, else to the one whose id it is."""
        places: dict[AppKey, Place] = {}
        ordered = sorted(self._versions)
        for place in ordered:
            active = self._versions[place].active
            if active is not None:
                key = active.app.definition.key
                if places.setdefault(key, place) != place:
                    _log.error("graphql definition %s is out of reach: %s is taken", place[1], key)
        for place in ordered:
            for key in _addresses(place[0], place[1], None):
                places.setdefault(key, place)
        self._places = places


def _build(
    tenant: str, document: Document, settings: GraphQLSettings, operations: BoundedCache[Operations]
) -> Prepared:
    definition = parse_definition(document, tenant=tenant, limits=settings.limits)
    active = ActiveApp(build_app(definition), PlanCache(operations))
    return Prepared((tenant, definition.document_id), _digest(document), active)


def _let_go(active: ActiveApp | None) -> None:
    """Forget the operations of a version that does not answer any more; requests under way still have theirs."""
    if active is not None:
        active.plans.close()


def _addresses(tenant: str, document_id: Any, uri: Any) -> frozenset[AppKey]:
    """Give the addresses that a definition occupies: that of its uri and that of its id."""
    found = set()
    for text in (document_id, uri):
        if isinstance(text, str):
            with contextlib.suppress(IllegalNameError):
                found.add(AppKey.parse(text))
    return frozenset(key for key in found if key.tenant == tenant)


def _etag_of(document: Document) -> str:
    return str(document.get("_etag") or "")


def _digest(document: Document) -> bytes:
    """Tell versions apart by what they say: without the server's own members, and in any order of the outermost."""
    own = sorted(key for key in document if key == "_id" or not key.startswith("_"))
    return hashlib.sha256(bson.encode({key: document[key] for key in own})).digest()
