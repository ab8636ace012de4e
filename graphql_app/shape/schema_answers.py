"""Keeps answers to questions about a schema: they are the largest, the same for everybody, and every tool asks them."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakKeyDictionary, finalize

import orjson
from graphql import GraphQLSchema

from graphql_app.plan.cache import BoundedCache
from graphql_app.plan.introspection import asks_schema_only
from graphql_app.plan.types import Plan
from graphql_app.shape.response import Answer

__all__ = ["SchemaAnswers"]

_ENTRIES: Final = 64
_BYTES: Final = 8_388_608


class SchemaAnswers:
    """A few answers of all schemas, in a bounded number of bytes; a schema that is replaced takes its answers along."""

    def __init__(self) -> None:
        self._kept = BoundedCache[Answer](entries=_ENTRIES, length=_BYTES)
        self._schemas: WeakKeyDictionary[GraphQLSchema, object] = WeakKeyDictionary()
        self._gone: deque[object] = deque()

    def get(self, plan: Plan, text: str, variables: Mapping[str, Any]) -> Answer | None:
        """Give the answer to exactly this text, operation and variables."""
        self._let_go()
        mark = self._schemas.get(plan.schema)
        return None if mark is None else self._kept.get((mark, *_key(plan, text, variables)))

    def keep(self, plan: Plan, text: str, variables: Mapping[str, Any], answer: Answer) -> None:
        """Keep an answer, if it depends on nothing but the schema and has data."""
        if answer.status == 200 and asks_schema_only(plan.operation):
            mark = self._schemas.get(plan.schema)
            if mark is None:
                mark = self._schemas[plan.schema] = object()
                # Any thread may find a schema unused; answers are let go of in the one that asks for them.
                finalize(plan.schema, self._gone.append, mark).atexit = False
            self._kept.keep((mark, *_key(plan, text, variables)), answer, len(answer.body) + len(text))

    def _let_go(self) -> None:
        gone = {self._gone.popleft() for _ in range(len(self._gone))}
        if gone:
            self._kept.drop(lambda key: key[0] in gone)


def _key(plan: Plan, text: str, variables: Mapping[str, Any]) -> tuple[str, str | None, bytes]:
    return text, plan.operation_name, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS) if variables else b""
