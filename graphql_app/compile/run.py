"""Runs programs: reads what an execution asks for, level by level, until the data can be shaped."""

import asyncio
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError
from graphql.execution.values import VariableValues

from content_core import observe
from content_core.errors import StoreError, StoreTimeoutError, StoreUnavailableError
from content_core.store import Store
from graphql_app.compile.execution import Execution, Read
from graphql_app.compile.program import Program
from graphql_app.explain import Trace
from graphql_app.plan.selection import UnplannableError
from graphql_app.reading import Reader, weightiest
from graphql_app.run import Outcome
from graphql_app.settings import GraphQLSettings

__all__ = ["run_program"]


async def run_program(
    program: Program,
    *,
    store: Store,
    variables: VariableValues,
    settings: GraphQLSettings,
    user: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
) -> Outcome:
    """Run a program within the time limit; whatever is under way when it ends is cancelled.

    Args:
        program: one operation.
        store: where its queries go.
        variables: the values of its variables, coerced.
        settings: limits.
        user: what ``@user`` stands for in aggregations.
        trace: takes every database call, if somebody asked for that.

    Raises:
        UnplannableError: graphql-core has to execute the operation with these variables.
        StoreTimeoutError: the time limit was reached anywhere; no data is given.
        StoreUnavailableError: the database went away; no data is given.
    """
    try:
        arguments = program.bind(variables)
    except GraphQLError as error:
        raise UnplannableError("arguments") from error
    limit = settings.query_time_limit_ms
    deadline = asyncio.get_running_loop().time() + limit / 1000
    reader = Reader(store, parallel=settings.parallel_queries, deadline=deadline, trace=trace)
    execution = Execution(program, arguments, settings=settings, user=user)
    try:
        async with asyncio.timeout_at(deadline):
            with observe.stage("read"):
                reads = execution.start()
                while reads:
                    await _read_level(reader, reads)
                    reads = execution.go_on()
            with observe.stage("shape"):
                data = execution.finish()
    except (TimeoutError, StoreTimeoutError) as error:
        raise StoreTimeoutError(f"Maximum query time limit of {limit}ms exceeded") from error
    finally:
        execution.close()
    if reader.expired:
        raise StoreTimeoutError(f"Maximum query time limit of {limit}ms exceeded")
    return Outcome(data, tuple(execution.errors), reader.calls, reader.documents)


async def _read_level(reader: Reader, reads: list[Read]) -> None:
    """Make the calls of one level, several at a time, and hand their documents on."""
    if len(reads) == 1:
        await _read(reader, reads[0])
        return
    try:
        async with asyncio.TaskGroup() as group:
            for read in reads:
                group.create_task(_read(reader, read))
    except BaseExceptionGroup as failures:
        raise weightiest(failures) from failures


async def _read(reader: Reader, read: Read) -> None:
    try:
        documents = await reader.read(
            read.database, read.collection, read.query, fields=read.fields, lookups=read.lookups
        )
    except (StoreTimeoutError, StoreUnavailableError):
        raise
    except StoreError as error:
        read.failed(error)
    else:
        read.answered(documents)
