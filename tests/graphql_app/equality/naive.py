"""The simplest way to answer: graphql-core with one find per field; no batches, no merging, no projection.

It is slow and easy to believe, and it says which errors an operation can meet at all.
"""

import asyncio
import inspect
from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, Executor, GraphQLResolveInfo, Undefined
from graphql.pyutils import Path
from graphql.utilities.coerce_input_value import coerce_default_value

from content_core.documents import Document
from content_core.errors import StoreError
from content_core.store import Store
from graphql_app.query import UNBOUND, AggregateQuery, FetchError, Load, Scope, plan_load
from graphql_app.schema.build import ExecutableApp
from graphql_app.schema.mappings import DatabaseMapping
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer, shape_outcome

__all__ = ["Naive"]


class Naive:
    """Answers valid operations of one application whose documents stay as they are.

    Args:
        app: the application.
        store: where its documents are.
        settings: the limits.
        user: who asks.
    """

    def __init__(
        self, app: ExecutableApp, store: Store, settings: GraphQLSettings, user: Mapping[str, Any] | None = None
    ) -> None:
        self.user = user
        self._app = app
        self._store = store
        self._settings = settings
        self._known: dict[bytes, list[Document]] = {}

    async def answer(self, document: DocumentNode, variables: Mapping[str, Any], *, propagate: bool = True) -> Answer:
        """Answer an operation that is valid; without propagation nulls stay where they are, and all errors are told."""
        executor = Executor.build(
            self._app.schema, document, context_value=_Fetcher(self), raw_variable_values=dict(variables)
        )
        assert not isinstance(executor, list)
        executor.error_propagation = propagate
        result: Any = executor.execute_operation()
        if inspect.isawaitable(result):
            result = await result
        if executor.background_futures:  # what a null cut off
            await asyncio.wait(executor.background_futures)
        return shape_outcome(result.data, result.errors or ())

    async def find(self, mapping: DatabaseMapping, scope: Scope) -> Any:
        """Run the query of one field."""
        load = plan_load(mapping, scope, limits=self._settings.limits, regex_length=self._settings.regex_length)
        if load is None:
            return [] if mapping.plural else None
        if load.key not in self._known:
            try:
                self._known[load.key] = await self._ask(load)
            except StoreError as error:
                raise FetchError.of(error) from error
        found = self._known[load.key]
        return found if mapping.plural else next(iter(found), None)

    async def _ask(self, load: Load) -> list[Document]:
        query = load.query
        if isinstance(query, AggregateQuery):
            disk = query.allow_disk_use
            return await self._store.aggregate(load.database, load.collection, query.stages, allow_disk_use=disk)
        return await self._store.find(load.database, load.collection, query)


class _Fetcher:
    """The context of one execution; see :class:`graphql_app.schema.resolvers.Fetcher`."""

    def __init__(self, naive: Naive) -> None:
        self._naive = naive
        self._roots: dict[str | int, Any] = {}

    async def fetch(
        self, mapping: DatabaseMapping, source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
    ) -> Any:
        declared = info.parent_type.fields[info.field_name].args
        defaults = {name: coerce_default_value(declared[name]) for name, value in arguments.items() if value is None}
        bound = {name: value for name, value in defaults.items() if value is not Undefined}
        scope = Scope(arguments, source, self._root(info.path), bound, self._naive.user)
        value = await self._naive.find(mapping, scope)
        if info.path.prev is None:
            self._roots[info.path.key] = value
        return value

    def _root(self, path: Path) -> Any:
        keys = path.as_list()
        if len(keys) == 1:
            return UNBOUND
        value = self._roots[keys[0]]
        return value[keys[1]] if isinstance(keys[1], int) else value
