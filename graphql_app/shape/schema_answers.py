"""Keeps answers to questions about a schema: they are the largest, the same for everybody, and every tool asks them."""

from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary

import orjson
from graphql import GraphQLSchema

from graphql_app.plan.cache import BoundedCache
from graphql_app.plan.introspection import asks_schema_only
from graphql_app.plan.types import Plan
from graphql_app.shape.response import Answer

__all__ = ["SchemaAnswers"]

_ENTRIES: Final = 8
_BYTES: Final = 16_777_216


class SchemaAnswers:
    """A few answers per schema, in a bounded number of bytes; a schema that is replaced takes its answers along."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[GraphQLSchema, BoundedCache[Answer]] = WeakKeyDictionary()

    def get(self, plan: Plan, text: str, variables: Mapping[str, Any]) -> Answer | None:
        """Give the answer to exactly this text, operation and variables."""
        kept = self._kept.get(plan.schema)
        return None if kept is None else kept.get(_key(plan, text, variables))

    def keep(self, plan: Plan, text: str, variables: Mapping[str, Any], answer: Answer) -> None:
        """Keep an answer, if it depends on nothing but the schema and has data."""
        if answer.status == 200 and asks_schema_only(plan.operation):
            kept = self._kept.setdefault(plan.schema, BoundedCache(entries=_ENTRIES, length=_BYTES))
            kept.keep(_key(plan, text, variables), answer, len(answer.body) + len(text))


def _key(plan: Plan, text: str, variables: Mapping[str, Any]) -> tuple[str, str | None, bytes]:
    return text, plan.operation_name, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
