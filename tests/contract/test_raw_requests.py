"""Whatever arrives on the socket: the application never fails, says nothing that it should not, and goes on."""

import json
from typing import Any, Final
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.conftest import ROUNDS, Contract
from tests.contract.raw import Answer, exchange
from tests.patience import PATIENCE

FEW: Final = settings(
    max_examples=60 * ROUNDS, deadline=None, derandomize=ROUNDS == 1, suppress_health_check=list(HealthCheck)
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPERATORS: Final = (
    "$set", "$unset", "$inc", "$mul", "$min", "$max", "$rename", "$setOnInsert", "$currentDate", "$push", "$addToSet",
    "$pop", "$pull", "$pullAll", "$bit", "$each", "$slice", "$sort", "$position", "$type", "$foo", "$", "",
    "$eq", "$ne", "$gt", "$in", "$nin", "$and", "$or", "$nor", "$not", "$exists", "$regex", "$options", "$mod", "$all",
    "$elemMatch", "$size", "$expr", "$jsonSchema", "$text", "$search", "$where", "$function", "$geoWithin", "$near",
    "$bitsAllSet", "$comment", "$rand", "$meta", "$natural", "$ref", "$id", "$db", "$var",
    "$oid", "$date", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal", "$binary", "$uuid", "base64",
    "subType", "$regularExpression", "pattern", "options", "$timestamp", "t", "i", "$minKey", "$maxKey", "$undefined",
    "$symbol", "$code", "$scope", "$dbPointer", "_id", "_etag", "n", "text", "a.b", "a..b", ".a", "a.", "n.0", "a.$[]",
    "a.$[x]", "a.$", "__proto__", "keys", "ops", "jsonSchema", "schemaId", "etagPolicy", "aggrs", "streams",
)  # fmt: skip
PARAMETERS: Final = (
    "filter", "keys", "sort", "sort_by", "page", "pagesize", "count", "np", "hint", "rep", "jsonMode", "id_type", "wm",
    "writeMode", "checkEtag", "resolveRef", "shardkey", "avars", "hal", "noauthchallenge",
)  # fmt: skip
HEADERS: Final = (
    "If-Match", "If-None-Match", "Content-Type", "Content-Encoding", "Cookie", "Origin", "Accept", "Accept-Encoding",
    "Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "Expect", "Upgrade", "Range",
    "Access-Control-Request-Method", "Authorization", "X-HTTP-Method-Override", "Transfer-Encoding",
)  # fmt: skip

SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(("", "0", "1", "64a51c0de3b1f20f4d7a1001", "2024-01-02T00:00:00Z", "x", "NaN", "\ud800", "a\0b"))
    | st.text(max_size=8)
)
NAMES: Final = st.sampled_from(OPERATORS) | st.text(max_size=4)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS: Final = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)
PATHS: Final = st.sampled_from(
    (
        "/acme/wild/a", "/acme/wild/b", "/acme/wild", "/acme/wild/*", "/acme/wild/_size", "/acme/wild/_indexes/w",
        "/acme/_schemas/wild", "/acme/gql-apps/acme___wild", "/acme/apikeys/wild", "/acme/notes/wild", "/wild", "/",
        "/acme/wild.files", "/acme/wild.files/a", "/acme/wild.files/a/binary", "/acme/wild.files/*",
        "/acme/wild/_aggrs/x", "/acme/wild/_streams/x", "/acme/wild/_meta",
        "/_logic/securetoken", "/_logic/openapi", "/graphql/acme/wild",
    )
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def wild(contract: Contract) -> None:
    assert 201 == contract.admin.put("/acme/wild").status_code
    for name in ("a", "b"):
        contract.admin.put(f"/acme/wild/{name}", json={"n": 1, "text": "x", "list": [{"x": 1}]}).raise_for_status()


def request(contract: Contract, method: str, target: bytes, body: bytes = b"", *headers: bytes) -> bytes:
    head = [method.encode() + b" " + target + b" HTTP/1.1", b"Host: caas.example", b"Connection: close"]
    given_names = {header.partition(b":")[0].lower() for header in headers}
    if b"authorization" not in given_names:
        head.append(b"Authorization: " + contract.credentials[0].encode())
    if body and b"transfer-encoding" not in given_names and b"content-length" not in given_names:
        head.append(b"Content-Length: " + str(len(body)).encode())
    return b"\r\n".join([*head, *headers, b"", body])


def check(contract: Contract, sent: bytes, *, whole: bool = True) -> Answer:
    answer = exchange(contract.server.url, sent, patience=PATIENCE if whole else 0.1)
    assert answer.status is not None or not whole
    # One refusal is an honest 500 and one a 501: a schema that a collection names is not there, or is not for bulk.
    expected = answer.status in {500, 501} and ("schema" in answer.text)
    assert answer.status is None or answer.status < 500 or expected, (sent, answer.text)
    assert "Traceback" not in answer.text
    assert [] == [secret for secret in contract.secrets if secret in answer.text]
    return answer


def escape(value: Any) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return quote_from_bytes(text.encode("utf-8", "surrogatepass")).encode()


@FEW
@given(path=st.binary(max_size=40), method=st.sampled_from(METHODS))
def test_any_encoded_path(contract: Contract, path: bytes, method: str) -> None:
    check(contract, request(contract, method, b"/acme/" + quote_from_bytes(path).encode()))


@FEW
@given(path=st.binary(max_size=40), method=st.sampled_from(METHODS))
def test_any_bytes_as_path(contract: Contract, path: bytes, method: str) -> None:
    check(contract, request(contract, method, b"/acme/" + path), whole=False)


@FEW
@given(st.binary(max_size=200))
def test_any_bytes_at_all(contract: Contract, sent: bytes) -> None:
    check(contract, sent, whole=False)


@FEW
@given(
    method=st.sampled_from(METHODS),
    path=PATHS,
    parameters=st.lists(st.tuples(st.sampled_from(PARAMETERS), OBJECTS | SCALARS | st.text(max_size=12)), max_size=3),
)
def test_any_parameters(contract: Contract, method: str, path: str, parameters: list[tuple[str, Any]]) -> None:
    query = b"&".join(name.encode() + b"=" + escape(value) for name, value in parameters)
    check(contract, request(contract, method, path.encode() + b"?" + query))


@FEW
@given(query=st.binary(max_size=60), path=PATHS)
def test_any_bytes_as_query(contract: Contract, query: bytes, path: str) -> None:
    check(contract, request(contract, "GET", path.encode() + b"?" + query))


@settings(FEW, max_examples=150 * ROUNDS)
@given(condition=OBJECTS, name=st.sampled_from(("filter", "keys", "sort", "hint")))
def test_any_query_object(contract: Contract, condition: dict[str, Any], name: str) -> None:
    check(contract, request(contract, "GET", b"/acme/wild?" + name.encode() + b"=" + escape(condition)))


@settings(FEW, max_examples=150 * ROUNDS)
@given(method=st.sampled_from(("PUT", "PATCH", "POST")), path=PATHS, body=OBJECTS | VALUES)
def test_any_json_body(contract: Contract, method: str, path: str, body: Any) -> None:
    check(contract, request(contract, method, path.encode(), json.dumps(body).encode()))


@FEW
@given(bodies=st.lists(OBJECTS | SCALARS, max_size=4), mode=st.sampled_from(("insert", "update", "upsert", "x")))
def test_any_bulk(contract: Contract, bodies: list[Any], mode: str) -> None:
    check(contract, request(contract, "POST", f"/acme/wild?wm={mode}".encode(), json.dumps(bodies).encode()))


@FEW
@given(method=st.sampled_from(METHODS), path=PATHS, body=st.binary(min_size=1, max_size=100))
def test_any_bytes_as_body(contract: Contract, method: str, path: str, body: bytes) -> None:
    check(contract, request(contract, method, path.encode(), body))


@FEW
@given(
    method=st.sampled_from(METHODS),
    path=PATHS,
    headers=st.lists(st.tuples(st.sampled_from(HEADERS), st.binary(max_size=30)), max_size=4),
)
def test_any_headers(contract: Contract, method: str, path: str, headers: list[tuple[str, bytes]]) -> None:
    lines = [name.encode() + b": " + value.translate(None, b"\r\n\0") for name, value in headers]
    check(contract, request(contract, method, path.encode(), b"", *lines), whole=False)


@FEW
@given(
    method=st.sampled_from(("PUT", "PATCH", "POST")),
    path=PATHS,
    body=st.binary(max_size=50),
    missing=st.integers(1, 100),
)
def test_half_a_body(contract: Contract, method: str, path: str, body: bytes, missing: int) -> None:
    length = b"Content-Length: " + str(len(body) + missing).encode()
    check(contract, request(contract, method, path.encode(), body, length), whole=False)


@FEW
@given(method=st.sampled_from(("PUT", "PATCH", "POST")), path=PATHS, chunks=st.binary(max_size=80), valid=st.booleans())
def test_chunked_garbage(contract: Contract, method: str, path: str, chunks: bytes, valid: bool) -> None:
    body = f"{len(chunks):x}\r\n".encode() + chunks + b"\r\n0\r\n\r\n" if valid and chunks else chunks
    check(contract, request(contract, method, path.encode(), body, b"Transfer-Encoding: chunked"), whole=False)


@pytest.mark.parametrize("path", ["/acme/wild/half", "/acme/apikeys/half", "/acme/gql-apps/acme___half", "/half"])
def test_half_a_body_writes_nothing(contract: Contract, path: str) -> None:
    body = b'{"_id": "half", "key": "half", "permissions": []}'

    answer = check(contract, request(contract, "PUT", path.encode(), body, b"Content-Length: 1000"), whole=False)

    assert answer.status in {None, 400}
    assert 404 == contract.admin.get(path).status_code


@pytest.mark.parametrize("depth", [200, 250, 10_000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"1"), (b"[", b"")], ids=["objects", "arrays"])
def test_deep_nesting_is_a_bad_request(contract: Contract, depth: int, opening: bytes, closing: bytes) -> None:
    body = b'{"x":' + opening * depth + closing + (b"}" if closing else b"]") * depth + b"}"

    answer = check(contract, request(contract, "PUT", b"/acme/wild/deep", body))

    assert answer.status in {400, 413}


def test_same_processes_answer_afterwards(contract: Contract) -> None:
    before = {process.pid for process in contract.server.workers()}
    for sent in (b"", b"\0" * 1000, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        exchange(contract.server.url, sent)

    assert before == {process.pid for process in contract.server.workers()}
    assert 2 == len(before)
    for _ in range(20):
        assert 200 == contract.admin.get("/_logic/healthcheck").status_code
    assert [] == [line for line in contract.server.log if "Traceback" in line or '"level": "error"' in line]
