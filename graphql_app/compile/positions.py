"""Places of an answer where a value stands, and what becomes of a stored value there.

What is here follows graphql-core's completion of values step by step, and takes whatever may be stored. Compiled
functions do the usual cases by themselves and come here with everything else: other types, errors, nested lists.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    get_named_type,
    located_error,
)

from graphql_app.plan.selection import AbstractPlan, FieldPlan, LeafPlan, ObjectPlan
from graphql_app.query import FetchError
from graphql_app.schema.errors import ListExpectedError, UnresolvedTypeError
from graphql_app.schema.mappings import PathMapping
from graphql_app.schema.matching import TypeMatcher
from graphql_app.schema.paths import compile_path
from graphql_app.schema.scalar_output import OUTPUT

__all__ = ["Context", "Failed", "FieldAt", "Position", "PositionPath", "Positions", "list_keys"]

PositionPath: TypeAlias = Any
"""A pair of the path above and a key, down to the context itself; cheap to make, read only for errors."""


class Failed:
    """The value of a field whose query failed."""

    __slots__ = ("error",)

    def __init__(self, error: FetchError) -> None:
        self.error = error


class Context(Protocol):
    """What values are shaped with: the answers of the database, and where errors go."""

    errors: list[GraphQLError]

    def fetched(self, site: int, source: Any, root: Any) -> Any:
        """Give what the query of a field gave: documents, a document, None, or :class:`Failed`."""

    def want(self, site: int, source: Any, root: Any) -> None:
        """Ask for the query of a field."""


ShapeFunction: TypeAlias = Callable[[Any, Any, PositionPath, Any, str], dict[str, Any]]
"""Shapes an object: source, root document, path, context, name of its type."""


def list_keys(path: PositionPath) -> list[str | int]:
    """Write a path down from the root."""
    keys: list[str | int] = []
    while type(path) is tuple:
        path, key = path
        keys.append(key)
    keys.reverse()
    return keys


@dataclass(slots=True, eq=False)
class FieldAt:
    """A field of an object with the means to read and complete it."""

    plan: FieldPlan
    read: Callable[[Any], Any] | None
    position: "Position | None"


class Position:
    """A place where values of one type stand: a field, or the elements of its lists.

    Args:
        field: the field.
        type_: the type at this place.
        positions: makes the positions inside.
    """

    __slots__ = (
        "_cases",
        "_field",
        "_matcher",
        "_object",
        "_positions",
        "_serialize",
        "_type_name",
        "inner",
        "nullable",
        "type",
    )

    def __init__(self, field: FieldPlan, type_: GraphQLOutputType, positions: "Positions") -> None:
        self._field = field
        self.nullable: Final = not isinstance(type_, GraphQLNonNull)
        self.type: Final = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        self.inner: Position | None = None
        self._serialize: Callable[[Any], Any] | None = None
        self._matcher: TypeMatcher | None = None
        self._cases: Mapping[str, ObjectPlan] = {}
        self._object: ObjectPlan | None = None
        self._type_name = get_named_type(type_).name
        self._positions = positions
        if isinstance(self.type, GraphQLList):
            self.inner = Position(field, self.type.of_type, positions)
            return
        match field.target:
            case LeafPlan(leaf):
                self._serialize = leaf.coerce_output_value if isinstance(leaf, GraphQLEnumType) else OUTPUT[leaf.name]
            case AbstractPlan():
                self._matcher = positions.matchers[field.target.name]
                self._cases = field.target.cases
            case ObjectPlan():
                self._object = field.target

    def value(self, value: Any, root: Any, path: PositionPath, context: Context) -> Any:
        """Complete a value; an error becomes null here, or goes up if null may not stand here.

        Raises:
            GraphQLError: located, for the next place above that may be null.
        """
        try:
            return self._complete(value, root, path, context)
        except Exception as error:  # noqa: BLE001 - as in graphql-core, whatever goes wrong is an error of the field
            return self.caught(error, path, context)

    def caught(self, error: Exception, path: PositionPath, context: Context) -> Any:
        """Note an error and leave null, or let it go up."""
        located = located_error(error, list(self._field.nodes), list_keys(path))
        if not self.nullable:
            raise located
        context.errors.append(located)
        return None

    def walk(self, value: Any, root: Any, context: Context) -> None:
        """Ask for the queries of all fields below a value."""
        if value is None:
            return
        if self.inner is not None:
            for element in value if isinstance(value, list) else ():
                self.inner.walk(element, root, context)
            return
        plan = self._object
        if self._matcher is not None:
            plan = self._cases.get(self._matcher(value) or "")
        if plan is not None and plan.fetches:
            self._positions.walk_object(plan, value, root, context)

    def _complete(self, value: Any, root: Any, path: PositionPath, context: Context) -> Any:
        if value is None:
            if not self.nullable:
                raise TypeError(f"Cannot return null for non-nullable field {self._field.parent}.{self._field.name}.")
            return None
        if self.inner is not None:
            if not isinstance(value, list):
                raise ListExpectedError
            complete = self.inner.value
            return [complete(element, root, (path, index), context) for index, element in enumerate(value)]
        if self._serialize is not None:
            return self._serialize(value)
        if self._matcher is not None:
            name = self._matcher(value)
            if name is None:
                coordinate = f"{self._field.parent}.{self._field.name}"
                raise UnresolvedTypeError(self._type_name, coordinate)
            return self._positions.shape_object(self._cases[name], value, root, path, context, name)
        assert self._object is not None  # noqa: S101 - for mypy: there is no fourth kind
        return self._positions.shape_object(self._object, value, root, path, context, self._type_name)


class Positions:
    """The positions of one operation; each is made when it is first asked for.

    Args:
        matchers: what finds the types of values, by the names of interfaces and unions.
    """

    def __init__(self, matchers: Mapping[str, TypeMatcher]) -> None:
        self.matchers = matchers
        self._at: dict[int, Position] = {}
        self._fields: dict[int, tuple[FieldAt, ...]] = {}

    def of(self, field: FieldPlan) -> Position:
        """Give the position of a field."""
        position = self._at.get(id(field))
        if position is None:
            position = self._at[id(field)] = Position(field, field.type, self)
        return position

    def shape_object(
        self, plan: ObjectPlan, source: Any, root: Any, path: PositionPath, context: Context, type_name: str
    ) -> dict[str, Any]:
        """Shape an object of any stored value, field by field."""
        shaped: dict[str, Any] = {}
        for entry in self._fields_of(plan):
            key = entry.plan.key
            if entry.position is None:
                shaped[key] = type_name
                continue
            below = (path, key)
            value = entry.read(source) if entry.read is not None else context.fetched(entry.plan.site, source, root)
            if isinstance(value, Failed):
                shaped[key] = entry.position.caught(value.error, below, context)
            else:
                shaped[key] = entry.position.value(value, root, below, context)
        return shaped

    def walk_object(self, plan: ObjectPlan, source: Any, root: Any, context: Context) -> None:
        """Ask for the queries of all fields below an object of any stored value."""
        for entry in self._fields_of(plan):
            if entry.plan.site >= 0:
                context.want(entry.plan.site, source, root)
            elif entry.plan.fetches and entry.position is not None and entry.read is not None:
                entry.position.walk(entry.read(source), root, context)

    def _fields_of(self, plan: ObjectPlan) -> tuple[FieldAt, ...]:
        fields = self._fields.get(id(plan))
        if fields is None:
            fields = self._fields[id(plan)] = tuple(map(self._field_at, plan.fields))
        return fields

    def _field_at(self, field: FieldPlan) -> FieldAt:
        if field.mapping is None:
            return FieldAt(field, None, None)
        read = compile_path(field.mapping.segments) if isinstance(field.mapping, PathMapping) else None
        return FieldAt(field, read, self.of(field))
