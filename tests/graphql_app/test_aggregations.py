"""Fields mapped to aggregations, with the real database: values, null, errors, calls."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.monitoring import CommandListener, CommandStartedEvent

from content_core.documents import Document
from content_core.errors import StoreTimeoutError
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.plan import parse_operations, select_operation
from graphql_app.run import run_plan
from graphql_app.schema.build import ExecutableApp
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.query.workshop import ask, build, load_workshop, run

SDL = """
type Query { mechanics: [Mechanic] refs: [Ref] jobs: [Job] any(filter: BsonDocument, stage: JSON): [Job] empty: [Job]
             nothing: Job latest: Job minutes: Int raw: BsonDocument strict: [Job]! broken: [Job] twice: [Job]
             me: [Me] sorted(limit: Int): [Job] slow: [Job] }
type Mechanic { id: String workload: Workload boxes(checked: Boolean!): [Box] deep: Deep partial: Partial }
type Workload { jobs: Int }
type Box { name: String }
type Deep { deeper: Deeper } type Deeper { mates: [Mechanic] }
type Partial { other: String mates: [Mechanic] }
type Job { id: Int title: String ownerName: String }
type Ref { id: String }
type Me { tenant: String whole: BsonDocument }
"""
BOXES = [{"name": "a", "checked": True}, {"name": "b", "checked": False}]


def definition(tenant: str) -> Document:
    mechanics, jobs = {"db": tenant, "collection": "mechanics"}, {"db": tenant, "collection": "jobs"}
    joined = [
        {"$sort": {"_id": 1}},
        {"$lookup": {"from": "team.release.content", "localField": "owner", "foreignField": "_id", "as": "o"}},
    ]
    mates = {"stages": [{"$match": {"team": {"$arg": "rootDoc.team"}}}, {"$sort": {"_id": 1}}]}
    boxes = [
        {"$match": {"_id": {"$arg": "rootDoc._id"}}},
        {"$unwind": "$boxes"},
        {"$replaceRoot": {"newRoot": "$boxes"}},
        {"$match": {"checked": {"$arg": "checked"}}},
    ]
    return {
        "_id": f"{tenant}___aggregations",
        "schema": SDL,
        "mappings": {
            "Mechanic": {
                "id": "_id",
                "workload": jobs | {"stages": [{"$match": {"owner": {"$fk": "boss"}}}, {"$count": "jobs"}]},
                "boxes": mechanics | {"stages": boxes},
                "deep": "contact",
                "partial": "contact",
            },
            "Deeper": {"mates": mechanics | mates},
            "Deep": {"deeper": "inner"},
            "Partial": {"other": "phone", "mates": mechanics | mates},
            "Job": {"id": "_id", "ownerName": "o.0.first"},
            "Me": {"whole": "whole"},
            "Query": {
                "mechanics": mechanics | {"sort": {"_id": 1}},
                "refs": mechanics | {"stages": [{"$match": {"_id": {"$in": ["m1"]}}}, {"$project": {"id": "$_id"}}]},
                "jobs": jobs | {"stages": joined, "allowDiskUse": True},
                "any": jobs
                | {
                    "stages": [
                        {"$match": {"$arg": ["filter", {}]}},
                        {"$ifarg": ["stage", {"$arg": "stage"}]},
                        {"$sort": {"_id": 1}},
                    ]
                },
                "empty": jobs | {"stages": []},
                "nothing": jobs | {"stages": []},
                "latest": jobs | {"stages": [{"$sort": {"_id": -1}}]},
                "minutes": jobs | {"stages": [{"$count": "minutes"}]},
                "raw": jobs | {"stages": [{"$group": {"_id": None, "ids": {"$max": "$_id"}}}]},
                "strict": jobs | {"stages": [{"$match": {"_id": 11}}]},
                "broken": jobs | {"stages": [{"$match": {"$or": 1}}]},
                "twice": jobs | {"stages": [{"$sort": {"_id": 1}}, {"$limit": 1}]},
                "me": jobs
                | {
                    "stages": [
                        {"$limit": 1},
                        {"$project": {"tenant": {"$arg": "@user.tenant"}, "whole": {"$arg": "@user"}}},
                    ]
                },
                "sorted": jobs | {"stages": [{"$sort": {"_id": 1}}, CUT]},
                "slow": jobs | {"stages": SLOW},
            },
        },
    }  # fmt: skip


CUT: Document = {"$ifarg": ["limit", {"$limit": {"$arg": "limit"}}]}
SLOW: list[Document] = [
    {"$addFields": {"n": {"$range": [0, 3000]}}},
    {"$unwind": "$n"},
    {"$addFields": {"m": {"$range": [0, 3000]}}},
    {"$unwind": "$m"},
    {"$group": {"_id": {"$mod": [{"$add": ["$n", "$m"]}, 7]}}},
]


class Commands(CommandListener):
    """Keeps what was sent to aggregate."""

    def __init__(self) -> None:
        self.sent: list[Document] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name == "aggregate":
            self.sent.append(dict(event.command))

    def succeeded(self, event: Any) -> None:
        """Of no interest."""

    def failed(self, event: Any) -> None:
        """Of no interest."""


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
async def watched(mongo: EmbeddedMongo, commands: Commands) -> AsyncIterator[Store]:
    store = Store.open(mongo.uri, event_listeners=[commands])
    yield store
    await store.close()


@pytest.fixture
async def app(store: Store, database: str) -> ExecutableApp:
    await load_workshop(store, database)
    contact = {"inner": {"x": 1}, "phone": "+49 1"}
    people: list[Document] = [
        {"_id": "m1", "first": "Ada", "team": "T1", "boss": "m2", "boxes": BOXES, "contact": contact},
        {"_id": "m2", "first": "Bo", "team": "T2", "boss": None, "boxes": BOXES[:1], "contact": contact},
    ]
    await store.bulk_replace(database, "mechanics", people)
    await store.bulk_replace(database, "team.release.content", people)
    return build(definition(database))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ empty { id } nothing { id } }", {"empty": [], "nothing": None}),
        ("{ latest { title } }", {"latest": {"title": "Chain"}}),
        ("{ raw }", {"raw": {"_id": None, "ids": 13}}),
        ("{ strict { id } }", {"strict": [{"id": 11}]}),
        ("{ jobs { id ownerName } }", {
            "jobs": [{"id": 11, "ownerName": "Ada"}, {"id": 12, "ownerName": "Ada"}, {"id": 13, "ownerName": "Bo"}]
        }),
        ("{ mechanics { id workload { jobs } } }", {
            "mechanics": [{"id": "m1", "workload": {"jobs": 1}}, {"id": "m2", "workload": None}]
        }),
        ("{ mechanics { boxes(checked: true) { name } } }", {
            "mechanics": [{"boxes": [{"name": "a"}]}, {"boxes": [{"name": "a"}]}]
        }),
        ("{ mechanics { boxes(checked: false) { name } } }", {
            "mechanics": [{"boxes": [{"name": "b"}]}, {"boxes": []}]
        }),
        ("{ mechanics { deep { deeper { mates { id } } } partial { other mates { id } } } }", {
            "mechanics": [
                {"deep": {"deeper": {"mates": [{"id": name}]}}, "partial": {"other": "+49 1", "mates": [{"id": name}]}}
                for name in ("m1", "m2")
            ]
        }),
        ("{ sorted(limit: 2) { id } all: sorted { id } }", {
            "sorted": [{"id": 11}, {"id": 12}], "all": [{"id": 11}, {"id": 12}, {"id": 13}]
        }),
        ("{ any(filter: {_id: 12}) { id } }", {"any": [{"id": 12}]}),
        ("{ any(stage: {_sort: 1}) { id } }", {"any": None}),
    ],
)  # fmt: skip
async def test_aggregations_give_their_documents(text: str, expected: Any, app: ExecutableApp, store: Store) -> None:
    assert (await ask(app, store, text))["data"] == expected


async def test_a_failing_pipeline_is_an_error_of_its_field(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, "{ broken { id } latest { id } }")

    assert answer["data"] == {"broken": None, "latest": {"id": 13}}
    (error,) = answer["errors"]
    assert error["path"] == ["broken"]
    assert error["extensions"]["classification"] == "DataFetchingException"


async def test_documents_do_not_fit_a_scalar(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, "{ minutes }")

    assert answer["data"] == {"minutes": None}
    assert answer["errors"][0]["message"].startswith("Can't serialize value (/minutes) : ")


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        (
            {"f": {"a": {"$where": "1"}}},
            "BLACKLISTED_OPERATOR operator '$where' at pipeline[0].$match.a - Operator is in security blacklist",
        ),
        (
            {"s": {"$out": "jobs"}},
            "BLACKLISTED_STAGE operator '$out' at pipeline[1] - Pipeline stage is in security blacklist",
        ),
        (
            {"s": {"$lookup": {"from": "mechanics", "as": "x"}}},
            "BLACKLISTED_STAGE operator '$lookup' at argument stage - Stages that name collections must be constant",
        ),
    ],
)
async def test_values_of_arguments_cannot_break_out(value: Any, cause: str, app: ExecutableApp, store: Store) -> None:
    text = "query ($f: BsonDocument = {}, $s: JSON = {}) { any(filter: $f, stage: $s) { id } }"

    answer = await ask(app, store, text, value)

    assert answer["data"] == {"any": None}
    (error,) = answer["errors"]
    prefix = "Exception while fetching data (/any) : GraphQL aggregation pipeline security violation: "
    assert error["message"] == f"{prefix}Security violation: {cause}"
    assert error["extensions"] == {"classification": "DataFetchingException", "code": "OC310"}


async def test_the_user_is_who_asks(app: ExecutableApp, store: Store) -> None:
    operations = parse_operations(app.schema, "{ me { tenant whole } }", max_tokens=100, max_errors=10)
    plan = select_operation(app.schema, operations, None)
    user = {"_id": "key", "tenant": "acme", "global": False}

    outcome = await run_plan(plan, store=store, variables={}, settings=GraphQLSettings(), user=user)

    assert outcome.data == {"me": [{"tenant": "acme", "whole": user}]}


async def test_without_a_user_its_properties_are_not_bound(app: ExecutableApp, store: Store) -> None:
    answer = await ask(app, store, "{ me { tenant whole } }")

    assert answer["errors"][0]["message"].endswith("variable @user.tenant not bound")


async def test_mongodb_hears_of_disk_use_the_time_limit_and_the_cap(
    app: ExecutableApp, watched: Store, commands: Commands
) -> None:
    await run(app, watched, "{ jobs { id } twice { id } latest { id } }", settings=GraphQLSettings(max_limit=7))

    by_disk = {sent["allowDiskUse"]: sent for sent in commands.sent}
    assert len(commands.sent) == 3
    assert by_disk[True]["pipeline"][-1] == {"$limit": 7}
    assert [sent["pipeline"][-1] for sent in commands.sent if not sent["allowDiskUse"]] == [{"$limit": 1}] * 2
    assert all(0 < sent["maxTimeMS"] <= 30_000 for sent in commands.sent)


async def test_equal_aggregations_run_once(app: ExecutableApp, watched: Store, commands: Commands) -> None:
    answer = await ask(app, watched, "{ a: twice { id } b: twice { title } }")

    assert answer["data"] == {"a": [{"id": 11}], "b": [{"title": "Brake pads"}]}
    assert len(commands.sent) == 1


async def test_the_time_limit_ends_an_aggregation(app: ExecutableApp, store: Store) -> None:
    with pytest.raises(StoreTimeoutError, match="Maximum query time limit of 50ms exceeded"):
        await run(app, store, "{ slow { id } }", settings=GraphQLSettings(query_time_limit_ms=50))
