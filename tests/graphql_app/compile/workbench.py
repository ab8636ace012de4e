"""Short ways to plan, compile and run operations: with documents handed in, or on a real MongoDB."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from content_core.documents import Document
from content_core.errors import StoreError
from content_core.store import ChangeFeed, FindQuery, Store
from graphql_app.compile.execution import Execution, Read
from graphql_app.compile.program import Program, compile_operation
from graphql_app.engine import Engine
from graphql_app.plan import coerce_variables, parse_operations, select_operation
from graphql_app.plan.selection import Selection, plan_selection
from graphql_app.registry import ActiveApp, Registry
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer
from tests.graphql_app.query.workshop import build

__all__ = [
    "Handed",
    "RecordingStore",
    "answer_both_ways",
    "compile_text",
    "make_app",
    "make_definition",
    "prepare",
    "run_handed",
    "select",
]

_SETTINGS: Final = GraphQLSettings()
_NO_VARIABLES: Final[Mapping[str, Any]] = {}


def make_definition(sdl: str, mappings: Document | None = None, *, tenant: str = "acme") -> Document:
    """Write the definition of a schema with ``Query { things: [T] }``, whose things are the documents of ``things``."""
    things = {"db": tenant, "collection": "things", "sort": {"_id": 1}, "limit": 100}
    query = "" if "type Query" in sdl else "type Query { things: [T] }"
    return {
        "_id": f"{tenant}___any",
        "schema": f"{query} {sdl}",
        "mappings": {"Query": {"things": things}} | (mappings or {}),
    }


def make_app(sdl: str, mappings: Document | None = None, *, tenant: str = "acme") -> ExecutableApp:
    """Build such an application."""
    return build(make_definition(sdl, mappings, tenant=tenant))


def select(app: ExecutableApp, text: str, variables: Mapping[str, Any] = _NO_VARIABLES) -> Selection:
    """Plan an operation."""
    operations = parse_operations(app.schema, text, max_tokens=100_000, max_errors=10)
    plan = select_operation(app.schema, operations, None)
    return plan_selection(app, plan.operation, operations.fragments, coerce_variables(plan, variables))


def compile_text(app: ExecutableApp, text: str, variables: Mapping[str, Any] = _NO_VARIABLES) -> Program:
    """Plan and compile an operation."""
    operations = parse_operations(app.schema, text, max_tokens=100_000, max_errors=10)
    plan = select_operation(app.schema, operations, None)
    return compile_operation(app, plan.operation, operations.fragments, coerce_variables(plan, variables))


@dataclass(frozen=True, slots=True)
class Handed:
    """How a run went: its data, its errors, and the reads of each level."""

    data: Any
    errors: list[Any]
    levels: list[list[Read]] = field(default_factory=list)


def run_handed(
    app: ExecutableApp,
    text: str,
    hand: Callable[[Read], list[Document] | StoreError],
    *,
    variables: Mapping[str, Any] = _NO_VARIABLES,
    settings: GraphQLSettings = _SETTINGS,
) -> Handed:
    """Run an operation without a database: what a read gives is handed in; an error for one that fails."""
    operations = parse_operations(app.schema, text, max_tokens=100_000, max_errors=10)
    plan = select_operation(app.schema, operations, None)
    coerced = coerce_variables(plan, variables)
    program = compile_operation(app, plan.operation, operations.fragments, coerced)
    execution = Execution(program, program.bind(coerced), settings=settings)
    levels: list[list[Read]] = []
    reads = execution.start()
    while reads:
        levels.append(reads)
        for read in reads:
            given = hand(read)
            if isinstance(given, StoreError):
                read.failed(given)
            else:
                read.answered(given)
        reads = execution.go_on()
    return Handed(execution.finish(), execution.errors, levels)


class RecordingStore(Store):
    """A store that remembers its reads and how long each may take; it reads from a real MongoDB."""

    asked: list[tuple[str, FindQuery]]
    limits: list[int]

    @classmethod
    def on(cls, uri: str) -> "RecordingStore":
        """Open one."""
        store = cls.open(uri)
        store.asked, store.limits = [], []
        return store

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        self.asked.append((collection, query))
        self.limits.append(max_time_ms)
        return await super().read(database, collection, query, max_time_ms=max_time_ms)


async def prepare(store: Store, definition: Document, settings: GraphQLSettings = _SETTINGS) -> ActiveApp:
    """Make an application ready as a server does, with caches of its own."""
    tenant = definition["_id"].partition("___")[0]
    return (await Registry(store, ChangeFeed(store), settings).prepare(tenant, definition)).active


async def answer_both_ways(
    active: ActiveApp,
    store: Store,
    text: str,
    variables: Mapping[str, Any] = _NO_VARIABLES,
    *,
    settings: GraphQLSettings = _SETTINGS,
) -> tuple[Any, Any]:
    """Let the compiled function answer, and graphql-core: both bodies, with errors in one order."""
    bodies = []
    for compiled in (True, False):
        engine = Engine(store=store, settings=replace(settings, compile_queries=compiled))
        answer: Answer = await engine.answer(active, text, variables=variables)
        assert answer.compiled is compiled, answer.body
        body = orjson.loads(answer.body)
        body.get("errors", []).sort(key=str)
        bodies.append(body)
    return bodies[0], bodies[1]
