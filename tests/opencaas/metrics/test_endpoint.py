"""``/_metrics``: who may read it, in which form, at which level."""

import base64
import uuid
from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from content_core.access import AccessControl
from content_core.names import ADMIN_DATABASE, APIKEYS
from content_core.store import ChangeFeed, Store
from opencaas.metrics.board import Board
from opencaas.metrics.endpoint import MetricsEndpoint, MetricsUser, is_metrics_path
from opencaas.metrics.recorder import Recorder
from opencaas.metrics.requests import Level

ADMIN = ("admin", "the admin's password")
METRICS = ("metrics", "the password of the metrics user")
STATISTICS = "count max mean min p50 p75 p95 p98 p99 p999 stddev m15_rate m1_rate m5_rate mean_rate"
PLACES = {("acme", ""), ("acme", "notes"), ("other", "")}


@pytest.fixture
async def access(store: Store, feed: ChangeFeed) -> AsyncIterator[AccessControl]:
    control = AccessControl(store, feed, admin_user=ADMIN[0], admin_password=ADMIN[1])
    yield control
    control.close()


@pytest.fixture
async def key(store: Store) -> AsyncIterator[str]:
    """A global key with all rights."""
    key = str(uuid.uuid4())
    permissions = [{"url": "/", "permissionMode": "PREFIX", "methods": ["GET", "POST", "PUT", "PATCH", "DELETE"]}]
    await store.insert(ADMIN_DATABASE, APIKEYS, {"_id": key, "key": key, "name": "t", "permissions": permissions})
    yield key
    await store.delete(ADMIN_DATABASE, APIKEYS, key)


@pytest.fixture
def board() -> Board:
    made = Board.create(1)
    recorder = Recorder(made.attach(0))
    recorder.request(("COLLECTION", "GET", "200", "acme", "notes"), 0.005)
    recorder.request(("COLLECTION", "GET", "404", "acme", "gone"), 0.005)
    recorder.request(("DOCUMENT", "PUT", "201", "other", "notes"), 0.005)
    return made


def endpoint(
    board: Board, access: AccessControl, *, password: str | None = METRICS[1], level: Level = "root"
) -> ASGIApp:
    return MetricsEndpoint(
        board,
        access=access,
        user=MetricsUser(METRICS[0], password),
        level=level,
        exists=lambda database, collection: (database, collection) in PLACES,
    )


async def ask(
    app: ASGIApp,
    path: str = "/_metrics",
    *,
    auth: tuple[str, str] | None = METRICS,
    method: str = "GET",
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://caas", auth=auth) as client:
        client.headers.pop("accept")
        return await client.request(method, path, headers=headers)


@pytest.mark.parametrize("auth", [METRICS, ADMIN])
async def test_metrics_user_and_admin_may_read(board: Board, access: AccessControl, auth: tuple[str, str]) -> None:
    assert 200 == (await ask(endpoint(board, access), auth=auth)).status_code


@pytest.mark.parametrize(
    "auth",
    [
        None,
        ("metrics", ""),
        ("metrics", "wrong"),
        ("metrics", ADMIN[1]),
        ("admin", METRICS[1]),
        ("", ""),
        ("x", METRICS[1]),
    ],
)
async def test_others_are_asked_for_a_password(
    board: Board, access: AccessControl, auth: tuple[str, str] | None
) -> None:
    response = await ask(endpoint(board, access), auth=auth)

    assert (401, b"") == (response.status_code, response.content)
    assert 'Basic realm="OpenCaaS"' == response.headers["www-authenticate"]


@pytest.mark.parametrize("auth", [("metrics", ""), METRICS])
async def test_without_a_password_there_is_no_metrics_user(
    board: Board, access: AccessControl, auth: tuple[str, str]
) -> None:
    app = endpoint(board, access, password=None)

    assert 401 == (await ask(app, auth=auth)).status_code
    assert 200 == (await ask(app, auth=ADMIN)).status_code


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Nonsense x", "Basic " + base64.b64encode(b"\xff:\xff").decode()]
)
async def test_malformed_credentials_are_refused(board: Board, access: AccessControl, header: str) -> None:
    response = await ask(endpoint(board, access), auth=None, headers={"authorization": header})

    assert 401 == response.status_code


async def test_api_keys_do_not_open_it(board: Board, access: AccessControl, key: str) -> None:
    response = await ask(endpoint(board, access), auth=None, headers={"authorization": f"Bearer {key}"})

    assert 403 == response.status_code


async def test_a_token_in_the_query_goes_before_the_header(board: Board, access: AccessControl) -> None:
    assert 401 == (await ask(endpoint(board, access), "/_metrics?securetoken=x")).status_code


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/plain",
        "text/*",
        "text/plain; version=0.0.4",
        "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/json;q=0.5, text/plain",
        "text/html, */*;q=0.1",
    ],
)
async def test_text_is_the_form_of_prometheus(board: Board, access: AccessControl, accept: str | None) -> None:
    response = await ask(endpoint(board, access), headers={"accept": accept} if accept is not None else None)

    assert 200 == response.status_code
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert list(text_string_to_metric_families(response.text))


@pytest.mark.parametrize(
    "accept", ["application/json", "application/*", "Application/JSON, */*", "text/plain;q=0.1, application/json"]
)
async def test_json_for_those_who_want_it(board: Board, access: AccessControl, accept: str) -> None:
    response = await ask(endpoint(board, access), headers={"accept": accept})

    assert "application/json" == response.headers["content-type"]
    assert {"version", "gauges", "counters", "histograms", "meters", "timers"} == response.json().keys()


@pytest.mark.parametrize("rep", ["s", "standard", "hal", "shal", "pj", "plain_json", "PJ"])
async def test_json_by_rep(board: Board, access: AccessControl, rep: str) -> None:
    response = await ask(endpoint(board, access), f"/_metrics?rep={rep}", headers={"accept": "text/plain"})

    assert "application/json" == response.headers["content-type"]


@pytest.mark.parametrize(
    "accept", ["image/png", "text/html", "application/xml;q=1", "application/json;q=0", "*/*;q=0", "x"]
)
async def test_forms_that_are_not_given(board: Board, access: AccessControl, accept: str) -> None:
    response = await ask(endpoint(board, access), headers={"accept": accept})

    assert (406, 406) == (response.status_code, response.json()["http status code"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_but_reading(board: Board, access: AccessControl, method: str) -> None:
    assert 405 == (await ask(endpoint(board, access), method=method)).status_code
    assert 401 == (await ask(endpoint(board, access), method=method, auth=None)).status_code


async def test_options_need_no_credentials(board: Board, access: AccessControl) -> None:
    response = await ask(endpoint(board, access), method="OPTIONS", auth=None)

    assert (200, "GET, OPTIONS") == (response.status_code, response.headers["access-control-allow-methods"])


async def test_timers_have_the_documented_names_and_labels(board: Board, access: AccessControl) -> None:
    text = (await ask(endpoint(board, access))).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    everywhere = {"database": "_all_", "collection": "_all_", "type": "COLLECTION", "method": "GET"}
    counts = {
        sample.labels.get("code"): sample.value
        for sample in samples
        if sample.name == "http_response_timers_count" and sample.labels.items() >= everywhere.items()
    }

    assert {None: 2, "200": 1, "2xx": 1, "404": 1, "4xx": 1} == counts
    assert {f"http_response_timers_{name}" for name in STATISTICS.split()} == {
        sample.name for sample in samples if sample.name.startswith("http_response_timers")
    }


async def test_timers_in_json_are_named_by_type_method_and_status(board: Board, access: AccessControl) -> None:
    timers = (await ask(endpoint(board, access), "/_metrics?rep=s")).json()["timers"]

    assert {
        "COLLECTION.GET", "COLLECTION.GET.200", "COLLECTION.GET.2xx", "COLLECTION.GET.404", "COLLECTION.GET.4xx",
        "DOCUMENT.PUT", "DOCUMENT.PUT.201", "DOCUMENT.PUT.2xx",
    } == timers.keys()  # fmt: skip
    timer = timers["COLLECTION.GET"]
    assert (2, 5.0, 5.0) == (timer["count"], timer["max"], timer["p50"])
    assert ("milliseconds", "calls/second") == (timer["duration_units"], timer["rate_units"])


@pytest.mark.parametrize(
    ("level", "path", "status"),
    [
        ("root", "/acme/_metrics", 404),
        ("root", "/acme/notes/_metrics", 404),
        ("database", "/acme/_metrics", 200),
        ("database", "/acme/notes/_metrics", 404),
        ("collection", "/acme/_metrics", 200),
        ("collection", "/acme/notes/_metrics", 200),
        ("collection", "/acme/nothing/_metrics", 404),
        ("collection", "/nobody/_metrics", 404),
        ("collection", "/nobody/notes/_metrics", 404),
    ],
)
async def test_levels(board: Board, access: AccessControl, level: Level, path: str, status: int) -> None:
    assert status == (await ask(endpoint(board, access, level=level), path)).status_code


async def test_one_database_or_collection_alone(board: Board, access: AccessControl) -> None:
    app = endpoint(board, access, level="collection")
    database = await ask(app, "/acme/_metrics")
    collection = (await ask(app, "/acme/notes/_metrics?rep=s")).json()

    assert 'database="acme"' in database.text
    assert 'collection="_all_"' in database.text
    assert "DOCUMENT" not in database.text
    assert "opencaas_" not in database.text
    assert {"COLLECTION.GET", "COLLECTION.GET.200", "COLLECTION.GET.2xx"} == collection["timers"].keys()
    assert {} == collection["gauges"]


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        (b"/_metrics", True), (b"/_metrics/", True), (b"/_METRICS", True), (b"/acme/_metrics?rep=s", True),
        (b"/acme/notes/_metrics", True), (b"/acme/notes/x/_metrics", False), (b"/acme/notes/x", False),
        (b"/acme/notes%2F_metrics", False), (b"/acme/a_metrics", False), (b"/a_metrics", False), (b"/", False),
    ],
)  # fmt: skip
def test_addresses(raw: bytes, meant: bool) -> None:
    from urllib.parse import unquote

    path = raw.partition(b"?")[0]
    assert meant == is_metrics_path({"path": unquote(path.decode()), "raw_path": path})
