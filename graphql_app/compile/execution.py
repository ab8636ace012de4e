"""One run of a program: which queries to send, level by level, and the data when all of them are answered.

Nothing here waits: whoever runs it reads what it asks for and hands the documents in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from graphql import GraphQLError

from content_core.documents import Document
from content_core.errors import StoreError
from content_core.store import FindQuery
from graphql_app.compile.cells import EMPTY_LIST, EMPTY_ONE, Cell
from graphql_app.compile.positions import Failed
from graphql_app.compile.program import Arguments, Program, Site
from graphql_app.compile.relations import Group, RelationQuery, Terms, merge_groups
from graphql_app.plan.projection import encode_projection, unite
from graphql_app.query import UNBOUND, Call, FetchError, Load, Scope, distribute, plan_calls, plan_load
from graphql_app.settings import GraphQLSettings

__all__ = ["Execution", "Read"]

_FEW: Final = 2
"""Documents that are read whole."""


@dataclass(frozen=True, slots=True)
class Read:
    """One database call to make.

    Attributes:
        database: where to read.
        collection: where to read.
        query: the find or the aggregation, complete but for the time limit.
        answered: takes its documents.
        failed: takes the error that the database had.
        fields: the fields that it is for, as ``Type.field``.
        lookups: how many lookups are merged into it.
    """

    database: str
    collection: str
    query: Any
    answered: Callable[[list[Document]], None]
    failed: Callable[[StoreError], None]
    fields: tuple[str, ...]
    lookups: int = 1


class Execution:
    """The context of one run; see :class:`graphql_app.compile.positions.Context`.

    Args:
        program: what runs.
        arguments: of its sites, bound to the request's variables.
        settings: limits.
        user: what ``@user`` stands for.
    """

    def __init__(
        self,
        program: Program,
        arguments: tuple[Arguments, ...],
        *,
        settings: GraphQLSettings,
        user: Mapping[str, Any] | None = None,
    ) -> None:
        self.errors: list[GraphQLError] = []
        self._program = program
        self._settings = settings
        self._keyed_by_root = program.uses_root
        self._groups: dict[bytes, Group] = {}
        self._known: dict[bytes, Cell] = {}
        self._loads: list[Load] = []
        self._alone: list[tuple[Load, Cell]] = []
        self._fresh: list[tuple[int, Cell, Any]] = []
        self._roots: dict[int, Cell] = {}
        self._tables: list[dict[Any, Cell]] = [{} for _ in program.sites]
        self._loaders = [
            _Loader(self, site, bound, settings=settings, user=user, groups=self._groups)
            for site, bound in zip(program.sites, arguments, strict=True)
        ]

    def start(self) -> list[Read]:
        """Give the queries of the root fields; without any, the data can be shaped at once."""
        wanted: dict[bytes, tuple[Load, Cell, list[int]]] = {}
        for number in self._program.roots:
            planned = self._plan_root(number)
            if isinstance(planned, Load):
                _, cell, askers = wanted.setdefault(planned.key, (planned, Cell(plural=planned.plural), []))
                askers.append(number)
            else:
                cell = planned
            self._roots[number] = cell
            if self._program.sites[number].walks:
                self._fresh.append((number, cell, None))
        return [self._read_root(load, cell, askers) for load, cell, askers in wanted.values()]

    def _plan_root(self, number: int) -> Load | Cell:
        """Give what a root field asks, prepared once where that is the same in every request."""
        planned = self._program.prepared.get(number)
        if planned is None:
            planned = self._loaders[number].plan(None, UNBOUND)
            site = self._program.sites[number]
            if isinstance(planned, Load) and isinstance(planned.query, FindQuery):
                # So few documents are decoded whole in less time than their parts are asked for.
                projection = None if 0 < planned.query.limit <= _FEW else site.projection
                planned = replace(planned, query=_project(planned.query, projection))
            if site.fixed:
                self._program.prepared[number] = planned
        result: Load | Cell = planned
        return result

    def go_on(self) -> list[Read]:
        """Give the next queries, after the last ones were all answered; empty when there are no more."""
        reads = self._reads()
        while not reads and self._fresh:
            fresh, self._fresh = self._fresh, []
            for number, cell, root in fresh:
                value = cell.value
                walk = self._program.functions.walks[number]
                if walk is not None and value is not None and type(value) is not Failed:
                    walk(value, root, self)
            reads = self._reads()
        return reads

    def finish(self) -> dict[str, Any] | None:
        """Give the data; the errors of its fields are in :attr:`errors`. None if a null reached the root."""
        try:
            return self._program.functions.shape(self)
        except GraphQLError as error:
            self.errors.append(error)
            return None

    def close(self) -> None:
        """Let go of everything: run, loaders and cells form a circle, which only the collector would find."""
        for group in self._groups.values():
            group.cells.clear()
        self._loaders.clear()
        self._groups.clear()
        self._known.clear()
        self._roots.clear()
        self._tables.clear()

    # What compiled functions call.

    def answer(self, site: int) -> Any:
        """Give what the query of a root field gave."""
        return self._roots[site].value

    def fetched(self, site: int, source: Any, root: Any) -> Any:
        """Give what the query of a field below a root field gave."""
        # A list that was put together on the way to a value is another one each time: it has no place in a table.
        if type(source) is dict:
            cell = self._tables[site].get((id(source), id(root)) if self._keyed_by_root else id(source))
            if cell is not None:
                return cell.value
        return self._loaders[site].find(source, root).value

    def want(self, site: int, source: Any, root: Any) -> None:
        """Ask for the query of a field below a root field."""
        if type(source) is dict:
            table = self._tables[site]
            key = (id(source), id(root)) if self._keyed_by_root else id(source)
            if key in table:
                return
            cell = table[key] = self._loaders[site].find(source, root)
        else:
            cell = self._loaders[site].find(source, root)
        if self._program.sites[site].walks:
            self._fresh.append((site, cell, root))

    # What loaders call.

    def know(self, load: Load) -> Cell:
        """Give the cell of a query, which is sent with the next ones if it is new."""
        cell = self._known.get(load.key)
        if cell is None:
            cell = self._known[load.key] = Cell(plural=load.plural)
            self._loads.append(load)
        return cell

    def ask_alone(self, load: Load, cell: Cell) -> None:
        """Ask a query by itself, after a merged one could not answer it."""
        self._alone.append((load, cell))

    def _reads(self) -> list[Read]:
        alone, self._alone = self._alone, []
        loads, self._loads = self._loads, []
        batch_keys = self._settings.batch_keys
        projections = self._program.projections
        reads = [self._read_alone(load, cell) for load, cell in alone]
        reads += [self._read_call(call) for call in plan_calls(loads, batch_keys=batch_keys)]
        merged = merge_groups(self._groups.values(), batch_keys=batch_keys, projections=projections)
        return reads + [_read_relation(query) for query in merged]

    def _read_root(self, load: Load, cell: Cell, askers: list[int]) -> Read:
        query = load.query
        if len(askers) > 1 and isinstance(query, FindQuery) and query.projection is not None:
            sites = [self._program.sites[number] for number in askers]
            united = unite(site.parts for site in sites if site.parts is not None)
            query = replace(query, projection=encode_projection(united))
        return Read(load.database, load.collection, query, cell.settle, _fail(cell), (load.field,))

    def _read_alone(self, load: Load, cell: Cell) -> Read:
        query = _project(load.query, self._program.projections.get((load.database, load.collection)))
        return Read(load.database, load.collection, query, cell.settle, _fail(cell), (load.field,))

    def _read_call(self, call: Call) -> Read:
        def answered(documents: list[Document]) -> None:
            distribution = distribute(call, documents)
            for key, found in distribution.found.items():
                self._known[key].settle(found)
            self._alone.extend((load, self._known[load.key]) for load in distribution.unsettled)

        def failed(error: StoreError) -> None:
            if len(call.loads) > 1:  # one load's fault must not be the others'
                self._alone.extend((load, self._known[load.key]) for load in call.loads)
            else:
                self._known[call.loads[0].key].fail(FetchError.of(error))

        query = call.project(self._program.projections.get((call.database, call.collection)))
        return Read(call.database, call.collection, query, answered, failed, call.fields, len(call.loads))


def _read_relation(query: RelationQuery) -> Read:
    def answered(documents: list[Document]) -> None:
        for cell in query.deal(documents):
            cell.loader.ask_alone(cell)

    def failed(error: StoreError) -> None:
        cells = [cell for _, part in query.cells for cell in part]
        if len(cells) == 1:
            cells[0].fail(FetchError.of(error))
        else:
            for cell in cells:
                cell.loader.ask_alone(cell)

    return Read(query.database, query.collection, query.query, answered, failed, query.fields, query.lookups)


def _project(query: Any, projection: Mapping[str, Any] | None) -> Any:
    return replace(query, projection=projection) if isinstance(query, FindQuery) and projection is not None else query


def _fail(cell: Cell) -> Callable[[StoreError], None]:
    return lambda error: cell.fail(FetchError.of(error))


class _Loader:
    """Finds the query of one site for a parent value: among the known ones, or new."""

    __slots__ = ("_bound", "_run", "_settings", "_site", "_terms", "_user")

    def __init__(
        self,
        run: Execution,
        site: Site,
        bound: Arguments,
        *,
        settings: GraphQLSettings,
        user: Mapping[str, Any] | None,
        groups: dict[bytes, Group],
    ) -> None:
        self._run = run
        self._site = site
        self._bound = bound
        self._settings = settings
        self._user = user
        self._terms: Terms | None = None
        if site.relation is not None:
            terms = Terms(site.relation, *bound, settings=settings, groups=groups)
            self._terms = terms if terms.usable else None

    def find(self, source: Any, root: Any) -> Cell:
        """Give the cell of the query that a parent value asks."""
        terms = self._terms
        if terms is not None:
            keys = terms.read_keys(source)
            if keys is not UNBOUND:
                group = terms.group(root)
                if group is not None:
                    return group.find(keys, self, source, root) if keys is not None else self._empty()
        planned = self.plan(source, root)
        return self._run.know(planned) if isinstance(planned, Load) else planned

    def plan(self, source: Any, root: Any) -> Load | Cell:
        """Fill the mapping in, the general way; the cell of what needs no query."""
        scope = Scope(self._bound[0], source, root, self._bound[1], self._user)
        limits, regex_length = self._settings.limits, self._settings.regex_length
        try:
            load = plan_load(self._site.mapping, scope, limits=limits, regex_length=regex_length)
        except FetchError as error:
            cell = Cell(plural=self._site.mapping.plural)
            cell.fail(error)
            return cell
        return self._empty() if load is None else load

    def ask_alone(self, cell: Cell) -> None:
        """Ask a query by itself that a merged one could not answer."""
        planned = self.plan(cell.source, cell.root)
        if isinstance(planned, Load):
            self._run.ask_alone(planned, cell)
        else:
            cell.value = planned.value

    def _empty(self) -> Cell:
        return EMPTY_LIST if self._site.mapping.plural else EMPTY_ONE
