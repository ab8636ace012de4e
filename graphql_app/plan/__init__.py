"""From the text of an operation to a plan; pure: nothing here waits or knows how plans are run."""

from graphql_app.plan.build import coerce_variables, name_root_fields, parse_operations, select_operation
from graphql_app.plan.cache import BoundedCache, PlanCache
from graphql_app.plan.cost import check_cost, price_operation
from graphql_app.plan.guards import Bounds
from graphql_app.plan.price import Cost, Price
from graphql_app.plan.types import LimitExceededError, Operations, Plan, PlanRefusedError

__all__ = [
    "BoundedCache",
    "Bounds",
    "Cost",
    "LimitExceededError",
    "Operations",
    "Plan",
    "PlanCache",
    "PlanRefusedError",
    "Price",
    "check_cost",
    "coerce_variables",
    "name_root_fields",
    "parse_operations",
    "price_operation",
    "select_operation",
]
