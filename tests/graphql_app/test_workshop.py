"""The specification's examples of field mappings, over HTTP: paths, queries, arguments, references, aggregations."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from content_core.documents import Document
from content_core.store import ChangeFeed, Store
from tests.graphql_app.http.server import ADMIN, put_definition, serve
from tests.graphql_app.query.workshop import load_workshop

SDL = """
enum State { OPEN DONE }
type Mechanic { id: String name: String phone: String mainMail: String skillCodes: [String]
                jobs(limit: Int = 10, state: State): [Job] load: Load box: Box }
type Job  { id: Int title: String state: State owner: Mechanic sameTeam: [Mechanic] }
type Load { team: String jobs: Int minutes: Int }
type Box  { phone: String inner: Inner }
type Inner { sameTeam: [Mechanic] }
input Range { from: Int }
input Options { limit: Int ranges: [Range] }
type Query { mechanics(filter: BsonDocument, sort: BsonDocument, skip: Int = 0, limit: Int = 20): [Mechanic]
             mechanic(id: String!): Mechanic  loads(minMinutes: Int): [Load]
             stuff(options: Options): [Job]  ranged(options: Options): [Job]  unknown: Mechanic }
"""


def definition(tenant: str) -> Document:
    """Give the definition of the specification's examples, with its rules for ``rootDoc`` and paths of arguments."""
    mechanics, jobs = {"db": tenant, "collection": "mechanics"}, {"db": tenant, "collection": "jobs"}
    mates = mechanics | {"find": {"team": {"$arg": "rootDoc.team"}}}
    return {
        "_id": f"{tenant}___workshop",
        "schema": SDL,
        "mappings": {
            "State": {"OPEN": 0, "DONE": 1},
            "Mechanic": {
                "id": "_id",
                "name": "first",
                "phone": "contact.phone",
                "mainMail": "contact.mails.0",
                "skillCodes": "skills.code",
                "box": "contact",
                "jobs": jobs
                | {
                    "find": {"_id": {"$in": {"$fk": "jobIds"}}, "state": {"$arg": ["state", 0]}},
                    "sort": {"_id": 1},
                    "limit": {"$arg": "limit"},
                },
                "load": jobs
                | {
                    "stages": [
                        {"$match": {"owner": {"$fk": "_id"}}},
                        {"$group": {"_id": None, "jobs": {"$sum": 1}, "minutes": {"$sum": "$minutes"}}},
                    ]
                },
            },
            "Job": {"id": "_id", "owner": mechanics | {"find": {"_id": {"$fk": "owner"}}}, "sameTeam": mates},
            "Inner": {"sameTeam": mates},
            "Box": {"inner": "mails"},
            "Load": {"team": "_id"},
            "Query": {
                "mechanics": mechanics
                | {
                    "find": {"$arg": ["filter", {}]},
                    "sort": {"$arg": ["sort", {"_id": 1}]},
                    "skip": {"$arg": "skip"},
                    "limit": {"$arg": "limit"},
                },
                "mechanic": mechanics | {"find": {"_id": {"$arg": "id"}}},
                "stuff": jobs | {"sort": {"_id": 1}, "limit": {"$arg": "options.limit"}},
                "ranged": jobs | {"find": {"_id": {"$gte": {"$arg": "options.ranges[1].from"}}}, "sort": {"_id": 1}},
                "loads": jobs
                | {
                    "stages": [
                        {"$ifarg": ["minMinutes", {"$match": {"minutes": {"$gte": {"$arg": "minMinutes"}}}}]},
                        {"$group": {"_id": "$owner", "jobs": {"$sum": 1}, "minutes": {"$sum": "$minutes"}}},
                        {"$sort": {"_id": 1}},
                    ]
                },
            },
        },
    }


@dataclass(frozen=True, slots=True)
class Workshop:
    """The application behind its door."""

    client: httpx.AsyncClient
    url: str

    async def ask(self, query: str, variables: Document | None = None) -> tuple[int, Any]:
        response = await self.client.post(self.url, json={"query": query, "variables": variables}, auth=ADMIN)
        return response.status_code, response.json()


@pytest.fixture
async def workshop(store: Store, feed: ChangeFeed, database: str) -> AsyncIterator[Workshop]:
    """The workshop of the examples, served."""
    async with serve(store, feed) as server:
        await load_workshop(store, database)
        await put_definition(server, store, definition(database))
        yield Workshop(server.client, f"/graphql/{database}/workshop")


async def test_paths_lead_into_documents_and_lists(workshop: Workshop) -> None:
    ada = {"id": "m1", "name": "Ada", "phone": "+49 1", "mainMail": "ada@w.example", "skillCodes": ["brk", "whl"]}
    bo: Document = {"id": "m2", "name": "Bo", "phone": None, "mainMail": None, "skillCodes": []}

    answer = await workshop.ask("{ mechanics { id name phone mainMail skillCodes } }")

    assert answer == (200, {"data": {"mechanics": [ada, bo]}})


async def test_single_fields_give_the_first_document_or_null(workshop: Workshop) -> None:
    answer = await workshop.ask('{ mechanic(id: "zz") { name } one: mechanic(id: "m2") { name } }')

    assert answer == (200, {"data": {"mechanic": None, "one": {"name": "Bo"}}})


async def test_lists_are_filtered_sorted_and_paged(workshop: Workshop) -> None:
    query = """query ($filter: BsonDocument, $sort: BsonDocument) {
      found: mechanics(filter: $filter) { name } sorted: mechanics(sort: $sort, limit: 1) { name }
      rest: mechanics(skip: 1) { name } }"""

    answer = await workshop.ask(query, {"filter": {"team": "T2"}, "sort": {"first": -1}})

    bo = [{"name": "Bo"}]
    assert answer == (200, {"data": {"found": bo, "sorted": bo, "rest": bo}})


@pytest.mark.parametrize(
    ("arguments", "title", "state"), [("", "Brake pads", "OPEN"), ("(state: DONE)", "True wheel", "DONE")]
)
async def test_arguments_and_their_defaults_fill_the_query(
    arguments: str, title: str, state: str, workshop: Workshop
) -> None:
    answer = await workshop.ask(f'{{ mechanic(id: "m1") {{ jobs{arguments} {{ title state }} }} }}')

    assert answer == (200, {"data": {"mechanic": {"jobs": [{"title": title, "state": state}]}}})


async def test_paths_lead_into_input_objects_and_their_lists(workshop: Workshop) -> None:
    query = "{ stuff(options: {limit: 2}) { id } ranged(options: {ranges: [{from: 1}, {from: 12}]}) { id } }"

    status, body = await workshop.ask(query)

    assert (status, body) == (200, {"data": {"stuff": [{"id": 11}, {"id": 12}], "ranged": [{"id": 12}, {"id": 13}]}})


async def test_a_name_that_is_not_bound_fails_its_field_alone(workshop: Workshop) -> None:
    status, body = await workshop.ask('{ ranged(options: {ranges: []}) { id } mechanic(id: "m1") { name } }')

    assert (status, body["data"]) == (200, {"ranged": None, "mechanic": {"name": "Ada"}})
    (error,) = body["errors"]
    cause = "variable options.ranges[1].from not bound"
    assert error["message"] == f"Exception while fetching data (/ranged) : {cause}"
    assert error["path"] == ["ranged"]


async def test_references_lead_from_document_to_document(workshop: Workshop) -> None:
    answer = await workshop.ask('{ mechanic(id: "m1") { jobs(state: DONE) { title owner { name } } } }')

    jobs = [{"title": "True wheel", "owner": {"name": "Ada"}}]
    assert answer == (200, {"data": {"mechanic": {"jobs": jobs}}})


async def test_a_reference_to_nothing_is_null(workshop: Workshop, store: Store, database: str) -> None:
    await store.bulk_replace(database, "jobs", [{"_id": 11, "title": "Brake pads", "state": 0}])

    answer = await workshop.ask('{ mechanic(id: "m1") { jobs { owner { name } } } }')

    assert answer == (200, {"data": {"mechanic": {"jobs": [{"owner": None}]}}})


async def test_the_root_document_stays_the_same_however_deep(workshop: Workshop, store: Store, database: str) -> None:
    changes: list[Document] = [
        {"_id": "m1", "first": "Ada", "team": "T1", "jobIds": [11, 13], "contact": {"mails": {"a": 1}}},
        {"_id": "m2", "first": "Bo", "team": "T2", "jobIds": [13]},
    ]
    await store.bulk_replace(database, "mechanics", changes)

    status, body = await workshop.ask(
        "{ mechanics { name jobs { title sameTeam { name } owner { jobs { sameTeam { name } } } } } }"
    )
    ada, bo = [{"name": "Ada"}], [{"name": "Bo"}]
    below_ada = {"jobs": [{"sameTeam": ada}, {"sameTeam": ada}]}
    of_ada = [
        {"title": "Brake pads", "sameTeam": ada, "owner": below_ada},
        {"title": "Chain", "sameTeam": ada, "owner": {"jobs": [{"sameTeam": ada}]}},
    ]
    of_bo = [{"title": "Chain", "sameTeam": bo, "owner": {"jobs": [{"sameTeam": bo}]}}]
    expected = [{"name": "Ada", "jobs": of_ada}, {"name": "Bo", "jobs": of_bo}]
    assert (status, body) == (200, {"data": {"mechanics": expected}})


async def test_nested_types_pass_the_root_document_on(workshop: Workshop, store: Store, database: str) -> None:
    ada = {"_id": "m1", "first": "Ada", "team": "T1", "contact": {"phone": "1", "mails": {"a": 1}}}
    await store.bulk_replace(database, "mechanics", [ada])

    answer = await workshop.ask('{ mechanic(id: "m1") { box { phone inner { sameTeam { name } } } } }')

    box = {"phone": "1", "inner": {"sameTeam": [{"name": "Ada"}]}}
    assert answer == (200, {"data": {"mechanic": {"box": box}}})


async def test_aggregations_with_optional_stages(workshop: Workshop) -> None:
    query = (
        '{ loads { team jobs minutes } some: loads(minMinutes: 25) { team jobs } mechanic(id: "m1") { load { jobs } } }'
    )

    answer = await workshop.ask(query)

    loads = [{"team": "m1", "jobs": 2, "minutes": 75}, {"team": "m2", "jobs": 1, "minutes": 20}]
    some = [{"team": "m1", "jobs": 2}]
    assert answer == (200, {"data": {"loads": loads, "some": some, "mechanic": {"load": {"jobs": 2}}}})


async def test_a_limit_over_the_maximum_and_null_for_a_limit(workshop: Workshop) -> None:
    status, body = await workshop.ask("{ mechanics(limit: 101) { name } all: mechanics(limit: null) { name } }")

    assert (status, body["data"]) == (200, {"mechanics": None, "all": [{"name": "Ada"}, {"name": "Bo"}]})
    assert body["errors"][0]["message"].endswith("Query variable cannot be greater than 100")
