"""Cases that random ones led to, and cases that they rarely meet: every way gives the answer that is right."""

from typing import Any

import orjson
import pytest

from content_core.documents import Document
from content_core.store import Store
from tests.graphql_app.equality.case import Case, Desk
from tests.graphql_app.equality.model import DATABASE
from tests.graphql_app.equality.queries import Query

THINGS: Document = {"db": DATABASE, "collection": "c0"}
QUERY: Document = {"things": THINGS | {"sort": {"_id": 1}}}


def make_case(
    sdl: str, mappings: Document, things: list[Document], query: str, variables: Document | None = None
) -> Case:
    """Make a case of a type or two besides ``Query { things: [T] }``."""
    schema = f"type Query {{ things: [T] }} {sdl}"
    definition = {"_id": f"{DATABASE}___any", "schema": schema, "mappings": {"Query": QUERY} | mappings}
    documents = [{"_id": number} | thing for number, thing in enumerate(things)]
    return Case(definition, {"c0": documents}, [Query(query, variables or {})])


async def answer(case: Case, store: Store, database: str) -> Any:
    """Compare all ways and give the answer that they agree on."""
    (found,) = await Desk(store, database).check(case)
    return orjson.loads(found.body)


REFERENCE = {"$ref": "c0", "$id": 1, "kind": "T", "n": 1, "more": [{"$ref": "c0", "$id": 2, "n": 2}]}
INTERFACE = "interface I { n: Int } type T implements I { n: Int o: I many: [Int] whole: BsonDocument }"
RESOLVER = {
    "I": {"$typeResolver": {"T": "field-eq(field=kind, value='\"T\"')"}},
    "T": {"many": "o.more.n", "whole": "o"},
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ things { o { n } } }", {"o": {"n": 1}}),
        ("{ things { o { __typename } } }", {"o": {"__typename": "T"}}),
        ("{ things { many } }", {"many": [2]}),
        ("{ things { whole } }", {"whole": REFERENCE}),
    ],
)
async def test_documents_that_look_like_references_are_documents(
    query: str, expected: Document, store: Store, database: str
) -> None:
    case = make_case(INTERFACE, RESOLVER, [{"o": REFERENCE}], query)

    assert await answer(case, store, database) == {"data": {"things": [expected]}}
