"""Several finds of one collection in one call: the parts of a union, whose documents say which part gave them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from content_core.documents import Document
from content_core.store import FindQuery
from graphql_app.query.aggregate import AggregateQuery

__all__ = ["MOST_PARTS", "split_union", "write_union"]

MOST_PARTS: Final = 50
"""Finds that share a call at most; MongoDB runs them one after the other."""


def write_union(
    collection: str, queries: Sequence[FindQuery], *, projection: Mapping[str, Any] | None = None
) -> AggregateQuery:
    """Write finds of one collection as one pipeline; each keeps its own filter, order and limit.

    Args:
        collection: what all of them read.
        queries: at least one.
        projection: what is read of the documents; None reads all.
    """
    parts = [list(_part(number, query, projection)) for number, query in enumerate(queries)]
    others = [{"$unionWith": {"coll": collection, "pipeline": part}} for part in parts[1:]]
    return AggregateQuery((*parts[0], *others))


def split_union(documents: Sequence[Document], parts: int) -> list[list[Document]]:
    """Hand the documents of a union back to its finds, in the order in which these were written."""
    split: list[list[Document]] = [[] for _ in range(parts)]
    for document in documents:
        split[document["part"]].append(document["document"])
    return split


def _part(number: int, query: FindQuery, projection: Mapping[str, Any] | None) -> Iterator[Document]:
    yield {"$match": query.filter}
    if query.sort:
        yield {"$sort": dict(query.sort)}
    if query.skip:
        yield {"$skip": query.skip}
    if query.limit:
        yield {"$limit": query.limit}
    if projection is not None:
        yield {"$project": dict(projection)}
    yield {"$project": {"_id": 0, "part": {"$literal": number}, "document": "$$ROOT"}}
