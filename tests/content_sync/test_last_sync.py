"""What a job leaves behind at its end, and that the server's figures show it."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import websockets
from prometheus_client.parser import text_string_to_metric_families

from content_core.names import STATES, State, content_collection
from content_sync.bucket_delivery import BucketDelivery
from content_sync.client import SyncClient
from content_sync.job import SyncOptions, run_sync
from content_sync.report import Mode, SyncReport
from tests.content_sync.projects import Place, ValueSource, page, pages
from tests.live import LiveServer, eventually, live_server
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("noted") / "data", "--workers", "2") as running:
        yield running


@pytest.fixture
def place(server: LiveServer) -> Place:
    return Place.on(server)


async def sync(
    place: Place, source: ValueSource, mode: Mode = "smart", *, key: str = "", dry_run: bool = False, **options: Any
) -> SyncReport:
    client = SyncClient(
        place.url, api_key=key or place.key, tenant=place.tenant, project=place.project, dry_run=dry_run
    )
    async with client:
        return await run_sync(source, client, BucketDelivery(client), SyncOptions(mode=mode, **options))


def noted(place: Place, state: State = "preview") -> Any:
    """What the metadata say."""
    return place.request("GET", f"/{content_collection(place.project, state)}/_meta").get("lastSync")


def shown(place: Place) -> dict[str, float]:
    """What the figures say, by state."""
    text = httpx.get(f"{place.url}/_metrics", auth=place.admin, timeout=30).text
    return {
        sample.labels["state"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "opencaas_sync_completed_timestamp_seconds"
        and (sample.labels["tenant"], sample.labels["project"]) == (place.tenant, place.project)
    }


def drop(place: Place) -> None:
    path = f"{place.url}/{place.tenant}/{content_collection(place.project, 'preview')}"
    version = httpx.get(f"{path}/_meta", auth=place.admin).json()["_etag"]["$oid"]
    assert 204 == httpx.delete(path, auth=place.admin, headers={"if-match": version}).status_code


async def test_a_job_notes_its_end_and_every_worker_shows_it(place: Place) -> None:
    before = time.time()
    report = await sync(place, ValueSource({"preview": pages(2), "release": pages(1)}))

    assert report.complete, report
    for state in STATES:
        note = noted(place, state)
        assert "smart" == note["mode"]
        assert before - 1 <= note["completed"]["$date"] / 1000 <= time.time() + 1
    wanted = {state: noted(place, state)["completed"]["$date"] / 1000 for state in STATES}
    everywhere = eventually(lambda: all(shown(place) == wanted for _ in range(20)))
    assert everywhere, "one worker does not know, or they were added up"


async def test_a_sync_that_finds_nothing_to_do_counts(place: Place) -> None:
    source = ValueSource({"preview": pages(2)})
    await sync(place, source)
    first = noted(place)["completed"]["$date"]
    assert eventually(lambda: shown(place) == {"preview": first / 1000})

    report = await sync(place, source)

    assert 0 == report.changes
    later = noted(place)["completed"]["$date"]
    assert later > first
    assert eventually(lambda: shown(place) == {"preview": later / 1000})


async def test_total_sync_says_what_it_was(place: Place) -> None:
    await sync(place, ValueSource({"preview": pages(1)}), "total")

    assert "total" == noted(place)["mode"]


async def test_only_the_states_that_were_synchronised_are_noted(place: Place) -> None:
    source = ValueSource({"preview": pages(1), "release": pages(1)})

    await sync(place, source, states=["release"])

    assert eventually(lambda: shown(place)).keys() == {"release"}


async def test_a_job_that_could_not_send_everything_is_not_noted(place: Place) -> None:
    path = f"/{content_collection(place.project, 'preview')}"
    place.request("PUT", "/_schemas")
    schema = {"_id": "odd", "type": "object", "properties": {"text": {"not": {"const": "no"}}}}
    place.request("PUT", "/_schemas/odd", schema)
    place.request("PUT", path, {"jsonSchema": {"schemaId": "odd"}})

    report = await sync(place, ValueSource({"preview": [*page(1), *page(2, text="no")]}))

    assert report.failed
    assert noted(place) is None


async def test_a_source_that_is_empty_by_mistake_is_not_noted(place: Place) -> None:
    await sync(place, ValueSource({"preview": []}))
    assert noted(place) is None

    await sync(place, ValueSource({"preview": []}), allow_empty=True)
    assert "smart" == noted(place)["mode"]


async def test_a_dry_run_notes_nothing(place: Place) -> None:
    source = ValueSource({"preview": pages(1)})
    await sync(place, source)
    before = noted(place)

    await sync(place, source, dry_run=True)

    assert before == noted(place)


async def test_a_key_that_may_not_write_metadata_sends_content_all_the_same(place: Place) -> None:
    """And the report says why the figures will not know."""
    source = ValueSource({"preview": pages(1)})
    await sync(place, source)
    before = noted(place)
    key = str(uuid.uuid4())
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE"]
    permissions = [{"url": f"/{place.project}.", "methods": methods}]
    place.request("PUT", f"/apikeys/{key}", {"_id": key, "key": key, "permissions": permissions})

    report = await sync(place, ValueSource({"preview": pages(2)}), key=key)

    assert report.complete, report
    assert 4 == len(place.stored())
    assert before == noted(place)
    said = report.as_json()["states"]["preview"]["not_noted"]
    assert "403" in said
    assert key not in said


async def test_what_else_the_metadata_hold_stays_and_watchers_stay_connected(place: Place) -> None:
    path = f"/{content_collection(place.project, 'preview')}"
    await sync(place, ValueSource({"preview": pages(1)}))
    place.request("PATCH", path, {"owner": "the web team"})
    address = f"{place.url.replace('http', 'ws', 1)}/{place.tenant}{path}/_streams/crud"
    async with websockets.connect(
        address, additional_headers={"authorization": f"Bearer {place.key}"}, open_timeout=PATIENCE
    ) as socket:
        for count in (1, 2):  # the first job writes nothing but its note
            await sync(place, ValueSource({"preview": pages(count)}))
        told = json.loads(await socket.recv())

    assert "insert" == told["operationType"]
    metadata = place.request("GET", f"{path}/_meta")
    assert "the web team" == metadata["owner"]
    assert ["crud"] == [stream["uri"] for stream in metadata["streams"]]


async def test_the_note_of_a_project_that_is_not_synchronised_any_more_can_be_taken_away(place: Place) -> None:
    await sync(place, ValueSource({"preview": pages(1)}))
    assert eventually(lambda: shown(place))

    place.request("PATCH", f"/{content_collection(place.project, 'preview')}", {"$unset": {"lastSync": ""}})

    assert eventually(lambda: not shown(place))


async def test_a_dropped_collection_is_not_shown_any_more(place: Place) -> None:
    await sync(place, ValueSource({"preview": pages(1)}))
    assert eventually(lambda: shown(place))
    drop(place)

    assert eventually(lambda: not shown(place))
