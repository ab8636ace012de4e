"""One error body for the whole interface: every way to be refused is tried, on a socket."""

import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import pytest

from tests.contract.conftest import BODY_LIMIT, CANARY, READER, TIME_LIMIT_MS, Contract
from tests.patience import Stopwatch

JSON: Final = {"Content-Type": "application/json"}
SLOW: Final = (
    '{"$expr": {"$gt": [{"$reduce": {"input": {"$range": [0, 30]}, "initialValue": 0, "in": {"$add": ["$$value",'
    ' {"$size": {"$filter": {"input": {"$range": [0, 1000]}, "as": "x",'
    ' "cond": {"$eq": ["$$x", {"$add": ["$$this", "$n"]}]}}}}]}}}, 300]}}'
)
"""Some time for every document; nothing of it is the same for two of them."""

DESCRIPTIONS: Final = {
    400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 413: "Request Too Long", 415: "Unsupported Media Type", 500: "Internal Server Error",
    422: "Unprocessable Entity", 501: "Not Implemented",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """A request that is refused."""

    status: int
    method: str
    target: str
    body: str | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.status} {self.method} {self.target[:60]} {(self.body or '')[:40]!r}"


def get(status: int, target: str, **headers: str) -> Case:
    return Case(status, "GET", target, headers=headers)


def things(status: int, **query: str) -> Case:
    return get(status, "/acme/things?" + "&".join(f"{name}={quote(value)}" for name, value in query.items()))


def write(status: int, method: str, target: str, body: str | bytes, **headers: str) -> Case:
    return Case(status, method, target, body, JSON | headers)


BAD_PARAMETERS: Final = [
    things(400, filter=""),
    things(400, filter="{}"),
    things(400, filter="[]"),
    things(400, filter="5"),
    things(400, filter="{a:"),
    things(400, filter="{lang: EN}"),
    things(400, filter='{"a": {"$foo": 1}}'),
    things(400, filter='{"$not": {"a": 1}}'),
    things(400, filter='{"a": {"$regex": "("}}'),
    things(400, filter='{"a": {"$in": 1}}'),
    things(400, filter='{"$text": {}}'),
    things(400, filter='{"_id": {"$oid": "x"}}'),
    things(400, filter="{a:" * 5_000),
    things(400, filter="[" * 10_000),
    things(400, filter="{'a\0b': 1}"),
    things(400, filter='{"a": 1e999999}', keys="{}"),
    things(403, filter='{"$where": "1"}'),
    things(403, filter='{"$or": [{"$where": "1"}]}'),
    things(403, filter='{"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}}'),
    things(403, filter='{"a": {"$elemMatch": {"$and": [{"$where": "1"}]}}}'),
    things(400, keys=""),
    things(400, keys="1"),
    things(400, keys='{"a": 1, "b": 0}'),
    things(400, keys='{"a": 1, "a.b": 1}'),
    things(400, sort=""),
    things(400, sort=" "),
    things(400, sort="{a:"),
    things(400, sort='{"a": 7}'),
    things(400, page="0"),
    things(400, page="-1"),
    things(400, page="x"),
    things(400, page=""),
    things(400, page="9" * 30),
    things(400, pagesize="101"),
    things(400, pagesize="-1"),
    things(400, pagesize="x"),
    things(400, pagesize=""),
    things(400, hint=""),
    things(400, hint="nothing"),
    get(400, "/acme/things/a?id_type=WHAT"),
    get(400, "/acme/things/a?id_type=OID"),
    get(400, "/acme/things/a?id_type=NUMBER"),
    get(400, "/acme/things/a?id_type=DATE"),
    get(400, "/acme/things/a?id_type=BOOLEAN"),
    get(400, "/acme/things?filter=%FF"),
    get(400, "/acme/pipes/_aggrs/bound"),
    get(400, "/acme/pipes/_aggrs/bound?avars="),
    get(400, "/acme/pipes/_aggrs/bound?avars=[]"),
    get(400, '/acme/pipes/_aggrs/bound?avars={"n":{"$gt":1}}'),
    get(400, '/acme/pipes/_aggrs/bound?avars={"n":1}&pagesize=101'),
    get(422, "/acme/pipes/_aggrs/wrong"),
    get(501, "/acme/pipes/_aggrs/checked"),
    Case(400, "DELETE", "/acme/things/*"),
    write(400, "PATCH", "/acme/things/*", '{"x": 1}'),
    Case(400, "DELETE", "/acme/things/*?filter={}"),
]

BAD_PATHS: Final = [
    get(400, "/acme//things"),
    get(400, "/acme/../acme"),
    get(400, "/acme/%2e%2e/things"),
    get(400, "/acme/%FF"),
    Case(400, "PUT", "/a.b"),
    Case(400, "PUT", "/a%00b"),
    Case(400, "PUT", "/" + "a" * 64),
    Case(400, "PUT", "/acme/a$b"),
    Case(400, "PUT", "/acme/a%00b"),
    Case(400, "PUT", "/acme/_own"),
    Case(403, "PUT", "/admin"),
    Case(403, "PUT", "/Local"),
    Case(403, "PUT", "/system.x"),
    Case(403, "PUT", "/_logic"),
    Case(403, "PUT", "/acme/system.views"),
    get(403, "/acme/a.chunks"),
    get(403, "/acme/_properties"),
    get(403, "/acme/things/_properties"),
    get(403, "/caas_admin/things"),
    Case(403, "DELETE", "/acme/apikeys"),
    get(404, "/nothing"),
    get(404, "/nothing/things"),
    get(404, "/acme/nothing"),
    get(404, "/acme/nothing/a"),
    get(404, "/acme/nothing/_size"),
    get(404, "/acme/nothing/_indexes"),
    get(404, "/acme/things/nothing"),
    get(404, "/acme/things/a/b/c/d"),
    get(404, "/acme/pipes/_aggrs/nothing"),
    get(404, "/acme/_schemas/nothing"),
    get(404, "/acme/apikeys/nothing"),
    get(404, '/acme/things/a?filter={"n":99}'),
    write(404, "PUT", "/nothing/things", "{}"),
    write(404, "PUT", "/acme/nothing/a", "{}"),
    write(404, "POST", "/acme/nothing", "{}"),
    write(404, "PATCH", "/acme/nothing", '{"a": 1}'),
    write(404, "PATCH", "/nothing", '{"a": 1}'),
    write(404, "PUT", "/acme/things/nothing?wm=update", "{}"),
    write(404, "PATCH", "/acme/things/nothing?wm=update", '{"a": 1}'),
    Case(405, "PROPFIND", "/acme"),
    Case(405, "POST", "/"),
    Case(405, "POST", "/acme"),
    Case(405, "POST", "/acme/things/a"),
    Case(405, "POST", "/acme/things/_indexes"),
    Case(405, "DELETE", "/acme/things/_size"),
    Case(405, "GET", "/acme/things/*"),
    Case(405, "GET", "/acme/things/_aggrs"),
    Case(405, "PATCH", "/acme/_schemas/note"),
    Case(405, "PATCH", "/acme/apikeys/x"),
    Case(405, "POST", "/_logic/openapi"),
]

BAD_BODIES: Final = [
    write(400, "PUT", "/acme/things/a", "{"),
    write(400, "PUT", "/acme/things/a", "{a: b}"),
    write(400, "PUT", "/acme/things/a", "1"),
    write(400, "PUT", "/acme/things/a", '"a"'),
    write(400, "PUT", "/acme/things/a", "[]"),
    write(400, "PUT", "/acme/things/a", b'{"a": "\xff"}'),
    write(400, "PUT", "/acme/things/a", '{"_id": "b"}'),
    write(400, "PUT", "/acme/things/a", '{"$set": {"a": 1}}'),
    write(400, "PUT", "/acme/things/a", '{"$foo": 1}'),
    write(400, "PUT", "/acme/things/a", '{"a": {"$oid": "x"}}'),
    write(400, "PUT", "/acme/things/a", '{"a": {"$date": "never"}}'),
    write(400, "PUT", "/acme/things/a", '{"a\\u0000b": 1}'),
    write(400, "PUT", "/acme/things/a", '{"a":' * 10_000 + "1" + "}" * 10_000),
    write(400, "PUT", "/acme/things/a", "[" * 10_000),
    write(400, "PUT", "/acme/things/a", '{"a": {"$numberLong": "99999999999999999999"}}'),
    write(400, "PUT", "/acme/things/a", '{"a": 99999999999999999999}'),
    write(400, "POST", "/acme/things", "[]"),
    write(400, "POST", "/acme/things", "[1]"),
    write(400, "POST", "/acme/things", '[{"_id": "x"}, "y"]'),
    write(400, "POST", "/acme/things", '{"_id": [1]}'),
    write(400, "POST", "/acme/things?wm=update", "{}"),
    write(400, "PATCH", "/acme/things/a", "{}"),
    Case(400, "PATCH", "/acme/things/a"),
    write(400, "PATCH", "/acme/things/a", '{"$inc": {"text": 1}}'),
    write(400, "PATCH", "/acme/things/a", '{"$set": {"x": 1}, "$inc": {"x": 1}}'),
    write(400, "PATCH", "/acme/things/a", '{"$nothing": {"x": 1}}'),
    write(400, "PATCH", "/acme/things/a", '{"$rename": {"x": "x"}}'),
    write(400, "PATCH", "/acme/things/a", '{"$push": {"n": 1}}'),
    write(400, "PUT", "/acme/things", "[]"),
    write(400, "PUT", "/acme", '"x"'),
    write(400, "PUT", "/acme/pipes", '{"aggrs": {}}'),
    write(400, "PATCH", "/acme/pipes", '{"aggrs": [{"uri": "x"}]}'),
    write(400, "PATCH", "/acme/pipes", '{"streams.0": {"uri": "x", "stages": [{"$out": "x"}]}}'),
    write(400, "PATCH", "/acme/pipes", '{"$push": {"aggrs": {"uri": "x", "stages": [{"$match": {"$where": "1"}}]}}}'),
    write(400, "PATCH", "/acme/pipes", '{"aggrs.0.stages": [{"$unionWith": {"$var": "x"}}]}'),
    write(400, "PATCH", "/acme", '{"$pull": {"x": {"$expr": false}}}'),
    write(400, "PATCH", "/acme/things", '{"$pull": {"x": {"$expr": false}}}'),
    write(400, "PATCH", "/acme/things/a", '{"$pull": {"x": {"$expr": false}}}'),
    write(400, "PUT", "/acme/things/_indexes/i", "{}"),
    write(400, "PUT", "/acme/things/_indexes/i", '{"keys": 1}'),
    write(400, "PUT", "/acme/things/_indexes/i", '{"keys": {"a": "nonsense"}}'),
    write(400, "PUT", "/acme/things/_indexes/only", '{"keys": {"z": 1}}'),
    write(400, "PUT", "/acme/things/_indexes/_own", '{"keys": {"z": 1}}'),
    write(400, "PUT", "/acme/things/_indexes/texts", '{"keys": {"text": 1}, "ops": {"unique": true}}'),
    write(400, "PUT", "/acme/_schemas/bad", '{"type": "nonsense"}'),
    write(400, "PUT", "/acme/notes/a", '{"text": "no title"}'),
    write(400, "POST", "/acme/notes", '[{"title": "fits"}, {}]'),
    write(400, "PATCH", "/acme/notes/a", '{"text": "no title"}'),
    write(400, "POST", "/acme/apikeys", "{}"),
    write(400, "POST", "/acme/apikeys", '{"_id": "a", "key": "b", "permissions": []}'),
    write(400, "PUT", "/acme/apikeys/k", '{"key": "other", "permissions": []}'),
    write(400, "PUT", "/acme/apikeys/k", '{"key": "k", "permissions": [{"url": "(", "permissionMode": "REGEX"}]}'),
    write(409, "PUT", "/acme/things/a?wm=insert", "{}"),
    write(409, "PUT", "/acme/things/d", '{"n": 0}'),
    write(409, "POST", "/acme/things", '{"_id": "d", "n": 0}'),
    write(409, "PATCH", "/acme/things/b", '{"n": 0}'),
    write(409, "PUT", '/acme/things/a?filter={"n":99}', "{}"),
    write(409, "PUT", "/acme/things/a?checkEtag", "{}"),
    Case(409, "DELETE", "/acme/things"),
    Case(409, "DELETE", "/acme"),
    write(413, "PUT", "/acme/things/a", '{"a": "' + "x" * BODY_LIMIT + '"}'),
    write(415, "PUT", "/acme/things/a", "a=1", **{"Content-Type": "application/x-www-form-urlencoded"}),
    write(415, "PUT", "/acme/things/a", "{}", **{"Content-Type": "text/plain"}),
    write(415, "POST", "/acme/things", "{}", **{"Content-Type": "multipart/form-data; boundary=x"}),
    write(415, "PUT", "/acme/things/a", "{}", **{"Content-Encoding": "gzip"}),
    write(500, "PUT", "/acme/orphans/a", "{}"),
    write(500, "PUT", "/bare/apikeys/k", '{"key": "k", "permissions": []}'),
    write(501, "PATCH", '/acme/notes/*?filter={"a":1}', '{"x": 1}'),
]

WITHOUT_BODY: Final = [
    Case(404, "DELETE", "/acme/things/nothing"),
    Case(404, "DELETE", "/acme/apikeys/nothing"),
    write(412, "PUT", "/acme/things/a", "{}", **{"If-Match": "0" * 24}),
    write(412, "PATCH", "/acme/things/a", '{"x": 1}', **{"If-Match": "0" * 24}),
    Case(412, "DELETE", "/acme/things/a", headers={"If-Match": "0" * 24}),
    Case(412, "DELETE", "/acme/things", headers={"If-Match": "0" * 24}),
    Case(412, "DELETE", "/acme", headers={"If-Match": "0" * 24}),
    write(412, "PUT", "/acme/things", "{}", **{"If-Match": "nonsense"}),
]

NOT_KNOWN: Final = {
    "nothing": {},
    "no such key": {"Authorization": f"Bearer {CANARY}-not"},
    "older form": {"Authorization": f'apikey="{CANARY}-not"'},
    "wrong password": {"Authorization": "Basic YWRtaW46d3Jvbmc="},
    "no base64": {"Authorization": "Basic ====="},
    "unknown scheme": {"Authorization": f"Digest {CANARY}"},
    "empty": {"Authorization": ""},
    "scheme alone": {"Authorization": "Bearer"},
    "cookie": {"Cookie": f"securetoken={CANARY}"},
}


def send(client: httpx.Client, case: Case) -> httpx.Response:
    raw = case.target.encode()
    return client.request(
        case.method, "/", content=case.body, headers=case.headers, extensions={"target": raw.replace(b" ", b"%20")}
    )


def check_body(contract: Contract, response: httpx.Response) -> None:
    body: dict[str, Any] = json.loads(response.content)
    assert "application/json" == response.headers["content-type"]
    assert response.status_code == body["http status code"]
    assert DESCRIPTIONS[response.status_code] == body["http status description"]
    assert body["message"]
    assert '"' not in body["message"]
    assert ["http status code", "http status description", "message"] == list(body)[:3]
    assert set(body) <= {
        "http status code", "http status description", "message", "exception", "exception message", "_warnings",
        "reasons",
    }  # fmt: skip
    check_silence(contract, response)


def check_silence(contract: Contract, response: httpx.Response) -> None:
    said = response.text + repr(response.headers)
    assert [] == [secret for secret in contract.secrets if secret in said]
    assert [] == [
        trace for trace in ("Traceback", 'File "', "site-packages", ".py", "pymongo", "motor") if trace in said
    ]
    assert "*" == response.headers["access-control-allow-origin"]


@pytest.mark.parametrize("case", [*BAD_PARAMETERS, *BAD_PATHS, *BAD_BODIES], ids=str)
def test_refusal_has_the_error_body(contract: Contract, case: Case) -> None:
    response = send(contract.admin, case)

    assert case.status == response.status_code, response.text
    check_body(contract, response)


@pytest.mark.parametrize("case", WITHOUT_BODY, ids=str)
def test_refusal_has_no_body(contract: Contract, case: Case) -> None:
    response = send(contract.admin, case)

    assert (case.status, b"") == (response.status_code, response.content)
    assert ("etag" in response.headers) is (case.status == 412)
    check_silence(contract, response)


@pytest.mark.parametrize("target", ["/", "/acme", "/acme/things", "/acme/things/a", "/nothing/at/all", "/admin"])
@pytest.mark.parametrize("shown", NOT_KNOWN, ids=str)
def test_unknown_callers_get_nothing(contract: Contract, shown: str, target: str) -> None:
    response = httpx.get(contract.server.url + target, headers=NOT_KNOWN[shown])

    assert (401, b"") == (response.status_code, response.content)
    assert response.headers["www-authenticate"].startswith("Basic realm=")
    check_silence(contract, response)


@pytest.mark.parametrize("token", ["", "x", CANARY, "a.b.c", "%00", "é"])
def test_unknown_token_gets_nothing(contract: Contract, token: str) -> None:
    response = httpx.get(f"{contract.server.url}/acme/things", params={"securetoken": token})

    assert (401, b"") == (response.status_code, response.content)
    check_silence(contract, response)


@pytest.mark.parametrize("quiet", [{"params": {"noauthchallenge": ""}}, {"headers": {"No-Auth-Challenge": "1"}}])
def test_challenge_is_left_out_where_asked(contract: Contract, quiet: Any) -> None:
    response = httpx.get(f"{contract.server.url}/acme", **quiet)

    assert 401 == response.status_code
    assert "www-authenticate" not in response.headers


@pytest.mark.parametrize(
    "target", ["/acme", "/acme/notes", "/acme/notes/a", "/acme/nothing", "/acme/apikeys", "/acme/_meta"]
)
def test_missing_right_says_no_more_than_that(contract: Contract, target: str) -> None:
    response = contract.reader.get(target)

    assert 403 == response.status_code
    check_body(contract, response)
    assert READER not in response.text


def test_slow_query_is_cut_off(contract: Contract) -> None:
    assert 200 == contract.admin.post("/acme/many", json=[{"n": number} for number in range(3_000)]).status_code

    response = contract.admin.get("/acme/many", params={"filter": SLOW})

    assert 408 == response.status_code, response.text
    check_body(contract, response)


def test_query_that_mongodb_does_not_cut_off_is_given_up(contract: Contract) -> None:
    stuck = SLOW.replace("30]", "4000]").replace("1000]", "4000]")

    with Stopwatch() as watch:
        response = contract.admin.get("/acme/things", params={"filter": stuck})

    assert 408 == response.status_code, response.text
    assert TIME_LIMIT_MS / 1000 + 3 > watch.seconds
    check_body(contract, response)


def test_chunked_body_over_the_limit_is_refused(contract: Contract) -> None:
    parts = (b"x" * 50_000 for _ in range(BODY_LIMIT // 50_000 + 1))

    response = contract.admin.put("/acme/things/a", content=parts, headers=JSON)

    assert 413 == response.status_code
    check_body(contract, response)


def test_unchanged_document_has_no_body(contract: Contract) -> None:
    version = contract.admin.get("/acme/things/b").headers["etag"]

    response = contract.admin.get("/acme/things/b", headers={"If-None-Match": version})

    assert (304, b"", version) == (response.status_code, response.content, response.headers["etag"])


@pytest.mark.parametrize("case", [get(404, "/acme/nothing"), get(400, "/acme/things?page=0")], ids=str)
def test_head_of_a_refusal_has_the_headers_of_get(contract: Contract, case: Case) -> None:
    response = contract.admin.head(case.target)

    assert (case.status, b"") == (response.status_code, response.content)
    assert contract.admin.get(case.target).headers["content-length"] == response.headers["content-length"]


def test_nothing_that_was_refused_changed_anything(contract: Contract) -> None:
    for case in [*BAD_BODIES, *WITHOUT_BODY]:
        send(contract.admin, case)

    found = contract.admin.get("/acme/things?keys={n:1}&sort=_id&rep=s").json()
    assert [{"_id": "a", "n": 0}, {"_id": "b", "n": 1}, {"_id": "c", "n": 2}] == found
