"""From the loads of one level to as few database calls as possible, and from their documents back to the loads.

Loads that look something up by key in one collection share a find. The other finds of fields below the root share a
union, and what is left has a call each. Whatever a merged answer leaves in doubt is asked again alone, so that merging
cannot be seen in a response.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any

import bson

from content_core.documents import Document
from content_core.store import FindQuery
from graphql_app.query.aggregate import AggregateQuery
from graphql_app.query.find import Load
from graphql_app.query.matching import Condition, Token, UndecidedError, read_condition, read_tokens
from graphql_app.query.union import MOST_PARTS, split_union, write_union

__all__ = ["Call", "Distribution", "distribute", "plan_calls"]

_ROOT = "Query."
"""How the names of root fields begin: these are few, and run side by side."""

_SLACK = 100
"""A merged call reads so many documents more than its loads may want; beyond that, keys are not as unique as hoped."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A load that looks documents up by key: its related condition, and the constant rest of its filter."""

    load: Load
    query: FindQuery
    related: Condition
    rest: tuple[Condition, ...]
    group: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One database call for one or several loads.

    ``lookups`` is empty if it is a load's own query, or a union of the queries of several.
    """

    database: str
    collection: str
    query: FindQuery | AggregateQuery
    loads: tuple[Load, ...]
    lookups: tuple[Lookup, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it is for, as ``Type.field``."""
        return tuple(dict.fromkeys(load.field for load in self.loads))

    def project(self, projection: Mapping[str, Any] | None) -> FindQuery | AggregateQuery:
        """Give the query with a projection of what its finds read; None reads whole documents."""
        if projection is None:
            return self.query
        if isinstance(self.query, FindQuery):
            return replace(self.query, projection=projection)
        if len(self.loads) == 1:
            return self.query
        return write_union(self.collection, _finds(self.loads), projection=projection)


@dataclass(frozen=True, slots=True)
class Distribution:
    """The documents of a call by the keys of its loads, and the loads that have to be asked alone."""

    found: Mapping[bytes, list[Document]]
    unsettled: tuple[Load, ...] = ()


def plan_calls(loads: Iterable[Load], *, batch_keys: int) -> list[Call]:
    """Merge what can be merged; equal loads have to be left out before.

    Args:
        loads: what waits.
        batch_keys: keys that one call may look up.
    """
    calls: list[Call] = []
    shared: dict[tuple[Any, ...], list[Lookup]] = {}
    unions: dict[tuple[str, str], list[Load]] = {}
    for load in loads:
        lookup = _read_lookup(load)
        if lookup is not None:
            shared.setdefault(_bucket(lookup), []).append(lookup)
        elif isinstance(load.query, FindQuery) and not load.field.startswith(_ROOT):
            unions.setdefault((load.database, load.collection), []).append(load)
        else:
            calls.append(_own_call(load))
    for place, parts in unions.items():
        calls.extend(_unite(place, chunk) for chunk in _union_chunks(parts))
    for lookups in shared.values():
        calls.extend(_merge(chunk) for chunk in _chunks(lookups, batch_keys))
    return calls


def distribute(call: Call, documents: Sequence[Document]) -> Distribution:
    """Hand a call's documents to its loads."""
    if isinstance(call.query, AggregateQuery) and len(call.loads) > 1:
        parts = split_union(documents, len(call.loads))
        return Distribution({load.key: part for load, part in zip(call.loads, parts, strict=True)})
    if not call.lookups or isinstance(call.query, AggregateQuery):
        return Distribution({load.key: list(documents) for load in call.loads})
    if len(documents) >= call.query.limit:
        return Distribution({}, call.loads)
    found: dict[bytes, list[Document]] = {load.key: [] for load in call.loads}
    groups = [_Group.of(lookups) for lookups in _by_group(call.lookups).values()]
    try:
        for document in documents:
            claimed = False
            for group in groups:
                for key in group.claim(document):
                    found[key].append(document)
                    claimed = True
            if not claimed:  # MongoDB compares differently here (a collation): all bets are off
                return Distribution({}, call.loads)
    except UndecidedError:
        return Distribution({}, call.loads)
    # A find without an order may give any of several documents: only the load's own query knows which.
    unsettled = tuple(lookup.load for lookup in call.lookups if len(found[lookup.load.key]) > lookup.query.limit)
    for load in unsettled:
        del found[load.key]
    return Distribution(found, unsettled)


def _read_lookup(load: Load) -> Lookup | None:
    query = load.query
    if load.related is None or isinstance(query, AggregateQuery) or query.skip or (query.sort and not load.plural):
        return None
    conditions = {}
    for path, part in query.filter.items():
        condition = read_condition(path, part)
        if condition is None:
            return None
        conditions[path] = condition
    related = conditions.pop(load.related)
    if load.plural and (not _is_list(query.filter[load.related]) or len(related.tokens) > query.limit):
        return None
    constant = {path: part for path, part in query.filter.items() if path != load.related}
    group = bson.encode({"related": load.related, "rest": constant})
    return Lookup(load, query, related, tuple(conditions.values()), group)


def _is_list(part: Any) -> bool:
    return isinstance(part, dict) and "$in" in part


def _bucket(lookup: Lookup) -> tuple[Any, ...]:
    """Name what may share a call: single documents of a collection; lists only under equal conditions and orders."""
    load = lookup.load
    place = (load.database, load.collection)
    return (*place, lookup.group, bson.encode({"sort": list(lookup.query.sort)})) if load.plural else place


def _chunks(lookups: Sequence[Lookup], batch_keys: int) -> Iterable[list[Lookup]]:
    """Deal lookups out to calls; a field with a batch size takes further calls, which others need not share."""
    chunks: list[_Chunk] = []
    first_with_room: dict[tuple[str, int], int] = {}
    for lookup in lookups:
        limited = (lookup.load.field, lookup.load.batch_size) if lookup.load.batch_size else ("", 0)
        position = first_with_room.get(limited, 0)
        while position < len(chunks) and not chunks[position].has_room(lookup, batch_keys):
            position += 1
        if position == len(chunks):
            chunks.append(_Chunk())
        chunks[position].add(lookup)
        first_with_room[limited] = position
    return [chunk.lookups for chunk in chunks]


@dataclass(slots=True)
class _Chunk:
    """The lookups of one call to be, with the number of its keys, and of its loads by field."""

    lookups: list[Lookup] = dataclass_field(default_factory=list)
    keys: int = 0
    loads: Counter[str] = dataclass_field(default_factory=Counter)

    def has_room(self, lookup: Lookup, batch_keys: int) -> bool:
        size = lookup.load.batch_size
        fits = not self.lookups or self.keys + len(lookup.related.tokens) <= batch_keys
        return fits and (not size or self.loads[lookup.load.field] < size)

    def add(self, lookup: Lookup) -> None:
        self.lookups.append(lookup)
        self.keys += len(lookup.related.tokens)
        if lookup.load.batch_size:
            self.loads[lookup.load.field] += 1


def _union_chunks(loads: Sequence[Load]) -> Iterable[list[Load]]:
    """Deal finds out to unions, within the batch sizes of their fields."""
    chunks: list[list[Load]] = []
    positions: Counter[str] = Counter()
    for load in loads:
        size = min(load.batch_size or MOST_PARTS, MOST_PARTS)
        position = positions[load.field] // size
        positions[load.field] += 1
        while position < len(chunks) and len(chunks[position]) >= MOST_PARTS:
            position += 1
        if position >= len(chunks):
            chunks.extend([] for _ in range(position + 1 - len(chunks)))
        chunks[position].append(load)
    return [chunk for chunk in chunks if chunk]


def _unite(place: tuple[str, str], loads: list[Load]) -> Call:
    if len(loads) == 1:
        return _own_call(loads[0])
    return Call(*place, write_union(place[1], _finds(loads)), tuple(loads))


def _finds(loads: Iterable[Load]) -> list[FindQuery]:
    return [load.query for load in loads if isinstance(load.query, FindQuery)]


def _own_call(load: Load) -> Call:
    return Call(load.database, load.collection, load.query, (load,))


def _merge(lookups: list[Lookup]) -> Call:
    if len(lookups) == 1:
        return _own_call(lookups[0].load)
    first = lookups[0]
    branches = [_render_group(group) for group in _by_group(lookups).values()]
    query = FindQuery(
        filter=branches[0] if len(branches) == 1 else {"$or": branches},
        sort=first.query.sort,
        limit=2 * sum(lookup.query.limit for lookup in lookups) + _SLACK,
    )
    loads = tuple(lookup.load for lookup in lookups)
    return Call(first.load.database, first.load.collection, query, loads, tuple(lookups))


def _by_group(lookups: Iterable[Lookup]) -> dict[bytes, list[Lookup]]:
    groups: dict[bytes, list[Lookup]] = {}
    for lookup in lookups:
        groups.setdefault(lookup.group, []).append(lookup)
    return groups


def _render_group(lookups: list[Lookup]) -> Document:
    first = lookups[0]
    related = first.load.related or ""
    keys: dict[bytes, Any] = {}
    for lookup in lookups:
        part = lookup.query.filter[related]
        for value in part["$in"] if _is_list(part) else [part]:
            keys.setdefault(bson.encode({"": value}), value)
    values = list(keys.values())
    condition = values[0] if len(values) == 1 else {"$in": values}
    return {path: condition if path == related else part for path, part in first.query.filter.items()}


@dataclass(frozen=True, slots=True)
class _Group:
    """Loads that differ in their keys only."""

    path: tuple[str, ...]
    rest: tuple[Condition, ...]
    by_token: Mapping[Token, list[bytes]]

    @classmethod
    def of(cls, lookups: list[Lookup]) -> "_Group":
        by_token: dict[Token, list[bytes]] = {}
        for lookup in lookups:
            for token in lookup.related.tokens:
                by_token.setdefault(token, []).append(lookup.load.key)
        first = lookups[0]
        return cls(first.related.path, first.rest, by_token)

    def claim(self, document: Document) -> set[bytes]:
        """Give the keys of the loads that a document answers."""
        if not all(condition.matches(document) for condition in self.rest):
            return set()
        tokens, _ = read_tokens(document, self.path)
        return {key for token in tokens for key in self.by_token.get(token, ())}
