"""Lists of documents over HTTP: anatomy, filter, keys, sort, page, count, np, hint, and what is refused."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from content_core.store import Store
from rest_compat import RestSettings
from tests.content_core.access.keys import entry, store_key
from tests.patience import until
from tests.rest_compat.content import DOCUMENTS, ETAG, PAGES, fill
from tests.rest_compat.test_app import bearer, error_body

NAMES = [str(document["_id"]) for document in DOCUMENTS]


@pytest.fixture
async def pages(admin: httpx.AsyncClient, store: Store, tenant: str) -> str:
    """The address of a collection with five pages."""
    await fill(store, tenant, aggrs=[{"uri": "by_type", "type": "pipeline", "stages": [{"_$match": {"a::b": 1}}]}],
               streams=[{"uri": "crud", "stages": []}])  # fmt: skip
    return f"/{tenant}/{PAGES}"


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [element["_id"] for element in response.json().get("_embedded", {}).get("rh:doc", [])]


async def test_hal_of_collection(admin: httpx.AsyncClient, pages: str) -> None:
    response = await admin.get(f"{pages}/?count&pagesize=2")

    body = response.json()
    assert list(body) == [
        "_id", "_etag", "aggrs", "streams", "_size", "_total_pages", "_returned", "_embedded", "_links",
    ]  # fmt: skip
    assert body["_id"] == PAGES
    assert body["_etag"] == {"$oid": str(ETAG)}
    assert body["aggrs"][0]["stages"] == [{"$match": {"a.b": 1}}]
    assert [body["_size"], body["_total_pages"], body["_returned"]] == [5, 3, 2]
    assert [document["_id"] for document in body["_embedded"]["rh:doc"]] == ["c.en_GB", "b.en_GB"]
    assert body["_links"] == {
        "by_type": {"href": f"{pages}/_aggrs/by_type"},
        "crud": {"href": f"{pages}/_streams/crud"},
    }
    assert response.headers["content-type"] == "application/hal+json"
    assert response.headers["etag"] == str(ETAG)


async def test_default_json_out(admin: httpx.AsyncClient, pages: str) -> None:
    response = await admin.get(pages, params={"filter": "{_id: 'a.en_GB'}"})

    (document,) = response.json()["_embedded"]["rh:doc"]
    assert list(document) == ["_id", "fsType", "locale", "name", "price", "created", "_etag"]
    assert document["created"] == {"$date": 1656662400000}
    assert '"price":5,' in response.text
    assert list(document["_etag"]) == ["$oid"]


async def test_collection_without_metadata_shows_its_name(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    await store.create_collection(tenant, "plain")

    response = await admin.get(f"/{tenant}/plain")
    counted = await admin.get(f"/{tenant}/plain?count")

    assert response.text == '{"_id":"plain","_returned":0}'
    assert counted.json() == {"_id": "plain", "_size": 0, "_total_pages": 0, "_returned": 0}
    assert "etag" not in response.headers


@pytest.mark.parametrize(("query", "expected"), [
    ("", 404), ("?filter={a:1}", 404), ("?filter=", 400), ("?pagesize=0", 404),
])  # fmt: skip
async def test_missing_collection_is_404_and_parameters_come_first(
    admin: httpx.AsyncClient, tenant: str, query: str, expected: int
) -> None:
    for path in (f"/{tenant}/none", f"/{tenant}x/none", f"/{tenant}/none/_size", f"/{tenant}/none.files"):
        assert expected == error_body(await admin.get(path + query))["http status code"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (['{"fsType": "Page"}'], NAMES[::-1]),
        (["{name: 'Start'}"], ["a.en_GB"]),
        (["{price: {$gt: 2,},}"], ["a.en_GB", "a.de_DE"]),
        (["{'locale.language': 'de'}"], ["b.de_DE", "a.de_DE"]),
        (['{"locale.language":{"$eq":"de"}}', '{"locale.country":{"$eq":"DE"}}', "{price: 1}"], ["b.de_DE"]),
        (["{price: {$numberInt: '3'}}"], ["a.de_DE"]),
        (["{name: /^b/i}"], ["b.de_DE"]),
        (["{name: {$regex: '^b', $options: 'i'}}"], ["b.de_DE"]),
        (["{name: {$not: /^[bcp]/i}}"], ["a.en_GB", "a.de_DE"]),
        (["{created: ISODate('2022-07-01T08:00:00Z')}"], ["a.en_GB"]),
        (["{created: {$date: 1656662400000}}"], ["a.en_GB"]),
        (["{$or: [{price: 1}, {price: 2}]}"], ["c.en_GB", "b.de_DE"]),
        (["{_id: {$in: ['a.de_DE', 'none']}}"], ["a.de_DE"]),
        (["{price: {$nin: [1, 2, 3, 5]}}"], ["b.en_GB"]),
        (["{$expr: {$gt: ['$price', 4]}}"], ["a.en_GB"]),
        (["{_etag: '64a51c0de3b1f20f4d7a1012'}"], []),
        (["{name: 'none'}"], []),
    ],
)
async def test_filter(admin: httpx.AsyncClient, pages: str, filters: list[str], expected: list[str]) -> None:
    response = await admin.get(pages, params={"filter": filters, "count": ""})

    assert expected == ids(response)
    assert response.json()["_size"] == len(expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "illegal filter parameter (empty)"),
        ("  ", "illegal filter parameter (empty)"),
        ("{}", "illegal filter parameter (empty json object)"),
        ("[1]", "illegal filter parameter, it is not a json object"),
        ("5", "illegal filter parameter, it is not a json object"),
        ("{a:", "illegal filter parameter: "),
        ("{a: b}", "illegal filter parameter: "),
        ("{a:{$foo:1}}", "$foo"),
        ("{$not: {a: 1}}", "$not"),
        ("{a: {$in: 5}}", "$in"),
        ("{a: {$oid: 'x'}}", "illegal filter parameter: "),
        ("{a: 9223372036854775808}", "illegal filter parameter: "),
        ("{a: 1e999}", "illegal filter parameter: "),
        ("{'a\\u0000b': 1}", ""),
        ("{a: {$regex: '('}}", ""),
        ("{a: " * 250 + "1" + "}" * 250, ""),
        ("{a: " * 5_000, "illegal filter parameter: "),
        ("{a: {$regex: '" + "x" * 5000 + "'}}", "longer"),
        ("{$text: {$search: 'x'}}", ""),
    ],
)
async def test_bad_filter_is_400(admin: httpx.AsyncClient, pages: str, value: str, message: str) -> None:
    body = error_body(await admin.get(pages, params={"filter": value}))

    assert body["http status code"] == 400
    assert message in body["message"]
    for path in (f"{pages}/_size", f"{pages}/a.en_GB"):
        assert (await admin.get(path, params={"filter": value})).status_code == 400


async def test_filter_that_does_not_parse_names_its_exception(admin: httpx.AsyncClient, pages: str) -> None:
    body = error_body(await admin.get(pages, params={"filter": "{a:"}))

    assert body["exception"] == "JsonParseException"
    assert "line 1 column 4" in body["exception message"]


@pytest.mark.parametrize(
    "value",
    [
        '{"$where": "true"}', "{$and: [{a: {$elemMatch: {$where: '1'}}}]}", "{$expr: {$function: {}}}",
        "{$expr: {$eq: [1, {$function: {body: 'x', args: [], lang: 'js'}}]}}", "{$or: [{$expr: {$accumulator: {}}}]}",
        "{a: {$not: {$where: 1}}}", "{$_internalExprEq: 1}",
    ],
)  # fmt: skip
async def test_javascript_is_403(admin: httpx.AsyncClient, pages: str, value: str) -> None:
    for parameter in ("filter", "keys"):
        for path in (pages, f"{pages}/a.en_GB", f"{pages}/_size"):
            body = error_body(await admin.get(path, params={parameter: value}))
            assert body["http status code"] == 403
            assert body["message"].startswith(f"{parameter}: operator '$")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (['{"name": 1}'], {"_id": "a.de_DE", "name": "Anfang"}),
        (["{name: 1}", "{price: 1}", "{_id: 0}"], {"name": "Anfang", "price": 3}),
        (["{'locale.language': 1}"], {"_id": "a.de_DE", "locale": {"language": "de"}}),
        (["{locale: 0, _etag: 0, fsType: 0}"], {"_id": "a.de_DE", "name": "Anfang", "price": 3}),
        (["{_id: 1}"], {"_id": "a.de_DE"}),
    ],
)
async def test_keys(admin: httpx.AsyncClient, pages: str, keys: list[str], expected: dict[str, Any]) -> None:
    listed = await admin.get(pages, params={"filter": "{_id: 'a.de_DE'}", "keys": keys})
    read = await admin.get(f"{pages}/a.de_DE", params={"keys": keys})

    assert expected == listed.json()["_embedded"]["rh:doc"][0]
    assert expected == read.json()
    assert read.headers["etag"] == str(DOCUMENTS[0]["_etag"])


@pytest.mark.parametrize("value", ["", "{}", "[]", "5", "{a", "{name: 1, price: 0}", "{a: 1, 'a.b': 1}"])
async def test_bad_keys_are_400(admin: httpx.AsyncClient, pages: str, value: str) -> None:
    for path in (pages, f"{pages}/a.en_GB"):
        assert error_body(await admin.get(path, params={"keys": value}))["http status code"] == 400


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=_id", NAMES),
        ("sort=-_id", NAMES[::-1]),
        ("sort=%2B_id", NAMES),
        ("sort=+_id", NAMES),
        ("sort_by=name", ["a.de_DE", "b.de_DE", "c.en_GB", "b.en_GB", "a.en_GB"]),
        ("sort=-locale.language&sort=name", ["c.en_GB", "b.en_GB", "a.en_GB", "a.de_DE", "b.de_DE"]),
        ('sort={"locale.language":1,"name":-1}', ["b.de_DE", "a.de_DE", "a.en_GB", "b.en_GB", "c.en_GB"]),
        ("sort={'locale.language':1}&sort={name:-1}", ["b.de_DE", "a.de_DE", "a.en_GB", "b.en_GB", "c.en_GB"]),
        ("sort_by=_id&sort=-_id", NAMES),
        ("sort={}", NAMES),
        ("", NAMES[::-1]),
    ],
)
async def test_sort(admin: httpx.AsyncClient, pages: str, query: str, expected: list[str]) -> None:
    assert expected == ids(await admin.get(f"{pages}?{query}"))


@pytest.mark.parametrize("value", [
    "", " ", "-", "{", "{a: 2}", "{a: 'x'}", "{a: {$meta: 1}}", "{a: {$x: 'textScore'}}", "{a: true}", "$a", "{a: 1.5}",
])  # fmt: skip
@pytest.mark.parametrize("name", ["sort", "sort_by"])
async def test_bad_sort_is_400(admin: httpx.AsyncClient, pages: str, name: str, value: str) -> None:
    assert error_body(await admin.get(pages, params={name: value}))["http status code"] == 400


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("page=0", "illegal page parameter, it must be > 0"),
        ("page=-1", "illegal page parameter, it must be > 0"),
        ("page=x", "illegal page parameter"),
        ("page=", "illegal page parameter"),
        ("page=99999999999999999999", "illegal page parameter"),
        ("pagesize=101", "illegal pagesize parameter, pagesize must be >= 0 and <= 100"),
        ("pagesize=-1", "illegal pagesize parameter"),
        ("pagesize=x", "illegal pagesize parameter"),
        ("pagesize=", "illegal pagesize parameter"),
        ("pagesize=1.5", "illegal pagesize parameter"),
    ],
)
async def test_bad_page_is_400(admin: httpx.AsyncClient, tenant: str, pages: str, query: str, message: str) -> None:
    for path in ("/", f"/{tenant}", pages, f"/{tenant}/gql-apps"):
        assert message in error_body(await admin.get(f"{path}?{query}"))["message"]


async def test_pages(admin: httpx.AsyncClient, pages: str) -> None:
    assert ids(await admin.get(f"{pages}?page=2&pagesize=2&sort=_id")) == ["b.de_DE", "b.en_GB"]
    assert ids(await admin.get(f"{pages}?page=3&pagesize=2&sort=_id")) == ["c.en_GB"]

    past = (await admin.get(f"{pages}?page=999999999999999&pagesize=100&count&np")).json()
    assert past["_returned"] == 0
    assert [past["_size"], past["_total_pages"]] == [5, 1]
    assert "_embedded" not in past


async def test_pagesize_has_a_default_and_a_limit(admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
    for number in range(101):
        await store.insert(tenant, "many", {"_id": number})

    assert len(ids(await admin.get(f"/{tenant}/many"))) == 20
    assert len(ids(await admin.get(f"/{tenant}/many?pagesize=100"))) == 100


async def test_pagesize_0_gives_no_data(admin: httpx.AsyncClient, pages: str) -> None:
    body = (await admin.get(f"{pages}?pagesize=0&count&resolveRef=a")).json()

    assert list(body) == ["_id", "_etag", "aggrs", "streams", "_size", "_returned", "_links"]
    assert [body["_size"], body["_returned"]] == [5, 0]


@pytest.mark.parametrize(
    ("query", "size", "strategy"),
    [
        ("count", 5, "exact"), ("count=", 5, "exact"), ("count=false", 5, "exact"), ("count=Estimated", 5, "estimated"),
        ("count=estimated&filter={price:3}", 1, "exact"), ("count&filter={price:3}", 1, "exact"),
        ("count&filter={price:3}&hint=_id_", 1, "exact"), ("", None, None),
    ],
)  # fmt: skip
async def test_count(admin: httpx.AsyncClient, pages: str, query: str, size: int | None, strategy: str | None) -> None:
    response = await admin.get(f"{pages}?{query}")

    assert size == response.json().get("_size")
    assert strategy == response.headers.get("x-count-strategy")


async def test_np_leaves_the_metadata_out(admin: httpx.AsyncClient, tenant: str, pages: str) -> None:
    response = await admin.get(f"{pages}?np&count&pagesize=1")

    assert list(response.json()) == ["_size", "_total_pages", "_returned", "_embedded", "_links"]
    assert response.headers["etag"] == str(ETAG)
    assert list((await admin.get(f"/{tenant}?np")).json()) == ["_size", "_total_pages", "_returned", "_embedded"]


async def test_automatic_np_on_filter_queries(admin: httpx.AsyncClient, pages: str) -> None:
    response = await admin.get(pages, params={"filter": "{price: 3}"})

    assert list(response.json()) == ["_returned", "_embedded", "_links"]
    assert response.headers["etag"] == str(ETAG)


class TestWithoutAutomaticNp:
    @pytest.fixture
    def settings(self) -> RestSettings:
        return RestSettings(no_properties_with_filter=False)

    async def test_metadata_stays(self, admin: httpx.AsyncClient, pages: str) -> None:
        body = (await admin.get(pages, params={"filter": "{price: 3}"})).json()

        assert body["_etag"] == {"$oid": str(ETAG)}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("hint=by_price", 200), ("hint=%2Bprice&hint=-name", 200), ("hint=+price&hint=-name", 200),
        ('hint={"price":1,"name":-1}', 200), ("hint=_id_", 200), ("hint=none", 400), ("hint=%2Bnone", 400),
        ("hint=", 400),
        ("hint={}", 400), ("hint={", 400), ("hint=-", 400), ("hint=by_price&hint=_id_", 400),
        ("hint=by_price&hint=-name", 400), ("hint={price:[]}", 400),
    ],
)  # fmt: skip
async def test_hint(admin: httpx.AsyncClient, store: Store, tenant: str, pages: str, query: str, status: int) -> None:
    await store.create_index(tenant, PAGES, name="by_price", keys=[("price", 1), ("name", -1)])

    for more in ("", "&count", "&filter={fsType:'Page'}&count"):
        response = await admin.get(f"{pages}?{query}{more}")
        assert status == response.status_code, response.text


class TestWithLittleTime:
    @pytest.fixture
    def settings(self) -> RestSettings:
        return RestSettings(query_time_limit_ms=20)

    async def test_slow_queries_are_408(self, admin: httpx.AsyncClient, store: Store, tenant: str) -> None:
        await store.bulk_replace(tenant, "slow", [{"_id": number} for number in range(1000)])
        numbers = "{$filter: {input: {$range: [0, 20000]}, cond: {$lt: ['$$this', 0]}}}"
        query = {"filter": f"{{$expr: {{$eq: [{{$size: {numbers}}}, 1]}}}}"}

        for path in (f"/{tenant}/slow", f"/{tenant}/slow/_size"):
            response = await admin.get(path, params=query)
            assert error_body(response)["http status code"] == 408
            assert response.json()["http status description"] == "Request Timeout"


async def test_expression_that_explodes_is_not_the_servers_fault(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    await store.insert(tenant, "long", {"_id": 1, "t": "a" * 30_000})
    exploding = "(a*)*(a*)*(a*)*(a*)*b"

    for value in (
        f"{{t: {{$regex: '{exploding}'}}}}",
        f"{{$expr: {{$regexMatch: {{input: '$t', regex: '{exploding}'}}}}}}",
        "{$expr: {$eq: [{$size: {$range: [0, 2000000000]}}, 1]}}",
    ):
        assert (await admin.get(f"/{tenant}/long", params={"filter": value})).status_code in {200, 400, 408}


async def test_size(admin: httpx.AsyncClient, tenant: str, pages: str) -> None:
    response = await admin.get(f"{pages}/_size")

    assert response.text == '{"_size":5}'
    assert response.headers["content-type"] == "application/json"
    assert (await admin.get(f"{pages}/_SIZE/", params={"filter": "{price: 3}"})).json() == {"_size": 1}
    assert (await admin.get(f"/{tenant}/_schemas/_size")).status_code == 200


async def test_meta(admin: httpx.AsyncClient, store: Store, tenant: str, pages: str) -> None:
    await store.create_collection(tenant, "plain")

    response = await admin.get(f"{pages}/_meta")
    body = response.json()

    assert (list(body), body["_id"], body["_etag"]) == (
        ["_id", "_etag", "aggrs", "streams"], "_meta", {"$oid": str(ETAG)},
    )  # fmt: skip
    assert response.headers["content-type"] == "application/json"
    missing = error_body(await admin.get(f"/{tenant}/plain/_meta"))
    assert (missing["http status code"], missing["message"]) == (404, "resource _meta is not defined")


async def test_head_is_get_without_its_body(admin: httpx.AsyncClient, tenant: str, pages: str) -> None:
    for path in ("/", "/_size", f"/{tenant}", pages, f"{pages}?count", f"{pages}/_size", f"{pages}/_indexes",
                 f"{pages}/a.en_GB", f"{pages}/none", f"{pages}?filter="):  # fmt: skip
        got, head = await admin.get(path), await admin.head(path)
        assert got.status_code == head.status_code, path
        for name in ("etag", "content-type", "content-length"):
            assert got.headers.get(name) == head.headers.get(name), path


async def test_reads_what_is_new_and_forgets_what_is_gone(
    admin: httpx.AsyncClient, store: Store, tenant: str, pages: str
) -> None:
    assert (await admin.get(f"/{tenant}/later")).status_code == 404
    await store.insert(tenant, "later", {"_id": "x"})
    assert ids(await admin.get(f"/{tenant}/later")) == ["x"]

    await store.drop_collection(tenant, "later")

    async def forgotten() -> bool:
        return (await admin.get(f"/{tenant}/later")).status_code == 404

    await until(forgotten)
    assert (await admin.get(f"/{tenant}/later")).status_code == 404


async def test_key_reads_what_it_covers(anonymous: httpx.AsyncClient, store: Store, tenant: str, pages: str) -> None:
    key = await store_key(store, tenant, entry(f"/{PAGES}/", "GET"))

    assert len(ids(await anonymous.get(pages, headers=bearer(key)))) == 5
    assert (await anonymous.get(f"/{tenant}", headers=bearer(key))).status_code == 403


async def test_definitions_are_filtered_sorted_and_projected(
    admin: httpx.AsyncClient, store: Store, tenant: str
) -> None:
    for name in ("a", "b", "c"):
        assert (await admin.put(f"/{tenant}/gql-apps/{tenant}___{name}", json={"schema": name})).status_code == 201
    path = f"/{tenant}/gql-apps"

    assert ids(await admin.get(path, params={"filter": "{schema: {$ne: 'b'}}", "sort": "_id"})) == [
        f"{tenant}___a", f"{tenant}___c",
    ]  # fmt: skip
    plain = await admin.get(path, params={"keys": "{schema: 1, _id: 0}", "rep": "pj", "np": "", "sort": "schema"})
    assert plain.json() == [{"schema": "a"}, {"schema": "b"}, {"schema": "c"}]
    assert (await admin.get(path, params={"filter": "{$where: '1'}"})).status_code == 403


QUERIES = st.lists(
    st.tuples(
        st.sampled_from([
            "filter", "keys", "sort", "sort_by", "page", "pagesize", "count", "np", "hint", "rep", "hal", "jsonMode",
            "id_type", "resolveRef", "x",
        ]),
        st.text(max_size=20) | st.sampled_from([
            "{a:1}", "{$or:[]}", "{a:{$gt:1}}", "{a:{$type:'x'}}", "-a", "{a:-1}", "{$natural:1}", "{'a.b':1}", "s",
            "pj", "STRICT", "data[*].url", "$1.a", "{a:{$slice:1}}", "{a:{$elemMatch:{}}}", "{'':1}", "{$expr:'$a'}",
            "{a:{$near:[1,2]}}", "{$jsonSchema:{}}", "{$comment:1}", "{a:{$mod:[0,0]}}", "{a:{$bitsAllSet:-1}}",
            "{a:{$meta:'textScore'}}", "{a:{$size:-1}}", "{a:'$b'}", "{$text:{}}", "{a:Timestamp()}",
        ]),
    ),
    max_size=4,
)  # fmt: skip


@pytest.fixture
async def asked(admin: httpx.AsyncClient, pages: str) -> Callable[[str], int]:
    loop = asyncio.get_running_loop()

    async def ask(query: str) -> int:
        answers = [await admin.get(f"{path}?{query}") for path in (pages, f"{pages}/a.en_GB")]
        return max(answer.status_code for answer in answers)

    def ask_from_thread(query: str) -> int:
        return asyncio.run_coroutine_threadsafe(ask(query), loop).result(60)

    return ask_from_thread


@pytest.mark.parametrize("kind", ["parameters", "bytes"])
async def test_no_query_string_gives_a_5xx(asked: Callable[[str], int], kind: str) -> None:
    def quoted(pairs: list[tuple[str, str]]) -> str:
        return "&".join(f"{name}={quote(value.encode('utf-8', 'replace'))}" for name, value in pairs)

    strings = QUERIES.map(quoted) if kind == "parameters" else st.binary(max_size=40).map(quote)

    @hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strings)
    def check(query: str) -> None:
        assert asked(query) < 500

    await asyncio.to_thread(check)
