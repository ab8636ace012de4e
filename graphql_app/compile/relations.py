"""The usual relation, quickly: fields that look documents up by a key of their parent's, many at a time.

A mapping is such a relation if one ``$fk`` stands alone against one field, and the rest of its filter is the same for
all parents that have equal values of ``rootDoc``. The rest is then filled in once per group of these, and a parent
costs no more than reading its key. Everything that this module is not sure of is left to :mod:`graphql_app.query`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeAlias

import bson
from bson.errors import BSONError

from content_core.documents import Document
from content_core.store import FindQuery
from graphql_app.compile.cells import Cell
from graphql_app.query import UNBOUND, FetchError, Scope
from graphql_app.query.arguments import find_argument
from graphql_app.query.find import related_field
from graphql_app.query.interpolate import interpolate_filter, interpolate_page, interpolate_value
from graphql_app.query.matching import Condition, UndecidedError, read_condition, read_tokens
from graphql_app.query.paging import read_limit, read_skip, read_sort
from graphql_app.query.safety import refuse_unsafe
from graphql_app.schema.constants import ROOT_DOCUMENT, ArgumentUse, ForeignKeyUse, Malformed, read_uses
from graphql_app.schema.mappings import DatabaseMapping, QueryMapping
from graphql_app.schema.paths import compile_path
from graphql_app.settings import GraphQLSettings

__all__ = ["Group", "GroupKey", "Relation", "RelationQuery", "Terms", "merge_groups", "read_relation"]

GroupKey: TypeAlias = tuple[Any, ...]

_NO_ROOT: Final = object()
_PLAIN_NAME: Final = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+)*")
_SLACK: Final = 100
"""As in :mod:`graphql_app.query.batching`: a merged call reads so many documents more than its keys may want."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a mapping's filter says, taken apart once.

    Attributes:
        mapping: the mapping.
        related: the field of the filter that the ``$fk`` decides.
        read_key: reads the key of a parent value.
        is_list: whether the filter compares by ``$in``.
        rest: the filter without the related field.
        roots: read what the rest uses of the root document.
    """

    mapping: QueryMapping
    related: str
    read_key: Callable[[Any], Any]
    is_list: bool
    rest: Document
    roots: tuple[Callable[[Any], Any], ...]


def read_relation(mapping: DatabaseMapping) -> Relation | None:
    """Take a mapping apart; None if it is no such relation."""
    if not isinstance(mapping, QueryMapping) or not mapping.find:
        return None
    related = related_field(mapping.find)
    if related is None:
        return None
    part = mapping.find[related]
    is_list = "$fk" not in part
    operand = part["$in"] if is_list else part
    if (mapping.plural and not is_list) or not isinstance(operand["$fk"], str):
        return None
    rest = {path: value for path, value in mapping.find.items() if path != related}
    uses = list(read_uses(rest))
    pages = list(read_uses([mapping.sort, mapping.skip, mapping.limit]))
    if any(isinstance(use, ForeignKeyUse | Malformed) or _is_root(use) for use in pages):
        return None
    if any(isinstance(use, ForeignKeyUse | Malformed) for use in uses) or any(key.startswith("$") for key in rest):
        return None
    roots = dict.fromkeys(use.name for use in uses if isinstance(use, ArgumentUse) and _is_root(use))
    return Relation(
        mapping,
        related,
        compile_path(tuple(operand["$fk"].split("."))),
        is_list,
        rest,
        tuple(map(_compile_root, roots)),
    )


def _compile_root(name: str) -> Callable[[Any], Any]:
    """Make what reads a name such as ``rootDoc.a.b`` of a root document, UNBOUND if there is nothing."""
    if _PLAIN_NAME.fullmatch(name) is None:

        def read_any(root: Any) -> Any:
            found = find_argument(name, Scope({}, None, root))
            return UNBOUND if found is None else found.value

        return read_any
    steps = tuple(name.split(".")[1:])

    def read(root: Any) -> Any:
        value = root
        for step in steps:
            if type(value) is not dict and not isinstance(value, Mapping):  # the latter takes ten times as long
                return UNBOUND
            value = value.get(step, UNBOUND)
        return value

    return read


def _is_root(use: Any) -> bool:
    return isinstance(use, ArgumentUse) and use.head == ROOT_DOCUMENT


@dataclass(slots=True, eq=False)
class Group:
    """The keys that are looked up under the same conditions.

    Attributes:
        place: database and collection.
        related: the field that holds the keys.
        order: the fields of the filter in the order written.
        rest: the other conditions, as they are sent.
        conditions: the same, as they are tested in memory.
        sort: order of the documents of lists.
        limit: documents that one cell may have.
        plural: whether cells are lists.
        batch_size: cells that share a call at most; 0 is any number.
        fields: the fields that look up in it, as ``Type.field``.
        cells: by their keys.
        fresh: cells that were not asked yet.
    """

    place: tuple[str, str]
    related: str
    order: tuple[str, ...]
    rest: Document
    conditions: tuple[Condition, ...]
    sort: tuple[tuple[str, Any], ...]
    limit: int
    plural: bool
    batch_size: int
    fields: dict[str, None]
    cells: dict[Any, Cell] = field(default_factory=dict)
    fresh: list[Cell] = field(default_factory=list)

    def find(self, keys: Any, loader: Any, source: Any, root: Any) -> Cell:
        """Give the cell of a key, or of a tuple of keys."""
        cell = self.cells.get(keys)
        if cell is None:
            cell = self.cells[keys] = Cell(plural=self.plural, loader=loader, source=source, root=root)
            cell.keys = keys if type(keys) is tuple else (keys,)
            self.fresh.append(cell)
        return cell

    def render(self, cells: Sequence[Cell]) -> Document:
        """Write the filter that finds the documents of some cells."""
        keys = list(dict.fromkeys(key for cell in cells for key in cell.keys))
        condition: Any = keys[0] if len(keys) == 1 else {"$in": keys}
        return {path: condition if path == self.related else self.rest[path] for path in self.order}


class Terms:
    """A relation under the arguments of one request.

    Args:
        relation: the relation.
        arguments: of the field.
        declared: defaults of arguments that were given as null.
        settings: limits.
        groups: all groups of the request, shared among the relations that ask the same.
    """

    __slots__ = (
        "_batch_size",
        "_by_root",
        "_groups",
        "_last_group",
        "_last_root",
        "_regex_length",
        "_scope",
        "limit",
        "relation",
        "sort",
        "usable",
    )

    def __init__(
        self,
        relation: Relation,
        arguments: Mapping[str, Any],
        declared: Mapping[str, Any],
        *,
        settings: GraphQLSettings,
        groups: dict[bytes, Group],
    ) -> None:
        self.relation = relation
        self._scope = (arguments, declared)
        self._groups = groups
        self._regex_length = settings.regex_length
        self._last_root: Any = _NO_ROOT
        self._last_group: Group | None = None
        self._by_root: dict[tuple[Any, ...], Group | None] = {}
        loader = relation.mapping.loader
        self._batch_size = loader.max_batch_size if loader.batching else 0
        self.usable = False
        self.limit = 1
        self.sort: tuple[tuple[str, Any], ...] = ()
        mapping = relation.mapping
        scope = Scope(arguments, None, UNBOUND, declared)
        try:
            limit = read_limit(interpolate_page(mapping.limit, scope), settings.limits)
            skip = read_skip(interpolate_page(mapping.skip, scope))
            self.sort = read_sort(interpolate_value(mapping.sort, scope))
            if self.sort:
                refuse_unsafe(dict(self.sort), regex_length=self._regex_length)
        except FetchError:
            return  # the longer way tells the error
        self.limit = limit if mapping.plural else 1
        self.usable = not skip and (mapping.plural or not self.sort)

    def read_keys(self, source: Any) -> Any:
        """Read a parent's key: a text, a tuple of texts, None if it has none, or UNBOUND if it is something else."""
        value = self.relation.read_key(source)
        if value is None:
            return None
        if not self.relation.is_list:
            return value if type(value) is str else UNBOUND
        if type(value) is not list:
            return UNBOUND
        if not all(type(key) is str or key is None for key in value):
            return UNBOUND
        keys = tuple(dict.fromkeys(key for key in value if key is not None))
        if self.relation.mapping.plural and len(keys) > self.limit:
            return UNBOUND
        return keys or None

    def group(self, root: Any) -> Group | None:
        """Give the group of a root document; None if its values are not the usual ones, or lead to an error."""
        # Root documents live as long as the request, and most parents have the root of the parent before.
        if root is self._last_root:
            return self._last_group
        self._last_root, self._last_group = root, self._find_group(root)
        return self._last_group

    def _find_group(self, root: Any) -> Group | None:
        values = tuple(read(root) for read in self.relation.roots)
        try:
            return self._by_root[values]
        except KeyError:
            pass
        except TypeError:  # a document or a list among them
            return None
        if any(type(value) is not str and value is not None and value is not UNBOUND for value in values):
            return None  # 1, 1.0 and true are one key here, and three values there
        scope = Scope(self._scope[0], None, root, self._scope[1])
        group = self._by_root[values] = self._make_group(scope)
        return group

    def _make_group(self, scope: Scope) -> Group | None:
        mapping, related = self.relation.mapping, self.relation.related
        try:
            rest = interpolate_filter(self.relation.rest, scope)
            refuse_unsafe(rest, regex_length=self._regex_length)
        except FetchError:
            return None  # the longer way tells the error
        conditions = [read_condition(path, part) for path, part in rest.items()]
        if None in conditions or read_condition(related, "") is None:
            return None
        try:
            name = bson.encode({
                "place": [mapping.db, mapping.collection, related, mapping.plural, self.relation.is_list, self.limit],
                "batch": self._batch_size,
                "order": list(mapping.find or {}),
                "rest": rest,
                "sort": [[key, direction] for key, direction in self.sort],
            })  # fmt: skip
        except (BSONError, OverflowError, UnicodeError, RecursionError, TypeError, ValueError):
            return None  # the longer way knows what to say
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(
                place=(mapping.db, mapping.collection),
                related=related,
                order=tuple(mapping.find or {}),
                rest=rest,
                conditions=tuple(condition for condition in conditions if condition is not None),
                sort=self.sort,
                limit=self.limit,
                plural=mapping.plural,
                batch_size=self._batch_size,
                fields={},
            )
        group.fields[mapping.coordinate] = None
        return group


@dataclass(frozen=True, slots=True)
class RelationQuery:
    """One call for cells of one or several groups of a collection."""

    database: str
    collection: str
    query: FindQuery
    cells: tuple[tuple[Group, tuple[Cell, ...]], ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it is for, as ``Type.field``."""
        return tuple(dict.fromkeys(field for group, _ in self.cells for field in group.fields))

    @property
    def lookups(self) -> int:
        """How many lookups are merged into it."""
        return sum(len(cells) for _, cells in self.cells)

    def deal(self, documents: Sequence[Document]) -> list[Cell]:
        """Hand documents to the cells; what cannot be decided here is given back, to be asked alone."""
        every = [cell for _, cells in self.cells for cell in cells]
        if len(every) == 1:
            every[0].settle(list(documents))
            return []
        if len(documents) >= self.query.limit:
            return every
        dealers = [_Dealer(group, cells, alone=len(self.cells) == 1) for group, cells in self.cells]
        deal = dealers[0].deal if len(dealers) == 1 else partial(_deal_to_all, dealers)
        try:
            claimed = all(map(deal, documents))
        except UndecidedError:
            return every
        if not claimed:  # MongoDB compares differently here (a collation): all bets are off
            return every
        doubtful = []
        for group, cells in self.cells:
            for cell in cells:
                # A find without an order may give any of several documents: only the cell's own query knows which.
                if len(cell.documents) > group.limit:
                    doubtful.append(cell)
                else:
                    cell.settle(cell.documents)
        return doubtful


class _Dealer:
    """Deals documents to the cells of one group."""

    __slots__ = ("_by_key", "_conditions", "_path", "_single")

    def __init__(self, group: Group, cells: Sequence[Cell], *, alone: bool) -> None:
        self._path = tuple(group.related.split("."))
        self._single = self._path[0] if len(self._path) == 1 else None
        # With one group, MongoDB has tested its conditions; with several, nobody knows which of them found a document.
        self._conditions = () if alone else group.conditions
        self._by_key: dict[str, list[Cell]] = {}
        for cell in cells:
            cell.documents = []
            for key in cell.keys:
                self._by_key.setdefault(key, []).append(cell)

    def deal(self, document: Document) -> bool:
        """Give a document to the cells that asked for it; False if none did."""
        value = document.get(self._single) if self._single is not None else None
        if type(value) is str:
            found = self._by_key.get(value)
            if found is None or (self._conditions and not self._matches(document)):
                return False
            for cell in found:
                cell.documents.append(document)
            return True
        if not self._matches(document):
            return False
        claimed = False
        tokens, _ = read_tokens(document, self._path)
        for kind, key in tokens:
            for cell in self._by_key.get(key, ()) if kind == "string" else ():
                claimed = True
                if not cell.documents or cell.documents[-1] is not document:
                    cell.documents.append(document)
        return claimed

    def _matches(self, document: Document) -> bool:
        return all(condition.matches(document) for condition in self._conditions)


def _deal_to_all(dealers: Sequence[_Dealer], document: Document) -> bool:
    """Give a document to the cells of several groups, for each of them may want it; False if none did."""
    claimed = [dealer.deal(document) for dealer in dealers]
    return any(claimed)


def merge_groups(
    groups: Iterable[Group], *, batch_keys: int, projections: Mapping[tuple[str, str], Mapping[str, Any] | None]
) -> Iterator[RelationQuery]:
    """Make calls of all cells that were not asked yet: one for the single documents of a collection, one per list.

    Args:
        groups: of the request.
        batch_keys: keys that one call looks up at most.
        projections: what is read of the documents of each collection.
    """
    buckets: dict[GroupKey, list[tuple[Group, Cell]]] = {}
    for group in groups:
        if group.fresh:
            bucket: GroupKey = (*group.place, id(group)) if group.plural else group.place
            fresh, group.fresh = group.fresh, []
            size = group.batch_size if group.batch_size > 0 else len(fresh)
            for start in range(0, len(fresh), size):
                pairs = buckets.setdefault((*bucket, start // size), [])
                pairs.extend((group, cell) for cell in fresh[start : start + size])
    for pairs in buckets.values():
        for chunk in _chunks(pairs, batch_keys):
            yield _merge(chunk, projections)


def _chunks(pairs: list[tuple[Group, Cell]], batch_keys: int) -> Iterator[list[tuple[Group, Cell]]]:
    chunk: list[tuple[Group, Cell]] = []
    keys = 0
    for pair in pairs:
        size = len(pair[1].keys)
        if chunk and keys + size > batch_keys:
            yield chunk
            chunk, keys = [], 0
        chunk.append(pair)
        keys += size
    yield chunk


def _merge(
    chunk: list[tuple[Group, Cell]], projections: Mapping[tuple[str, str], Mapping[str, Any] | None]
) -> RelationQuery:
    # The cells of a group stand beside each other.
    parts = tuple((group, tuple(cell for _, cell in pairs)) for group, pairs in groupby(chunk, key=itemgetter(0)))
    branches = [group.render(cells) for group, cells in parts]
    first = chunk[0][0]
    query = FindQuery(
        filter=branches[0] if len(branches) == 1 else {"$or": branches},
        projection=projections.get(first.place),
        sort=first.sort,
        limit=first.limit if len(chunk) == 1 else 2 * sum(group.limit * len(cells) for group, cells in parts) + _SLACK,
    )
    return RelationQuery(*first.place, query, parts)
