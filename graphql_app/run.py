"""Runs plans: graphql-core walks the operation, and the loads that its fields wait for are collected level by level.

A level is dispatched when the fields that the last one woke have all run on, so that no load of it comes too late.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import ExecutionResult, Executor, GraphQLError, GraphQLResolveInfo
from graphql.pyutils import Path

from content_core.documents import Document
from content_core.errors import StoreError, StoreTimeoutError, StoreUnavailableError
from content_core.store import Store
from graphql_app.explain import Trace
from graphql_app.plan.types import Plan, PlanRefusedError, Refusal
from graphql_app.query import UNBOUND, Call, FetchError, Load, Scope, distribute, plan_calls, plan_load
from graphql_app.query.arguments import declared_defaults
from graphql_app.query.statistics import LoaderStatistics, Statistics
from graphql_app.reading import Reader, weightiest
from graphql_app.schema.mappings import DatabaseMapping
from graphql_app.settings import GraphQLSettings

__all__ = ["Outcome", "run_plan"]

_PATIENCE = 256
"""Turns of the event loop without any change before fields that were woken count as gone (cancelled by a null)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave.

    Attributes:
        data: the response's data; None if a null reached the root.
        errors: field errors, in the order of their coming.
        calls: database calls.
        documents: documents that they read.
        statistics: what data loaders would have counted, if that was wanted.
    """

    data: dict[str, Any] | None
    errors: tuple[GraphQLError, ...]
    calls: int = 0
    documents: int = 0
    statistics: Statistics | None = None


async def run_plan(
    plan: Plan,
    *,
    store: Store,
    variables: Mapping[str, Any],
    settings: GraphQLSettings,
    user: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
) -> Outcome:
    """Run a plan within the time limit; whatever is under way when it ends is cancelled.

    Args:
        plan: one operation.
        store: where its queries go.
        variables: the values of its variables, as JSON.
        settings: limits.
        user: what ``@user`` stands for in aggregations.
        trace: takes every database call, if somebody asked for that.

    Raises:
        PlanRefusedError: the variables do not fit the operation.
        StoreTimeoutError: the time limit was reached anywhere; no data is given.
        StoreUnavailableError: the database went away; no data is given.
    """
    limit = settings.query_time_limit_ms
    deadline = asyncio.get_running_loop().time() + limit / 1000
    try:
        async with asyncio.timeout_at(deadline):
            return await _execute(plan, _Setting(store, settings, deadline, user, trace), variables)
    except (TimeoutError, StoreTimeoutError) as error:
        raise StoreTimeoutError(f"Maximum query time limit of {limit}ms exceeded") from error


@dataclass(frozen=True, slots=True)
class _Setting:
    """What stays the same for a whole execution."""

    store: Store
    settings: GraphQLSettings
    deadline: float
    user: Mapping[str, Any] | None
    trace: Trace | None


async def _execute(plan: Plan, setting: _Setting, variables: Mapping[str, Any]) -> Outcome:
    try:
        async with asyncio.TaskGroup() as group:
            run = _Run(setting, group)
            try:
                result = await _start(plan, run, variables)
            finally:
                run.close()
    except BaseExceptionGroup as failures:
        raise weightiest(failures) from failures
    statistics = run.statistics.render() if run.statistics is not None else None
    return Outcome(result.data, tuple(result.errors or ()), run.reader.calls, run.reader.documents, statistics)


async def _start(plan: Plan, run: "_Run", variables: Mapping[str, Any]) -> ExecutionResult:
    executor = Executor.build(
        plan.schema,
        plan.document,
        context_value=run,
        raw_variable_values=dict(variables),
        operation_name=plan.operation_name,
    )
    if isinstance(executor, list):
        raise PlanRefusedError(Refusal.VALIDATION, executor)
    result: Any = executor.execute_operation()
    if inspect.isawaitable(result):
        result = await result
    if run.expired:
        raise StoreTimeoutError("the time limit was reached between two queries")
    return result  # type: ignore[no-any-return]  # without incremental delivery it is an ExecutionResult


def _level(path: Path) -> int:
    """Say how deep a field stands, by its named segments."""
    level = 0
    at: Path | None = path
    while at is not None:
        level += isinstance(at.key, str)
        at = at.prev
    return level


class _Entry:
    """One distinct load of a request, and the fields that wait for it."""

    __slots__ = ("documents", "error", "load", "settled", "waiters")

    def __init__(self, load: Load) -> None:
        self.load = load
        self.waiters: list[_Waiter] = []
        self.settled = False
        self.documents: list[Document] = []
        self.error: FetchError | None = None

    def value(self, *, plural: bool) -> Any:
        if self.error is not None:
            raise self.error
        if plural:
            return self.documents
        return self.documents[0] if self.documents else None


class _Waiter:
    """What a field awaits: it tells the run when the field has gone on, or was given up."""

    __slots__ = ("_entry", "_future", "_root_key", "_run")

    def __init__(self, run: "_Run", entry: _Entry, root_key: str | int | None) -> None:
        self._run = run
        self._entry = entry
        self._root_key = root_key
        self._future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[Any, None, Any]:
        try:
            yield from self._future.__await__()
            value = self._entry.value(plural=self._entry.load.plural)
            self._run.remember_root(self._root_key, value)
            return value
        finally:
            self._run.moved_on(self)

    def wake(self) -> bool:
        """Let the field go on; False if it was given up already."""
        if self._future.done():
            return False
        self._future.set_result(None)
        return True

    def give_up(self) -> None:
        self._future.cancel()


class _Run:
    """The context of one execution: collects loads, makes calls of them, hands documents back."""

    def __init__(self, setting: _Setting, group: asyncio.TaskGroup) -> None:
        self.expired = False
        self.statistics = LoaderStatistics() if setting.settings.verbose else None
        self.reader = Reader(
            setting.store,
            parallel=setting.settings.parallel_queries,
            deadline=setting.deadline,
            trace=setting.trace,
        )
        self._group = group
        self._settings = setting.settings
        self._user = setting.user
        self._loop = asyncio.get_running_loop()
        self._entries: dict[bytes, _Entry] = {}
        self._pending: list[_Entry] = []
        self._woken: set[_Waiter] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._roots: dict[str | int, Any] = {}
        self._armed = False
        self._closed = False
        self._idle_turns = 0
        self._last_look = (0, 0)

    def fetch(
        self, mapping: DatabaseMapping, source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
    ) -> Awaitable[Any]:
        """Register what a field needs; see :class:`graphql_app.schema.resolvers.Fetcher`."""
        if self.reader.expired:
            self.expired = True
            raise FetchError("the time limit is reached")
        root_key = info.path.key if info.path.prev is None else None
        root = self._root_document(info.path)
        declared = declared_defaults(info.parent_type.fields[info.field_name].args, arguments)
        scope = Scope(arguments, source, root, declared, self._user)
        load = plan_load(mapping, scope, limits=self._settings.limits, regex_length=self._settings.regex_length)
        if load is None:
            return self._give_nothing(mapping, root_key)
        if self.statistics is not None:
            self.statistics.count(mapping, load.key, level=_level(info.path))
        entry = self._entries.get(load.key)
        if entry is None:
            entry = self._entries[load.key] = _Entry(load)
            self._pending.append(entry)
            self._arm()
        waiter = _Waiter(self, entry, root_key)
        if entry.settled:
            waiter.wake()
            self._woken.add(waiter)
        else:
            entry.waiters.append(waiter)
        return waiter

    def _give_nothing(self, mapping: DatabaseMapping, root_key: str | int | None) -> "asyncio.Future[Any]":
        value: Any = [] if mapping.plural else None
        self.remember_root(root_key, value)
        given = self._loop.create_future()
        given.set_result(value)
        return given

    def remember_root(self, key: str | int | None, value: Any) -> None:
        """Keep the value of a root field for the ``rootDoc`` of the fields below it."""
        if key is not None:
            self._roots[key] = value

    def moved_on(self, waiter: _Waiter) -> None:
        """Hear that a field has taken its value: the loads below it are registered in the same turn."""
        self._woken.discard(waiter)
        self._arm()

    def close(self) -> None:
        """Give up what nobody waits for any more, and let go of the documents: run, entries, waiters form a circle."""
        self._closed = True
        for task in self._under_way:
            task.cancel()
        for entry in self._entries.values():
            for waiter in entry.waiters:
                waiter.give_up()
            entry.waiters.clear()
        self._entries.clear()
        self._pending.clear()
        self._woken.clear()
        self._roots.clear()

    def _root_document(self, path: Path) -> Any:
        """Find the root entry that a field stands below, by its path in the response."""
        if path.prev is None:
            return UNBOUND
        first, second = path.prev, path
        while first.prev is not None:
            first, second = first.prev, first
        value = self._roots.get(first.key, UNBOUND)
        return value[second.key] if isinstance(value, list) and isinstance(second.key, int) else value

    def _arm(self) -> None:
        if self._pending and not self._armed and not self._closed:
            self._armed = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        """Dispatch what waits, unless fields may still come with more."""
        self._armed = False
        if self._closed or self._under_way or not self._pending:
            return
        if self._woken:
            look = (len(self._pending), len(self._woken))
            self._idle_turns = self._idle_turns + 1 if look == self._last_look else 0
            self._last_look = look
            if self._idle_turns < _PATIENCE:
                self._arm()
                return
            self._woken.clear()
        pending, self._pending = self._pending, []
        for call in plan_calls((entry.load for entry in pending), batch_keys=self._settings.batch_keys):
            self._dispatch(call)

    def _dispatch(self, call: Call) -> None:
        task = self._group.create_task(self._answer(call))
        self._under_way.add(task)
        task.add_done_callback(self._called)

    def _called(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._arm()

    async def _answer(self, call: Call) -> None:
        try:
            documents = await self.reader.read(
                call.database, call.collection, call.query, fields=call.fields, lookups=len(call.loads)
            )
        except (StoreTimeoutError, StoreUnavailableError):
            raise
        except StoreError as error:
            if self._closed:
                return
            if len(call.loads) > 1:  # one load's fault must not be the others'
                self._ask_alone(call.loads)
            else:
                self._settle(call.loads[0], [], FetchError.of(error))
            return
        if self._closed:  # the driver may answer all the same when it is told to stop
            return
        distribution = distribute(call, documents)
        for key, found in distribution.found.items():
            self._settle(self._entries[key].load, found)
        self._ask_alone(distribution.unsettled)

    def _ask_alone(self, loads: tuple[Load, ...]) -> None:
        for load in loads:
            self._dispatch(Call(load.database, load.collection, load.query, (load,)))

    def _settle(self, load: Load, documents: list[Document], error: FetchError | None = None) -> None:
        entry = self._entries[load.key]
        entry.settled = True
        entry.documents = documents
        entry.error = error
        if error is not None and self.statistics is not None:
            self.statistics.fail(load.key)
        self._woken.update(waiter for waiter in entry.waiters if waiter.wake())
