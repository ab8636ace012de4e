"""The way of one query: its text becomes a plan, the plan is run, and the outcome becomes an answer.

Whoever asks has been admitted already; nothing here knows HTTP beyond a status number.
"""

from collections.abc import Mapping
from typing import Any, Final

import structlog

from content_core.errors import StoreTimeoutError
from content_core.store import Store
from graphql_app.plan import Operations, PlanRefusedError, parse_operations, select_operation
from graphql_app.registry import ActiveApp
from graphql_app.run import run_plan
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer, render_refusal, render_service_error, shape_errors, shape_outcome

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

    async def answer(
        self,
        active: ActiveApp,
        query: str,
        *,
        operation_name: str | None = None,
        variables: Mapping[str, Any] = _NO_VARIABLES,
        user: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer one query.

        Args:
            active: the application that is asked.
            query: the operations and their fragments.
            operation_name: which of several operations runs.
            variables: the values of its variables, as JSON.
            user: what ``@user`` stands for in aggregation mappings.

        Returns:
            The answer, with status 200 while there is data, 400 if the query is refused or a null reached the root,
            408 when the time is over.

        Raises:
            StoreUnavailableError: the database went away; there is no data.
        """
        try:
            plan = select_operation(active.app.schema, self._operations(active, query), operation_name)
            outcome = await run_plan(plan, store=self._store, variables=variables, settings=self._settings, user=user)
        except PlanRefusedError as refused:
            return shape_errors(400, render_refusal(refused))
        except StoreTimeoutError as error:
            return shape_errors(408, [render_service_error(error.message, located=False)])
        # Bound, not logged: whoever logs the request in this task writes them into its one line.
        structlog.contextvars.bind_contextvars(
            operation=plan.operation_name[:_NAME] if plan.operation_name else None,
            errors=len(outcome.errors),
            calls=outcome.calls,
            documents=outcome.documents,
        )
        return shape_outcome(outcome.data, outcome.errors)

    def _operations(self, active: ActiveApp, text: str) -> Operations:
        operations = active.plans.get(text)
        if operations is None:
            operations = parse_operations(
                active.app.schema,
                text,
                max_tokens=self._settings.max_tokens,
                max_errors=self._settings.max_validation_errors,
                introspection=active.app.definition.introspection,
            )
            active.plans.put(text, operations)
        return operations
