"""The way of one query: its text becomes a plan, the plan is run, and the outcome becomes an answer.

Whoever asks has been admitted already; nothing here knows HTTP beyond a status number.
"""

from collections.abc import Mapping
from typing import Any, Final

from graphql import OperationType

from content_core import observe
from content_core.documents import Json
from content_core.errors import StoreTimeoutError
from content_core.store import Store
from graphql_app.compile.programs import find_program
from graphql_app.compile.run import run_program
from graphql_app.explain import Trace, render_trace
from graphql_app.plan import (
    Operations,
    Plan,
    PlanRefusedError,
    check_cost,
    coerce_variables,
    name_root_fields,
    parse_operations,
    price_operation,
    select_operation,
)
from graphql_app.plan.selection import UnplannableError
from graphql_app.registry import ActiveApp
from graphql_app.run import Outcome, run_plan
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import (
    Answer,
    SchemaAnswers,
    bound_answer,
    extend_answer,
    render_refusal,
    render_service_error,
    shape_errors,
    shape_outcome,
)

__all__ = ["Engine"]

_NAME: Final = 100
"""Characters of an operation's name that the log keeps."""

_NO_VARIABLES: Final[Mapping[str, Any]] = {}


class Engine:
    """Answers queries of any application.

    Args:
        store: where queries go.
        settings: limits and switches.
    """

    def __init__(self, *, store: Store, settings: GraphQLSettings) -> None:
        self._store = store
        self._settings = settings
        self._schema_answers = SchemaAnswers()

    async def answer(
        self,
        active: ActiveApp,
        query: str,
        *,
        operation_name: str | None = None,
        variables: Mapping[str, Any] = _NO_VARIABLES,
        user: Mapping[str, Any] | None = None,
        read_only: bool = False,
        show_cost: bool = False,
        explain: bool = False,
    ) -> Answer:
        """Answer one query.

        Args:
            active: the application that is asked.
            query: the operations and their fragments.
            operation_name: which of several operations runs.
            variables: the values of its variables, as JSON.
            user: what ``@user`` stands for in aggregation mappings.
            read_only: whether only queries may run; anything else is answered with status 405.
            show_cost: say in ``extensions`` what the operation costs.
            explain: say there too which database calls it took, and how MongoDB ran them; only for whoever may read
                the collections themselves.

        Returns:
            The answer, with status 200 while there is data, 400 if the query is refused or a null reached the root,
            408 when the time is over.

        Raises:
            StoreUnavailableError: the database went away; there is no data.
        """
        settings = self._settings
        trace = Trace(self._store) if explain else None
        try:
            with observe.stage("parse"):
                operations = self._operations(active, query)
                plan = select_operation(active.app.schema, operations, operation_name)
            if read_only and plan.operation.operation is not OperationType.QUERY:
                return shape_errors(405, [render_service_error("Only queries are executed by GET")])
            cost = self._check_cost(active, operations, plan, variables)
            observe.note(operation=_name(plan), query=name_root_fields(plan.operation))
            answer = await self._run_compiled(active, operations, plan, variables, user, trace)
            if answer is None:
                answer = await self._interpret(plan, query, variables, user, trace)
        except PlanRefusedError as refused:
            return shape_errors(400, render_refusal(refused))
        except StoreTimeoutError as error:
            return shape_errors(408, [render_service_error(error.message, located=False)])
        observe.count("graphql_executions", way="compiled" if answer.compiled else "interpreted")
        observe.note(compiled=answer.compiled)
        answer = bound_answer(answer, max_bytes=settings.max_response_bytes)
        extensions: dict[str, Json] = {"cost": cost} if show_cost else {}
        if answer.statistics is not None:
            extensions["dataloader"] = {"overall-statistics": dict(answer.statistics)}
        if trace is not None:
            extensions["explain"] = render_trace(trace, compiled=answer.compiled)
        return extend_answer(answer, extensions) if extensions else answer

    async def _run_compiled(
        self,
        active: ActiveApp,
        operations: Operations,
        plan: Plan,
        variables: Mapping[str, Any],
        user: Mapping[str, Any] | None,
        trace: Trace | None,
    ) -> Answer | None:
        """Run an operation's program; None if graphql-core has to execute it."""
        settings = self._settings
        if not settings.compile_queries or settings.verbose:
            return None
        coerced = coerce_variables(plan, variables)
        program = find_program(active.app, active.plans, operations, plan.operation, coerced)
        if program is None:
            return None
        try:
            outcome = await run_program(
                program, store=self._store, variables=coerced, settings=settings, user=user, trace=trace
            )
        except UnplannableError:
            return None
        return _shape(outcome, compiled=True)

    async def _interpret(
        self,
        plan: Plan,
        query: str,
        variables: Mapping[str, Any],
        user: Mapping[str, Any] | None,
        trace: Trace | None,
    ) -> Answer:
        """Let graphql-core execute an operation; answers about the schema are kept."""
        answer = self._schema_answers.get(plan, query, variables)
        if answer is None:
            outcome = await run_plan(
                plan, store=self._store, variables=variables, settings=self._settings, user=user, trace=trace
            )
            answer = _shape(outcome, compiled=False)
            self._schema_answers.keep(plan, query, variables, answer)
        return answer

    def _check_cost(self, active: ActiveApp, operations: Operations, plan: Plan, variables: Mapping[str, Any]) -> int:
        """Give what an operation costs with these variables; its price is read off once."""
        settings, definition = self._settings, active.app.definition
        price = operations.prices.get(plan.operation_name)
        if price is None:
            price = operations.prices[plan.operation_name] = price_operation(
                plan.schema, definition.fields, plan.operation, operations.fragments, limits=settings.limits
            )
        budget = settings.max_cost if definition.max_cost is None else definition.max_cost
        return check_cost(price, variables, max_cost=budget, max_values=settings.max_input_values).points

    def _operations(self, active: ActiveApp, text: str) -> Operations:
        operations = active.plans.get(text)
        cache = "hit" if operations is not None else "miss"
        observe.count("graphql_plan_cache", result=cache)
        observe.note(cache=cache)
        if operations is None:
            operations = parse_operations(
                active.app.schema,
                text,
                max_tokens=self._settings.max_tokens,
                max_errors=self._settings.max_validation_errors,
                introspection=active.app.definition.introspection,
                bounds=self._settings.bounds,
            )
            active.plans.put(text, operations)
        return operations


def _shape(outcome: Outcome, *, compiled: bool) -> Answer:
    with observe.stage("shape"):
        answer = shape_outcome(
            outcome.data,
            outcome.errors,
            compiled=compiled,
            calls=outcome.calls,
            documents=outcome.documents,
            statistics=outcome.statistics,
        )
    observe.note(errors=len(outcome.errors))
    return answer


def _name(plan: Plan) -> str | None:
    """Give the operation's name as far as the log keeps it."""
    name = plan.operation_name
    return name if name is None or len(name) <= _NAME else name[:_NAME]
