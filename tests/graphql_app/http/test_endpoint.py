import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pytest

from content_core import observe
from content_core.documents import Document
from content_core.errors import StoreUnavailableError
from content_core.observe import Record
from content_core.store import ChangeFeed, FindQuery, Store
from content_core.store.embedded import EmbeddedMongo
from graphql_app.settings import GraphQLSettings
from tests.graphql_app.http.server import ADMIN, Server, put_definition, serve, store_key
from tests.graphql_app.query.workshop import load_workshop, workshop_definition

GRAPHQL = "application/graphql-response+json"


async def post(server: Server, path: str, body: Any = None, **options: Any) -> httpx.Response:
    if body is not None:
        options["json"] = body
    if "Authorization" not in options.get("headers", {}):
        options.setdefault("auth", ADMIN)
    return await server.client.post(path, **options)


def classifications(response: httpx.Response) -> set[str]:
    return {error["extensions"]["classification"] for error in response.json()["errors"]}


# --- requests and answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}/workshop", "{}___workshop", "{}/workshop/", "/{}/workshop"])
async def test_both_forms_of_address_reach_the_application(form: str, server: Server, database: str) -> None:
    response = await post(server, f"/graphql/{form.format(database)}", {"query": "{ mechanics { name } }"})

    assert response.status_code == 200
    assert response.json() == {"data": {"mechanics": [{"name": "Ada"}, {"name": "Bo"}]}}
    assert response.headers["content-type"] == GRAPHQL
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
async def test_json_is_read_in_any_spelling_of_its_type(content_type: str, server: Server, database: str) -> None:
    body = orjson.dumps({"query": "{ mechanics(limit: 1) { name } }", "extensions": {}})

    response = await post(server, f"/graphql/{database}/workshop", content=body, headers={"Content-Type": content_type})

    assert response.json() == {"data": {"mechanics": [{"name": "Ada"}]}}


@pytest.mark.parametrize("content_type", ["application/graphql", "application/graphql; charset=utf-8"])
async def test_the_raw_form_is_the_query_itself(content_type: str, server: Server, database: str) -> None:
    response = await post(
        server,
        f"/graphql/{database}/workshop",
        content=b'{ mechanic(id: "m2") { name } }',
        headers={"Content-Type": content_type},
    )

    assert response.json() == {"data": {"mechanic": {"name": "Bo"}}}


@pytest.mark.parametrize(
    "content_type", ["application/graphql+json", GRAPHQL, "text/plain", "", "multipart/form-data", "application/jsonx"]
)
async def test_other_types_are_refused(content_type: str, server: Server, database: str) -> None:
    response = await post(
        server, f"/graphql/{database}/workshop", content=b"{ x }", headers={"Content-Type": content_type}
    )

    assert response.status_code == 400
    (error,) = response.json()["errors"]
    assert error["message"] == "Bad request: Content-Type must be either application/graphql or application/json"
    assert error["locations"] == []


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"query": null}', b'{"query": {"a": 1}}', b'[{"query": "{ x }"}]', b'"x"', b"null"]
)
async def test_a_body_without_a_query_is_refused(body: bytes, server: Server, database: str) -> None:
    response = await post(
        server, f"/graphql/{database}/workshop", content=body, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 400
    assert [error["message"] for error in response.json()["errors"]] == ["Query cannot be null"]
    assert classifications(response) == {"ValidationError"}


@pytest.mark.parametrize("body", [b"", b"{", b"{query: 1}", b"\xff\xfe", b'{"query": NaN}', b"[" * 100_000])
async def test_a_body_that_is_no_json_is_refused(body: bytes, server: Server, database: str) -> None:
    response = await post(
        server, f"/graphql/{database}/workshop", content=body, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 400
    assert classifications(response) == {"ValidationError"}
    assert "data" not in response.json()


@pytest.mark.parametrize("members", [{"operationName": 1}, {"variables": [1]}, {"variables": "x"}, {"variables": None}])
async def test_members_of_a_wrong_type_are_ignored(members: Any, server: Server, database: str) -> None:
    body = {"query": "{ mechanics(limit: 1) { name } }"} | members

    assert (await post(server, f"/graphql/{database}/workshop", body)).status_code == 200


@pytest.mark.parametrize(
    ("query", "classification"),
    [
        ("{ nothing }", "ValidationError"),
        ("{ mechanics { nothing } }", "ValidationError"),
        ('{ mechanics(limit: "x") { name } }', "ValidationError"),
        ("{ mechanics(nothing: 1) { name } }", "ValidationError"),
        ("{ mechanics", "InvalidSyntax"),
        ("{ mechanics(filter: {locale.identifier: 1}) { name } }", "InvalidSyntax"),
        ("mutation { x }", "OperationNotSupported"),
    ],
)
async def test_operations_that_do_not_run_are_400(
    query: str, classification: str, server: Server, database: str
) -> None:
    response = await post(server, f"/graphql/{database}/workshop", {"query": query})

    assert response.status_code == 400
    assert classifications(response) == {classification}
    assert "data" not in response.json()
    assert all(error["locations"] and "path" not in error for error in response.json()["errors"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("B", (200, {"data": {"mechanics": [{"phone": "+49 1"}]}})),
        ("C", (400, "Unknown operation named 'C'.")),
        (None, (400, "Must provide operation name if query contains multiple operations.")),
    ],
)
async def test_one_of_several_operations_is_named(
    name: str | None, expected: tuple[int, Any], server: Server, database: str
) -> None:
    query = "query A { mechanics(limit: 1) { name } } query B { mechanics(limit: 1) { phone } }"

    response = await post(server, f"/graphql/{database}/workshop", {"query": query, "operationName": name})
    body = response.json()

    assert (response.status_code, body if "data" in body else body["errors"][0]["message"]) == expected


@pytest.mark.parametrize(("value", "status"), [([1], 400), ("x", 400), ({"team": "T1"}, 200)])
async def test_a_filter_variable_is_an_object(value: Any, status: int, server: Server, database: str) -> None:
    query = "query ($f: BsonDocument) { mechanics(filter: $f) { id } }"

    response = await post(server, f"/graphql/{database}/workshop", {"query": query, "variables": {"f": value}})

    assert response.status_code == status
    assert status == 200 or classifications(response) == {"ValidationError"}


async def test_a_partial_result_is_200(server: Server, database: str) -> None:
    query = '{ mechanics(limit: 101) { name } mechanic(id: "m1") { name } }'

    response = await post(server, f"/graphql/{database}/workshop", {"query": query})

    assert response.status_code == 200
    assert response.json() == {
        "data": {"mechanics": None, "mechanic": {"name": "Ada"}},
        "errors": [
            {
                "message": "Exception while fetching data (/mechanics) : Query variable cannot be greater than 100",
                "locations": [{"line": 1, "column": 3}],
                "path": ["mechanics"],
                "extensions": {"classification": "DataFetchingException"},
            }
        ],
    }


async def test_null_at_the_root_is_400(server: Server, database: str) -> None:
    response = await post(server, f"/graphql/{database}/workshop", {"query": '{ strict(id: "zz") { name } }'})

    assert response.status_code == 400
    assert response.json()["data"] is None
    assert classifications(response) == {"NullValueInNonNullableField"}


async def test_operators_that_run_code_are_refused(server: Server, database: str) -> None:
    query = "query ($f: BsonDocument) { mechanics(filter: $f) { id } }"

    response = await post(
        server, f"/graphql/{database}/workshop", {"query": query, "variables": {"f": {"$where": "sleep(1)"}}}
    )

    assert response.json()["data"] == {"mechanics": None}
    assert response.json()["errors"][0]["extensions"] == {"classification": "DataFetchingException", "code": "OC301"}


async def test_large_integers_keep_their_digits(server: Server, database: str, store: Store) -> None:
    await store.insert(database, "mechanics", {"_id": "big", "number": 2**53 + 1})
    query = "query ($f: BsonDocument) { mechanics(filter: $f) { id } }"

    response = await post(
        server, f"/graphql/{database}/workshop", {"query": query, "variables": {"f": {"number": 2**53 + 1}}}
    )

    assert response.json() == {"data": {"mechanics": [{"id": "big"}]}}


async def test_a_body_over_the_limit_is_refused(server: Server, database: str) -> None:
    response = await post(server, f"/graphql/{database}/workshop", {"query": "#" * 1_048_577 + "{ x }"})

    assert response.status_code == 413
    assert classifications(response) == {"ExecutionAborted"}


async def test_a_body_of_undeclared_length_is_refused_too(server: Server, database: str) -> None:
    async def chunks() -> Any:
        for _ in range(20):
            yield b"#" * 100_000

    response = await post(
        server, f"/graphql/{database}/workshop", content=chunks(), headers={"Content-Type": "application/graphql"}
    )

    assert response.status_code == 413


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, GRAPHQL),
        ("*/*", GRAPHQL),
        ("application/json", "application/json; charset=utf-8"),
        ("application/json, text/plain;q=0.5", "application/json; charset=utf-8"),
        ("application/json, */*", GRAPHQL),
        (f"application/json, {GRAPHQL};q=0", "application/json; charset=utf-8"),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        ("application/*", GRAPHQL),
        ("text/html", GRAPHQL),
    ],
)
async def test_answers_have_the_type_that_is_accepted(
    accept: str | None, expected: str, server: Server, database: str
) -> None:
    headers = {"Accept": accept} if accept else {}

    response = await post(server, f"/graphql/{database}/workshop", {"query": "{ nothing }"}, headers=headers)

    assert response.headers["content-type"] == expected


@pytest.mark.parametrize("tail", ["%0Ax", "a%0D%0Ab", "_graphiql/x%0Ay"])
async def test_line_breaks_in_a_path_open_no_way_past_the_door(tail: str, server: Server, database: str) -> None:
    response = await server.client.post(f"/graphql/{database}/{tail}", json={"query": "{ __typename }"})

    assert response.status_code == 401
    known = await post(server, f"/graphql/{database}/{tail}", {"query": "{ __typename }"})
    assert (known.status_code, known.headers["content-type"]) == (404, GRAPHQL)


# --- who may ask -----------------------------------------------------------------------------------------------------


async def test_strangers_learn_nothing(server: Server, database: str) -> None:
    for app in ("workshop", "unknown"):
        response = await server.client.post(f"/graphql/{database}/{app}", json={"query": "{ x }"})

        assert (response.status_code, response.content) == (401, b"")
        assert response.headers["www-authenticate"].startswith("Basic realm=")
        assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("headers", "query"), [({"No-Auth-Challenge": "true"}, ""), ({}, "?noauthchallenge"), ({}, "?noauthchallenge=1")]
)
async def test_the_challenge_can_be_declined(
    headers: dict[str, str], query: str, server: Server, database: str
) -> None:
    response = await server.client.post(f"/graphql/{database}/workshop{query}", headers=headers)

    assert response.status_code == 401
    assert "www-authenticate" not in response.headers


async def test_a_key_opens_the_application_that_it_names(server: Server, database: str, store: Store) -> None:
    permission = {"url": f"{database}/workshop", "permissionMode": "GRAPHQL", "methods": ["POST"]}
    key = await store_key(store, database, "0b7c-good", permission)
    query = {"query": "{ mechanics(limit: 1) { name } }"}

    for path in (f"{database}/workshop", f"{database}___workshop"):
        assert (await post(server, f"/graphql/{path}", query, headers=key)).status_code == 200
    assert (await post(server, f"/graphql/{database}/other", query, headers=key)).status_code == 403
    apikey = {"Authorization": 'apikey="0b7c-good"'}
    assert (await post(server, f"/graphql/{database}/workshop", query, headers=apikey)).status_code == 200


@pytest.mark.parametrize(
    "permission",
    [
        {"url": "/", "methods": ["GET", "POST"]},
        {"url": "workshop", "permissionMode": "GRAPHQL", "methods": ["GET"]},
        {"url": "elsewhere/workshop", "permissionMode": "GRAPHQL", "methods": ["POST"]},
    ],
)
async def test_other_local_keys_are_forbidden(permission: Any, server: Server, database: str, store: Store) -> None:
    key = await store_key(store, database, "0b7c-other", permission)

    response = await post(server, f"/graphql/{database}/workshop", {"query": "{ x }"}, headers=key)

    assert (response.status_code, response.content) == (403, b"")


async def test_an_unknown_application_is_404(server: Server, database: str) -> None:
    for path in (f"/graphql/{database}/nothing", f"/graphql/{database}", "/graphql/a/b c", "/graphql"):
        response = await post(server, path, {"query": "{ x }"})

        assert response.status_code == 404
        assert response.json() == {
            "errors": [
                {
                    "message": "GraphQL app not found",
                    "locations": [],
                    "extensions": {"classification": "ExecutionAborted"},
                }
            ]
        }


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_other_methods_are_405(method: str, server: Server, database: str) -> None:
    response = await server.client.request(method, f"/graphql/{database}/workshop", auth=ADMIN)

    assert response.status_code == 405
    assert response.headers["allow"] == "POST, OPTIONS"
    assert response.json()["errors"] == [
        {"message": "Method Not Allowed", "locations": [], "extensions": {"classification": "ExecutionAborted"}}
    ]


async def test_methods_need_credentials_too(server: Server, database: str) -> None:
    assert (await server.client.get(f"/graphql/{database}/workshop")).status_code == 401


# --- failures --------------------------------------------------------------------------------------------------------


async def test_the_time_limit_is_408_without_data(store: Store, feed: ChangeFeed, database: str) -> None:
    async with serve(store, feed, GraphQLSettings(query_time_limit_ms=40)) as server:
        await load_workshop(store, database)
        definition = workshop_definition(database)
        await put_definition(server, store, definition)
        # An expression that MongoDB cannot fold and that keeps it busy for longer than the limit.
        numbers: Any = {"$range": [0, {"$add": [{"$strLenCP": "$_id"}, 3_000_000]}]}
        busy = {"$reduce": {"input": numbers, "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}}
        variables = {"f": {"$expr": {"$gt": [busy, 0]}}}
        query = 'query ($f: BsonDocument) { mechanic(id: "m1") { name } mechanics(filter: $f) { id } }'

        response = await post(server, f"/graphql/{database}/workshop", {"query": query, "variables": variables})

    assert response.status_code == 408
    assert response.json() == {
        "errors": [
            {
                "message": "Maximum query time limit of 40ms exceeded",
                "extensions": {"classification": "ExecutionAborted"},
            }
        ]
    }


class _Broken(Store):
    error: Exception | None = None

    async def read(self, database: str, collection: str, query: FindQuery, *, max_time_ms: int = 0) -> list[Document]:
        if self.error is not None and collection == "mechanics":
            raise self.error
        return await super().read(database, collection, query, max_time_ms=max_time_ms)


async def test_a_database_that_is_away_is_500_without_data(
    mongo: EmbeddedMongo, feed: ChangeFeed, database: str
) -> None:
    store = _Broken.open(mongo.uri)
    async with serve(store, feed) as server:
        await put_definition(server, store, workshop_definition(database))
        store.error = StoreUnavailableError("MongoDB cannot be reached")

        response = await post(server, f"/graphql/{database}/workshop", {"query": "{ mechanics { id } }"})

    assert (500, "5") == (response.status_code, response.headers["retry-after"])
    assert response.json() == {
        "errors": [
            {
                "message": "Unable to establish a connection to the database: MongoDB cannot be reached",
                "locations": [],
                "extensions": {"classification": "ExecutionAborted", "code": "OC501"},
            }
        ]
    }
    await store.close()


async def test_what_nobody_thought_of_is_masked(
    mongo: EmbeddedMongo, feed: ChangeFeed, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = _Broken.open(mongo.uri)
    async with serve(store, feed) as server:
        await put_definition(server, store, workshop_definition(database))
        store.error = ZeroDivisionError("a detail that is nobody's business")

        response = await post(server, f"/graphql/{database}/workshop", {"query": "{ mechanics { id } }"})

    assert response.status_code == 500
    (error,) = response.json()["errors"]
    assert "nobody's business" not in response.text
    assert error["extensions"]["incident"] in error["message"]
    assert error["extensions"]["incident"] in caplog.text
    await store.close()


async def test_what_the_request_line_says_is_bound_and_holds_no_texts_or_values(
    server: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    query = "query Named($f: BsonDocument) { mechanics(filter: $f) { secretAlias: name } }"
    with caplog.at_level(logging.INFO), recorded() as record:
        await post(server, f"/graphql/{database}/workshop", {"query": query, "variables": {"f": {"a": "hidden"}}})

    expected = {
        "principal": "admin",
        "app": f"{database}/workshop",
        "operation": "Named",
        "query": "mechanics",
        "errors": 0,
        "compiled": True,
        "cache": "miss",
    }
    assert record.facts == expected
    assert {"parse", "compile", "read", "shape"} <= set(record.stages)
    assert "hidden" not in caplog.text
    assert "secretAlias" not in caplog.text


async def test_a_long_operation_name_is_cut_in_the_request_line(server: Server, database: str) -> None:
    with recorded() as record:
        query = f"query {'N' * 5_000} {{ mechanics {{ name }} }}"
        await post(server, f"/graphql/{database}/workshop", {"query": query})

    assert record.facts["operation"] == "N" * 100


@contextmanager
def recorded() -> Iterator[Record]:
    """Keep what is noted of the requests inside."""
    record = Record("test")
    token = observe.begin(record)
    yield record
    observe.end(token)
