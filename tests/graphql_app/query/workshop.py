"""The bike workshop of the specification's examples: data, definition, and short ways to ask it."""

from collections.abc import Mapping
from typing import Any

import orjson

from content_core.documents import Document
from content_core.store import Store
from graphql_app.plan import parse_operations, select_operation
from graphql_app.run import Outcome, run_plan
from graphql_app.schema.build import ExecutableApp, build_app
from graphql_app.schema.definition import parse_definition
from graphql_app.settings import GraphQLSettings
from graphql_app.shape import shape_outcome

__all__ = ["MECHANICS", "ask", "build", "load_workshop", "run", "workshop_definition"]

MECHANICS: list[Document] = [
    {
        "_id": "m1",
        "first": "Ada",
        "team": "T1",
        "contact": {"phone": "+49 1", "mails": ["ada@w.example", "a@w.example"]},
        "skills": [{"code": "brk"}, {"code": "whl"}],
        "jobIds": [11, 12],
    },
    {"_id": "m2", "first": "Bo", "team": "T2", "contact": {"mails": []}, "skills": [], "jobIds": [13]},
]
JOBS: list[Document] = [
    {"_id": 11, "title": "Brake pads", "state": 0, "owner": "m1", "minutes": 30},
    {"_id": 12, "title": "True wheel", "state": 1, "owner": "m1", "minutes": 45},
    {"_id": 13, "title": "Chain", "state": 0, "owner": "m2", "minutes": 20},
]
SDL = """
enum State { OPEN DONE }
type Mechanic { id: String name: String phone: String mainMail: String skillCodes: [String]
                jobs(limit: Int = 10, state: State): [Job] ownedJobs: [Job] mustName: String! boss: Mechanic
                load: Load }
type Job  { id: Int title: String state: State owner: Mechanic sameTeam: [Mechanic] minutes: String }
type Load { team: String jobs: Int minutes: Int }
input Page { limit: Int skip: Int }
type Query { mechanics(filter: BsonDocument, sort: BsonDocument, skip: Int = 0, limit: Int = 20): [Mechanic]
             mechanic(id: String!): Mechanic  paged(options: Page): [Mechanic]  unlimited: [Mechanic]
             strict(id: String!): Mechanic! loads(minMinutes: Int): [Load] }
"""


def workshop_definition(tenant: str, *, app: str = "workshop", sdl: str = SDL, **descriptor: Any) -> Document:
    """Build the definition for one tenant; more members for the descriptor as keyword arguments."""
    mechanics = {"db": tenant, "collection": "mechanics"}
    jobs = {"db": tenant, "collection": "jobs"}
    return {
        "_id": f"{tenant}___{app}",
        "descriptor": {"uri": f"{tenant}/{app}", "description": "bike workshop", "enabled": True} | descriptor,
        "schema": sdl,
        "mappings": {
            "State": {"OPEN": 0, "DONE": 1},
            "Mechanic": {
                "id": "_id",
                "name": "first",
                "phone": "contact.phone",
                "mainMail": "contact.mails.0",
                "skillCodes": "skills.code",
                "mustName": "nothing",
                "boss": mechanics | {"find": {"_id": {"$fk": "bossId"}}},
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
                "ownedJobs": jobs | {"find": {"owner": {"$fk": "_id"}}, "sort": {"_id": 1}},
            },
            "Job": {
                "id": "_id",
                "owner": mechanics | {"find": {"_id": {"$fk": "owner"}}},
                "sameTeam": mechanics | {"find": {"team": {"$arg": "rootDoc.team"}}},
            },
            "Load": {"team": "_id"},
            "Query": {
                "loads": jobs
                | {
                    "stages": [
                        {"$ifarg": ["minMinutes", {"$match": {"minutes": {"$gte": {"$arg": "minMinutes"}}}}]},
                        {"$group": {"_id": "$owner", "jobs": {"$sum": 1}, "minutes": {"$sum": "$minutes"}}},
                        {"$sort": {"_id": 1}},
                    ]
                },
                "mechanics": mechanics
                | {
                    "find": {"$arg": ["filter", {}]},
                    "sort": {"$arg": ["sort", {"_id": 1}]},
                    "skip": {"$arg": "skip"},
                    "limit": {"$arg": "limit"},
                },
                "mechanic": mechanics | {"find": {"_id": {"$arg": "id"}}},
                "strict": mechanics | {"find": {"_id": {"$arg": "id"}}},
                "paged": mechanics
                | {"sort": {"_id": 1}, "limit": {"$arg": "options.limit"}, "skip": {"$arg": ["options.skip", 0]}},
                "unlimited": mechanics | {"sort": {"_id": 1}},
            },
        },
    }


async def load_workshop(store: Store, database: str) -> None:
    """Store the workshop's documents."""
    await store.bulk_replace(database, "mechanics", MECHANICS)
    await store.bulk_replace(database, "jobs", JOBS)


def build(definition: Document, settings: GraphQLSettings | None = None) -> ExecutableApp:
    """Build an application as the registry does."""
    tenant = definition["_id"].partition("___")[0]
    limits = (settings or GraphQLSettings()).limits
    return build_app(parse_definition(definition, tenant=tenant, limits=limits))


async def run(
    app: ExecutableApp,
    store: Store,
    text: str,
    variables: Mapping[str, Any] | None = None,
    settings: GraphQLSettings | None = None,
) -> Outcome:
    """Run an operation."""
    operations = parse_operations(app.schema, text, max_tokens=15_000, max_errors=100)
    plan = select_operation(app.schema, operations, None)
    return await run_plan(plan, store=store, variables=variables or {}, settings=settings or GraphQLSettings())


async def ask(
    app: ExecutableApp,
    store: Store,
    text: str,
    variables: Mapping[str, Any] | None = None,
    settings: GraphQLSettings | None = None,
) -> Any:
    """Run an operation and read the response body."""
    outcome = await run(app, store, text, variables, settings)
    return orjson.loads(shape_outcome(outcome.data, outcome.errors).body)
