from typing import Any

from content_core.store import FindQuery, Store
from graphql_app.query import UNBOUND, Load, Scope, distribute, plan_calls, plan_load
from graphql_app.query.aggregate import AggregateQuery
from graphql_app.query.union import MOST_PARTS, split_union, write_union
from graphql_app.schema.mappings import Limits, QueryMapping


def load(owner: Any, *, limit: int = 2, field: str = "jobs", database: str = "acme", **parts: Any) -> Load:
    """A list by the parent's own key: nobody knows how many documents there are for one parent."""
    mapping = QueryMapping(
        "Mechanic", field, database, "jobs", {"owner": {"$fk": "_id"}}, limit=limit, plural=True, **parts
    )
    planned = plan_load(mapping, Scope({}, {"_id": owner}, UNBOUND), limits=Limits(), regex_length=100)
    assert planned is not None
    return planned


def test_finds_of_one_collection_become_one_pipeline() -> None:
    query = write_union("jobs", [FindQuery(filter={"a": 1}, sort=(("b", -1),), skip=3, limit=2), FindQuery(filter={})])

    assert query == AggregateQuery((
        {"$match": {"a": 1}},
        {"$sort": {"b": -1}},
        {"$skip": 3},
        {"$limit": 2},
        {"$project": {"_id": 0, "part": {"$literal": 0}, "document": "$$ROOT"}},
        {
            "$unionWith": {
                "coll": "jobs",
                "pipeline": [
                    {"$match": {}},
                    {"$project": {"_id": 0, "part": {"$literal": 1}, "document": "$$ROOT"}},
                ],
            }
        },
    ))  # fmt: skip


def test_documents_go_back_to_their_finds() -> None:
    documents = [{"part": 2, "document": {"_id": 1}}, {"part": 0, "document": {"_id": 2}}]

    assert split_union(documents, 3) == [[{"_id": 2}], [], [{"_id": 1}]]


def test_lists_by_the_parents_key_share_a_call_whatever_their_field() -> None:
    (call,) = plan_calls([load("m1"), load("m2"), load("m1", field="others", limit=1)], batch_keys=1000)

    assert call.fields == ("Mechanic.jobs", "Mechanic.others")
    assert len(call.loads) == 3


def test_a_union_has_a_bounded_number_of_parts() -> None:
    calls = plan_calls([load(f"m{number}") for number in range(2 * MOST_PARTS + 1)], batch_keys=1000)

    assert [len(call.loads) for call in calls] == [MOST_PARTS, MOST_PARTS, 1]
    assert isinstance(calls[-1].query, FindQuery)


def test_other_collections_are_other_unions() -> None:
    calls = plan_calls(
        [load("m1"), load("m2"), load("m1", database="other"), load("m2", database="other")], batch_keys=9
    )

    assert [(call.database, len(call.loads)) for call in calls] == [("acme", 2), ("other", 2)]


async def test_each_find_of_a_union_keeps_its_order_and_limit(store: Store, database: str) -> None:
    for number in range(6):
        await store.replace(database, "jobs", {"_id": number, "owner": f"m{number % 2}", "text": "x" * 10})
    loads = [load("m0", database=database, sort={"_id": -1}), load("m1", database=database, sort={"_id": 1})]
    (call,) = plan_calls(loads, batch_keys=1000)
    assert isinstance(call.query, AggregateQuery)

    found = await store.aggregate(database, "jobs", list(call.query.stages))

    shares = distribute(call, found).found
    assert [[document["_id"] for document in shares[each.key]] for each in loads] == [[4, 2], [1, 3]]


async def test_a_union_reads_only_what_is_needed(store: Store, database: str) -> None:
    await store.replace(database, "jobs", {"_id": 1, "owner": "m0", "title": "a", "text": "x" * 10})
    loads = [load("m0", database=database), load("m1", database=database)]
    (call,) = plan_calls(loads, batch_keys=1000)
    query = call.project({"title": 1})
    assert isinstance(query, AggregateQuery)

    found = await store.aggregate(database, "jobs", list(query.stages))

    assert found == [{"part": 0, "document": {"_id": 1, "title": "a"}}]
