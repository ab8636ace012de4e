"""The seam between schema and execution: what a database field asks of the request's context."""

from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

from graphql import GraphQLResolveInfo

from graphql_app.schema.mappings import DatabaseMapping

__all__ = ["Fetcher"]


class Fetcher(Protocol):
    """What ``info.context`` of every execution has to be."""

    def fetch(
        self, mapping: DatabaseMapping, source: Any, info: GraphQLResolveInfo[Any], arguments: Mapping[str, Any]
    ) -> Awaitable[Any]:
        """Run a mapping's query or pipeline.

        Args:
            mapping: what to ask, with its ``$arg`` and ``$fk``.
            source: the parent value, None for root fields.
            info: where in the operation the field stands.
            arguments: the bound arguments (given, or with a default in the SDL), converted by their types.

        Returns:
            A list of documents if ``mapping.plural``, else a document or None.
        """
        ...
