"""``resolveRef``: the documents that an answer refers to by their addresses, read from the store and added to it."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from bson import ObjectId

from content_core.access import AccessControl
from content_core.documents import Document
from content_core.errors import ForbiddenError, RequestError
from content_core.store import FindQuery, Store
from rest_compat.call import Call
from rest_compat.ids import DEFAULT_ID_TYPE, read_id
from rest_compat.request import parse_path
from rest_compat.resources import Kind, check_names, read_resource
from rest_compat.settings import RestSettings

__all__ = ["Reference", "References", "parse_reference"]

_DEPTH: Final = re.compile(r"\$([1-9][0-9]{0,3})\.")
_STEP: Final = re.compile(r"([^.\[]+)((?:\[(?:\*|[0-9]{1,9})\])*+)")
_INDEX: Final = re.compile(r"\[(\*|[0-9]+)\]")
_MAX_STEPS: Final = 100
_MAX_VALUES: Final = 10_000
"""How many values one path may find on one level, before repeated ones are left out."""


class _Every:
    """A step to every element of an array."""


_EVERY: Final = _Every()

Step: TypeAlias = str | int | _Every
Target: TypeAlias = tuple[str, str, Any]
"""Database, collection and id."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One path to addresses.

    Args:
        depth: in which documents: 0 for those of the answer, else those that were loaded at this depth.
        steps: names, indexes, and every element.
    """

    depth: int
    steps: tuple[Step, ...]

    def find(self, document: Document) -> Iterator[str]:
        """Give the addresses that a document holds there."""
        level: list[Any] = [document]
        for step in self.steps:
            level = [inner for value in level for inner in _inner(value, step)][:_MAX_VALUES]
        for value in level:
            if isinstance(value, str) and value.startswith(("http://", "https://")):
                yield value


def parse_reference(text: str, *, max_depth: int) -> Reference | None:
    """Read the value of a ``resolveRef`` parameter; None if it is not of the grammar."""
    depth = 0
    if found := _DEPTH.match(text):
        depth = int(found[1])
        text = text[found.end() :]
    if depth > max_depth:
        return None
    steps: list[Step] = []
    for part in text.split("."):
        step = _STEP.fullmatch(part)
        if step is None or len(steps) > _MAX_STEPS:
            return None
        steps.append(step[1])
        steps += [_EVERY if index == "*" else int(index) for index in _INDEX.findall(step[2])]
    return Reference(depth, tuple(steps))


class References:
    """Resolves references.

    Args:
        store: where documents are.
        access: says which of them the asking principal may read.
        settings: limits, and the addresses of this server.
    """

    def __init__(self, store: Store, access: AccessControl, settings: RestSettings) -> None:
        self._store = store
        self._access = access
        self._settings = settings

    async def resolve(self, call: Call, paths: Sequence[str], documents: Sequence[Document]) -> dict[str, Document]:
        """Load what documents refer to.

        Args:
            call: the request, with who asks.
            paths: the values of the parameter.
            documents: the documents of the answer.

        Returns:
            The documents by address as it was written; what cannot or may not be read is left out.
        """
        limit = self._settings.resolve_refs_max
        parsed = [parse_reference(path, max_depth=self._settings.resolve_refs_depth) for path in paths]
        references = [reference for reference in parsed if reference is not None]
        resolved: dict[str, Document] = {}
        asked: dict[str, Target | None] = {}
        level: Iterable[Document] = documents
        for depth in range(self._settings.resolve_refs_depth + 1):
            of_level = [reference for reference in references if reference.depth == depth]
            found = dict.fromkeys(
                url for document in level for reference in of_level for url in reference.find(document)
            )
            new = {}
            for url in found:
                if url not in asked and len(asked) < limit and (target := self._target(call, url)):
                    asked[url] = new[url] = target
            resolved |= await self._load(new)
            level = [resolved[url] for url in found if url in resolved]
            if not level:
                break
        return resolved

    def _target(self, call: Call, url: str) -> Target | None:
        """Tell which document of this server an address names, if it does and the principal may read it."""
        bases = (call.request.base_url, self._settings.public_url, *self._settings.public_urls)
        if not any(base and url.startswith(f"{base.rstrip('/')}/") for base in bases):
            return None
        try:
            parts = urlsplit(url)
            segments, problem = parse_path(parts.path.encode())
            resource = read_resource(segments)
            if problem or parts.query or parts.fragment or resource.kind not in {Kind.DOCUMENT, Kind.FILE}:
                return None
            check_names(resource, "GET")
            self._access.authorize_path(call.principal, method="GET", segments=segments)
            document_id = read_id(resource.document, DEFAULT_ID_TYPE)
        except (RequestError, ForbiddenError, ValueError):
            return None
        return resource.database, resource.collection, document_id

    async def _load(self, targets: Mapping[str, Target]) -> dict[str, Document]:
        """Read all targets, those of one collection at once."""
        wanted: dict[tuple[str, str], list[Any]] = {}
        for database, collection, document_id in targets.values():
            wanted.setdefault((database, collection), []).append(document_id)
        batches = await asyncio.gather(*(self._find(place, ids) for place, ids in wanted.items()))
        found = {
            (*place, _key(document["_id"])): document
            for place, batch in zip(wanted, batches, strict=True)
            for document in batch
        }
        loaded = {}
        for url, (database, collection, document_id) in targets.items():
            document = found.get((database, collection, _key(document_id)))
            if document is not None:
                loaded[url] = document
        return loaded

    async def _find(self, place: tuple[str, str], ids: Sequence[Any]) -> list[Document]:
        limit = self._settings.query_time_limit_ms
        return await self._store.find(*place, FindQuery(filter={"_id": {"$in": list(ids)}}, max_time_ms=limit))


def _key(document_id: Any) -> tuple[type, str]:
    """Keep ids of different types apart that Python calls equal."""
    return (ObjectId if isinstance(document_id, ObjectId) else type(document_id), str(document_id))


def _inner(value: Any, step: Step) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    if not isinstance(value, list):
        return []
    if isinstance(step, int):
        return value[step : step + 1]
    return value
