"""What a project needs on a server before content comes: made where it is missing, and left alone where it is not.

The database, a collection and a bucket per state, the change stream ``crud``, the indexes, the project's API keys, its
GraphQL applications. Content cannot do without collections; all else may be refused to a job's API key, which the
report then says.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from content_core.documents import Document
from content_core.indexes import CONTENT_INDEXES
from content_core.names import GQL_APPS, State
from content_sync.client import SyncClient
from content_sync.errors import MissingError, RefusedError, SyncError
from content_sync.project_keys import create_keys, find_keys, plan_keys

__all__ = ["CRUD", "Outcome", "Provision", "ProvisionError", "ProvisionReport", "provision"]

CRUD: Final[Mapping[str, Any]] = {
    "uri": "crud",
    "stages": [{"$match": {"$or": [{"operationType": kind} for kind in ("insert", "update", "replace", "delete")]}}],
}
"""The change stream that clients of the platform expect on every content collection."""

_KEYS_HINT: Final = "they are no part of the content; whoever may write API keys can make them"

Outcome = Literal["created", "present", "missing", "refused"]


class ProvisionError(SyncError):
    """There is no place for the project's content, and none can be made."""

    code = "OC812"
    status = 502


@dataclass(frozen=True, slots=True)
class Provision:
    """One thing that a project needs.

    Attributes:
        what: its kind and name, such as ``collection <GID>.preview.content``; never the value of a key.
        outcome: whether it was there before, was made, is missing (a dry run makes nothing), or could not be made.
        why: the reason of a refusal.
    """

    what: str
    outcome: Outcome
    why: str = ""

    def __str__(self) -> str:
        return f"{self.outcome} {self.what}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class ProvisionReport:
    """What a project needs, in the order in which it was looked at."""

    items: tuple[Provision, ...]

    def of(self, outcome: Outcome) -> tuple[Provision, ...]:
        """Those with one outcome."""
        return tuple(item for item in self.items if item.outcome == outcome)

    def counts(self) -> dict[str, int]:
        """Outcome → how many; without those that did not occur."""
        counted = Counter(item.outcome for item in self.items)
        return {
            outcome: counted[outcome] for outcome in ("created", "present", "missing", "refused") if counted[outcome]
        }

    def lines(self) -> list[str]:
        """What a person should know: everything but what was there before."""
        return [str(item) for item in self.items if item.outcome != "present"]

    def as_json(self) -> dict[str, Any]:
        """The same for machines."""
        told = {outcome: [item.what for item in self.of(outcome)] for outcome in ("created", "missing")}
        refused = [{"what": item.what, "why": item.why} for item in self.of("refused")]
        return {"present": len(self.of("present")), **told, "refused": refused}


async def provision(
    client: SyncClient,
    *,
    states: Sequence[State],
    definitions: Mapping[State, Document] | None = None,
    dry_run: bool = False,
) -> ProvisionReport:
    """Make what a project needs, where it is missing. A second run changes nothing.

    Args:
        client: the project on its server.
        states: the states that content will be sent for. API keys are made for both, as they belong to the project.
        definitions: the definitions of generated applications; those that are deployed stay as they are.
        dry_run: make nothing, and report as missing what would be made.

    Raises:
        ProvisionError: content has no place.
        SyncError: the server refused to be read, or could not be reached.
    """
    maker = _Maker(client, dry_run=dry_run)
    await maker.homes(states)
    for state in states:
        await maker.furnish(state)
    await maker.keys()
    for state in states:
        if definitions and state in definitions:
            await maker.application(definitions[state])
    return ProvisionReport(tuple(maker.items))


class _Maker:
    """Looks, makes, and says what it did."""

    def __init__(self, client: SyncClient, *, dry_run: bool) -> None:
        self.items: list[Provision] = []
        self._client = client
        self._dry_run = dry_run

    async def homes(self, states: Sequence[State]) -> None:
        """Make the database and the collections, without which no content can come.

        Raises:
            ProvisionError: they are missing, and the key may not make them.
        """
        names = [self._client.collection(state) for state in states]
        there = {name: await self._client.exists(self._client.path(name, "_meta")) for name in names}
        if any(there.values()):
            self._note(f"database {self._client.tenant}", "present")
        else:
            await self._database()
        for name in names:
            # With its stream: of two jobs that make it at once, the second must not take away what the first gave it.
            await self._ensure(f"collection {name}", self._client.path(name), {"streams": [CRUD]}, there=there[name])

    async def furnish(self, state: State) -> None:
        """Make what belongs to a content collection: its stream, its indexes, and the bucket beside it."""
        path = self._client.path(self._client.collection(state))
        await self._stream(path, state)
        await self._indexes(path, state)
        bucket = self._client.path(self._client.bucket(state))
        what = f"bucket {self._client.bucket(state)}"
        try:
            there = await self._client.exists(f"{bucket}/_meta")
        except RefusedError as error:
            self._refuse(what, error)
        else:
            await self._make(what, bucket, {}, there=there)

    async def keys(self) -> None:
        """Make the project's API keys."""
        plans = plan_keys(self._client.tenant, self._client.project)
        try:
            found = await find_keys(self._client, plans)
        except RefusedError as error:
            self._refuse(f"API keys of the project {self._client.project}", error, hint=_KEYS_HINT)
            return
        missing = [plan for plan in plans if plan.name not in found]
        why: RefusedError | None = None
        if missing and not self._dry_run:
            try:
                await create_keys(self._client, missing)
            except RefusedError as error:
                why = error
        for plan in plans:
            what = f"API key {plan.name}"
            if plan.name in found:
                self._note(what, "present")
            elif why:
                self._refuse(what, why, hint=_KEYS_HINT)
            else:
                self._note(what, "missing" if self._dry_run else "created")

    async def application(self, definition: Document) -> None:
        """Deploy a GraphQL application, if there is none."""
        what = f"GraphQL application {definition['descriptor']['uri']}"
        path = self._client.path(GQL_APPS, definition["_id"])
        try:
            there = await self._client.exists(path)
        except RefusedError as error:
            self._refuse(what, error)
        else:
            await self._make(what, path, definition, there=there)

    async def _database(self) -> None:
        what, path = f"database {self._client.tenant}", self._client.path()
        try:
            there = await self._client.exists(f"{path}/_meta")
        except RefusedError:
            return  # a key of single collections; whether they can be made is seen next
        await self._ensure(what, path, {}, there=there)

    async def _ensure(self, what: str, path: str, body: Document, *, there: bool) -> None:
        """Make something without which it is no use to go on."""
        await self._make(what, path, body, there=there)
        if (item := self.items[-1]).outcome == "refused":
            raise ProvisionError(
                f"there is no {what}, and it cannot be made: {item.why}",
                hint="let an admin make it, or use an API key that may PUT it",
            )

    async def _stream(self, path: str, state: State) -> None:
        collection = self._client.collection(state)
        what = f"stream crud of {collection}"
        if Provision(f"collection {collection}", "created") in self.items:
            self._note(what, "created")
            return
        try:
            properties = await self._client.get(f"{path}/_meta")
        except MissingError:  # a dry run, which made no collection
            self._note(what, "missing")
            return
        streams = properties.get("streams", []) if isinstance(properties, dict) else []
        there = any(isinstance(stream, dict) and stream.get("uri") == CRUD["uri"] for stream in streams)
        await self._make(what, path, {"streams": [*streams, CRUD]}, there=there, patch=True)

    async def _indexes(self, path: str, state: State) -> None:
        try:
            listed = await self._client.get(f"{path}/_indexes", {"rep": "s"})
        except MissingError:
            listed = []
        found = [index for index in listed if isinstance(index, dict)] if isinstance(listed, list) else []
        there = {index["_id"]: index["key"] for index in found if isinstance(index.get("key"), dict) and "_id" in index}
        for name, fields in CONTENT_INDEXES.items():
            what, keys = f"index {name} of {self._client.collection(state)}", dict.fromkeys(fields, 1)
            if name in there and list(there[name].items()) != list(keys.items()):
                self._note(what, "refused", f"an index of this name has other fields: {', '.join(there[name])}")
            else:
                await self._make(what, f"{path}/_indexes/{name}", {"keys": keys}, there=name in there)

    async def _make(self, what: str, path: str, body: Document, *, there: bool, patch: bool = False) -> None:
        """Make what is not there, and note what came of it."""
        if there or self._dry_run:
            self._note(what, "present" if there else "missing")
            return
        try:
            await (self._client.patch if patch else self._client.put)(path, body)
        except RefusedError as error:
            self._refuse(what, error)
        else:
            self._note(what, "created")

    def _note(self, what: str, outcome: Outcome, why: str = "") -> None:
        self.items.append(Provision(what, outcome, why))

    def _refuse(self, what: str, error: RefusedError, *, hint: str = "") -> None:
        self._note(what, "refused", "; ".join(filter(None, (error.message, hint))))
