"""From the text of an operation to a plan; pure: nothing here waits or knows how plans are run."""

from graphql_app.plan.build import parse_operations, select_operation
from graphql_app.plan.cache import PlanCache
from graphql_app.plan.types import Operations, Plan, PlanRefusedError

__all__ = ["Operations", "Plan", "PlanCache", "PlanRefusedError", "parse_operations", "select_operation"]
