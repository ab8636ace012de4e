"""From mappings and arguments to database queries; pure: nothing here waits."""

from graphql_app.query.aggregate import AggregateQuery
from graphql_app.query.arguments import UNBOUND, Scope
from graphql_app.query.batching import Call, Distribution, distribute, plan_calls
from graphql_app.query.errors import FetchError
from graphql_app.query.find import Load, plan_load

__all__ = [
    "UNBOUND",
    "AggregateQuery",
    "Call",
    "Distribution",
    "FetchError",
    "Load",
    "Scope",
    "distribute",
    "plan_calls",
    "plan_load",
]
