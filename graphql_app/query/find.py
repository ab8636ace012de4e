"""A database field's load: mapping, arguments and parent value become one query, or nothing to ask for."""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import bson
from bson.errors import BSONError

from content_core.documents import Document
from content_core.store import FindQuery
from graphql_app.query.aggregate import AggregateQuery, plan_aggregate
from graphql_app.query.arguments import Scope
from graphql_app.query.errors import EmptyRelationError, FetchError
from graphql_app.query.interpolate import interpolate_filter, interpolate_page, interpolate_value
from graphql_app.query.paging import read_limit, read_skip, read_sort
from graphql_app.query.safety import refuse_unsafe
from graphql_app.schema.mappings import AggregationMapping, DatabaseMapping, Limits, QueryMapping

__all__ = ["Load", "plan_load"]

_TURNS: Final = count()
"""What gives something else every time is never equal to another load."""


@dataclass(frozen=True, slots=True)
class Load:
    """One query that a field waits for.

    Attributes:
        database: where to read.
        collection: where to read.
        query: the find or the aggregation, complete but for the time limit.
        related: the field of the filter that a ``$fk`` decides, if there is exactly one and it stands alone.
        plural: all matching documents count, not only the first.
        key: canonical form; equal keys are equal queries.
        field: the field that waits, ``Type.field``.
        batch_size: so many loads of the field at most share a call; 0 is any number.
    """

    database: str
    collection: str
    query: FindQuery | AggregateQuery
    related: str | None
    plural: bool
    key: bytes
    field: str = ""
    batch_size: int = 0


def plan_load(mapping: DatabaseMapping, scope: Scope, *, limits: Limits, regex_length: int) -> Load | None:
    """Fill a mapping in; None if there is nothing to find: a ``$fk`` is null or an empty list, or there are no stages.

    Raises:
        FetchError: the field fails, with the cause.
    """
    if isinstance(mapping, AggregationMapping):
        return _plan_aggregate(mapping, scope, limits=limits, regex_length=regex_length)
    return _plan_find(mapping, scope, limits=limits, regex_length=regex_length)


def _plan_aggregate(mapping: AggregationMapping, scope: Scope, *, limits: Limits, regex_length: int) -> Load | None:
    query = plan_aggregate(mapping, scope, limits=limits, regex_length=regex_length)
    if query is None:
        return None
    what: Document = {"stages": list(query.stages), "disk": query.allow_disk_use, "plural": mapping.plural}
    if query.is_random and not (mapping.loader.batching and mapping.loader.caching):
        what["turn"] = next(_TURNS)
    return _load(mapping, query, None, what)


def _plan_find(mapping: QueryMapping, scope: Scope, *, limits: Limits, regex_length: int) -> Load | None:
    limit = read_limit(interpolate_page(mapping.limit, scope), limits)
    skip = read_skip(interpolate_page(mapping.skip, scope))
    sort = read_sort(interpolate_value(mapping.sort, scope))
    related = related_field(mapping.find or {})
    try:
        condition = interpolate_filter(mapping.find or {}, scope)
    except EmptyRelationError:
        return None
    if related is not None and condition[related] == {"$in": []}:
        return None
    refuse_unsafe(condition, regex_length=regex_length)
    if sort:
        refuse_unsafe(dict(sort), regex_length=regex_length)
    query = FindQuery(filter=condition, sort=sort, skip=skip, limit=limit if mapping.plural else 1)
    what: Document = {
        "filter": query.filter,
        "sort": [[name, direction] for name, direction in query.sort],
        "page": [query.skip, query.limit, mapping.plural],
    }
    return _load(mapping, query, related, what)


def _load(mapping: DatabaseMapping, query: FindQuery | AggregateQuery, related: str | None, what: Document) -> Load:
    size = mapping.loader.max_batch_size if mapping.loader.batching else 0
    key = _render_key(mapping, what)
    return Load(mapping.db, mapping.collection, query, related, mapping.plural, key, mapping.coordinate, size)


def related_field(find: Document) -> str | None:
    """Name the one field that is compared with a lone ``$fk``, by equality or ``$in``."""
    fields = [key for key, part in find.items() if not key.startswith("$") and _is_related(part)]
    return fields[0] if len(fields) == 1 else None


def _is_related(part: Any) -> bool:
    if not isinstance(part, dict):
        return False
    operand = part["$in"] if len(part) == 1 and "$in" in part else part
    return isinstance(operand, dict) and "$fk" in operand


def _render_key(mapping: DatabaseMapping, what: Document) -> bytes:
    """BSON tells 1 from "1" and from true, and keeps the order of keys: equal bytes are equal queries."""
    try:
        return bson.encode({"place": [mapping.db, mapping.collection], **what})
    except (BSONError, OverflowError, UnicodeError, RecursionError, TypeError, ValueError) as error:
        raise FetchError(f"the query cannot be sent to the database: {str(error)[:100]}") from error
