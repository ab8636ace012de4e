"""Field mappings as values: what a GraphQL field reads, from where, and under which limits."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from content_core.documents import Document

__all__ = [
    "AggregationMapping",
    "DatabaseMapping",
    "FieldMapping",
    "Limits",
    "LoaderOptions",
    "PathMapping",
    "QueryMapping",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many documents a database field may give: without a limit of its own, and at most."""

    default_limit: int = 20
    max_limit: int = 100


@dataclass(frozen=True, slots=True)
class PathMapping:
    """A field that reads a path of the value its object was built from."""

    path: str
    segments: tuple[str, ...]

    @classmethod
    def of(cls, path: str) -> "PathMapping":
        """Make the mapping of a dot path."""
        return cls(path, tuple(path.split(".")))


@dataclass(frozen=True, slots=True)
class LoaderOptions:
    """The ``dataLoader`` of a mapping; ``max_batch_size`` 0 means unlimited."""

    batching: bool = False
    caching: bool = False
    max_batch_size: int = 0


@dataclass(frozen=True, slots=True)
class QueryMapping:
    """A field that runs a query.

    ``find``, ``sort``, ``skip`` and ``limit`` may hold ``$arg`` and ``$fk`` at any depth; ``plural`` says that the
    field's type is a list, so that all matching documents are its value and not only the first.
    """

    type_name: str
    field_name: str
    db: str
    collection: str
    find: Document | None = None
    sort: Document | None = None
    skip: Any = None
    limit: Any = None
    loader: LoaderOptions = field(default_factory=LoaderOptions)
    plural: bool = False

    @property
    def coordinate(self) -> str:
        """The field's name in messages, ``Type.field``."""
        return f"{self.type_name}.{self.field_name}"


@dataclass(frozen=True, slots=True)
class AggregationMapping:
    """A field that runs an aggregation pipeline.

    ``stages`` may hold ``$arg`` and ``$fk`` at any depth, and optional stages, ``$ifarg``, at the top; ``plural`` is as
    in :class:`QueryMapping`. ``reads`` are the collections of the field's pipeline as pairs of database and collection,
    those that its stages name included.
    """

    type_name: str
    field_name: str
    db: str
    collection: str
    stages: tuple[Document, ...]
    reads: frozenset[tuple[str, str]]
    allow_disk_use: bool = False
    loader: LoaderOptions = field(default_factory=LoaderOptions)
    plural: bool = False

    @property
    def coordinate(self) -> str:
        """The field's name in messages, ``Type.field``."""
        return f"{self.type_name}.{self.field_name}"


DatabaseMapping: TypeAlias = QueryMapping | AggregationMapping
"""What asks the database."""

FieldMapping: TypeAlias = PathMapping | QueryMapping | AggregationMapping
