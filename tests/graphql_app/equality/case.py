"""One case: an application, its documents and several operations; how it is set up, asked and told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import parse

from content_core.documents import Document
from content_core.extended_json import dumps
from content_core.store import ChangeFeed, Store
from graphql_app.engine import Engine
from graphql_app.registry import ActiveApp, Registry
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import Answer
from tests.graphql_app.equality.applications import draw_application
from tests.graphql_app.equality.comparison import (
    Errors,
    data_bytes,
    errors_of,
    find_difference,
    find_loads,
    has_race,
    write_error,
)
from tests.graphql_app.equality.dice import Dice
from tests.graphql_app.equality.documents import draw_documents
from tests.graphql_app.equality.model import DATABASE
from tests.graphql_app.equality.naive import Naive
from tests.graphql_app.equality.queries import Query, draw_query

__all__ = ["Case", "Desk", "Tally", "make_case"]

INTERPRETED: Final = "graphql-core"
COMPILED: Final = "compiled"
NAIVE: Final = "one query per field"
_USER: Final = {"_id": "key", "tenant": "acme", "global": False}


@dataclass(frozen=True, slots=True)
class Case:
    """What one example is made of; its repr is what a report needs.

    Attributes:
        definition: with ``DB`` in place of the database's name.
        documents: by collection.
        queries: the operations.
    """

    definition: Document
    documents: Mapping[str, Sequence[Document]]
    queries: Sequence[Query]

    def __repr__(self) -> str:
        lines = ["", "--- schema ---", self.definition["schema"], "--- mappings ---"]
        lines += [json.dumps(self.definition["mappings"], indent=1)]
        for name, documents in self.documents.items():
            lines += [f"--- documents of {name} ---", *(repr(document) for document in documents)]
        for query in self.queries:
            lines += ["--- operation ---", query.text, f"variables {json.dumps(query.variables)}"]
        return "\n".join(lines)


def make_case(seed: int, *, operations: int) -> Case:
    """Make the case of a seed, with so many operations."""
    dice = Dice(seed)
    app = draw_application(dice)
    documents = draw_documents(dice, app)
    return Case(app.definition(), documents, [draw_query(dice, app) for _ in range(operations)])


@dataclass(slots=True)
class Tally:
    """How many operations were asked, ran, were answered by a compiled function, met errors, found documents."""

    asked: int = 0
    answered: int = 0
    compiled: int = 0
    with_errors: int = 0
    with_data: int = 0
    fallbacks: list[str] = field(default_factory=list)


class Desk:
    """Puts cases into a database and asks them in every way.

    Args:
        store: where documents go.
        database: their database.
        tally: where to count.
    """

    def __init__(self, store: Store, database: str, tally: Tally | None = None) -> None:
        self._store = store
        self._database = database
        self._settings = GraphQLSettings(max_cost=10**12)  # what is compared is never refused
        self._compiling = Engine(store=store, settings=replace(self._settings, compile_queries=True))
        self._interpreting = Engine(store=store, settings=replace(self._settings, compile_queries=False))
        self._registry = Registry(store, ChangeFeed(store), self._settings)
        self.tally = tally or Tally()

    async def check(self, case: Case) -> list[Answer]:
        """Ask every operation of a case in every way, and give the answers that all ways agree on.

        Raises:
            AssertionError: two answers differ; its text tells everything that is needed to repeat it.
        """
        for name, documents in case.documents.items():
            await self._store.delete_many(self._database, name, filter={})
            await self._store.bulk_replace(self._database, name, documents)
        definition = json.loads(json.dumps(case.definition).replace(f'"{DATABASE}"', f'"{self._database}"'))
        definition["_id"] = f"{self._database}___any"
        active = (await self._registry.prepare(self._database, definition)).active
        naive = Naive(active.app, self._store, self._settings, _USER)
        return [await self._check(case, active, naive, query) for query in case.queries]

    async def _check(self, case: Case, active: ActiveApp, naive: Naive, query: Query) -> Answer:
        variables = query.variables
        answers = {
            INTERPRETED: await self._interpreting.answer(active, query.text, variables=variables, user=_USER),
            COMPILED: await self._compiling.answer(active, query.text, variables=variables, user=_USER),
        }
        refused = b'{"errors":' == answers[INTERPRETED].body[:10]
        self._count(query, answers, refused=refused)
        if refused:
            assert answers[INTERPRETED] == replace(answers[COMPILED], compiled=False), _report(case, query, answers)
            return answers[INTERPRETED]
        document = parse(query.text)
        answers[NAIVE] = await naive.answer(document, variables)
        loads = find_loads(active.app.schema, active.app.definition, document)
        possible = None
        if any(has_race(answer, loads) for answer in answers.values()):
            everything = await naive.answer(document, variables, propagate=False)
            possible = [write_error(error) for error in errors_of(everything)]
        self._compare(case, query, answers, loads, possible)
        return answers[INTERPRETED]

    def _count(self, query: Query, answers: Mapping[str, Answer], *, refused: bool) -> None:
        self.tally.asked += 1
        self.tally.answered += not refused
        self.tally.with_errors += not refused and b'"errors":[' in answers[INTERPRETED].body
        self.tally.with_data += (data_bytes(answers[INTERPRETED]) or b"").count(b"{") > 1
        assert not answers[INTERPRETED].compiled
        if answers[COMPILED].compiled:
            self.tally.compiled += 1
        elif not refused:
            self.tally.fallbacks.append(query.text)

    def _compare(
        self,
        case: Case,
        query: Query,
        answers: Mapping[str, Answer],
        loads: frozenset[Any],
        possible: Errors | None,
    ) -> None:
        incident = next((name for name, answer in answers.items() if b'"incident":' in answer.body), None)
        assert incident is None, f"{incident}: an incident\n{_report(case, query, answers)}"
        for left, right in ((INTERPRETED, NAIVE), (INTERPRETED, COMPILED)):
            difference = find_difference(answers[left], answers[right], loads=loads, possible=possible)
            assert difference is None, f"{left} and {right}: {difference}\n{_report(case, query, answers)}"


def _report(case: Case, query: Query, answers: Mapping[str, Answer]) -> str:
    lines = [repr(replace(case, queries=[query])), ""]
    for name, answer in answers.items():
        lines += [f"--- {name}: {answer.status} ---", answer.body.decode()]
    lines += ["--- for a test ---", f"definition={case.definition!r}", f"documents={dict(case.documents)!r}"]
    lines += [f"extended: {dumps(dict(case.documents)).decode()}"]
    return "\n".join(lines)
