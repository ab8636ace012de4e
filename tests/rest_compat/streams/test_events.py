"""What watchers are told: the four members of MongoDB's events, from the moment of connecting on."""

import asyncio
import itertools
import json
from typing import Any

import pytest
from bson import ObjectId

from content_core.documents import Document
from rest_compat.stream_events import event_frame
from tests.rest_compat.streams.conftest import COLLECTION, CRUD, Live, event, no_event, watching


async def told(live: Live, definition: Document, query: str = "", count: int = 1) -> list[Any]:
    """Define a stream, write and change a document, and give what a watcher of the stream hears."""
    await live.define({"uri": "own", **definition})
    async with watching(live, "own", query) as client:
        await live.put("a.en_GB", fsType="Page", locale={"language": "en"}, number=1)
        await live.put("b.de_DE", fsType="Page", locale={"language": "de"}, number=2)
        return [await event(client) for _ in range(count)]


async def test_insert_replace_update_and_delete_are_told_in_order(live: Live) -> None:
    async with watching(live) as client:
        await live.put("a.en_GB", fsType="Page")
        await live.put("a.en_GB", fsType="Media", old=True)
        await live.admin.patch(f"{live.collection}/a.en_GB", json={"title": "x", "$unset": {"old": True}})
        await live.admin.delete(f"{live.collection}/a.en_GB")
        inserted, replaced, updated, deleted = [await event(client) for _ in range(4)]

    assert ["fullDocument", "documentKey", "operationType"] == list(inserted)
    assert ("insert", {"_id": "a.en_GB"}) == (inserted["operationType"], inserted["documentKey"])
    assert ("Page", "Media") == (inserted["fullDocument"]["fsType"], replaced["fullDocument"]["fsType"])
    assert "replace" == replaced["operationType"]
    assert ["documentKey", "updateDescription", "operationType"] == [name for name in updated if name != "fullDocument"]
    assert "update" == updated["operationType"]
    assert "x" == updated["updateDescription"]["updatedFields"]["title"]
    assert ["old"] == updated["updateDescription"]["removedFields"]
    assert {"updatedFields", "removedFields"} == set(updated["updateDescription"])
    assert {"documentKey": {"_id": "a.en_GB"}, "operationType": "delete"} == deleted


async def test_each_write_of_the_interface_is_the_operation_that_it_should_be(live: Live) -> None:
    async with watching(live) as client:
        await live.admin.post(live.collection, json={"_id": "p", "n": 1})
        await live.admin.post(live.collection, json={"_id": "p", "n": 2})
        await live.admin.post(live.collection, json=[{"_id": "q", "n": 1}])
        await live.admin.post(live.collection, json=[{"_id": "q", "n": 2}])
        await live.admin.patch(f"{live.collection}/*?filter={json.dumps({'_id': 'q'})}", json={"n": 3})
        await live.admin.delete(f"{live.collection}/*?filter={json.dumps({'_id': 'q'})}")
        heard = [await event(client) for _ in range(6)]

    assert [
        ("p", "insert"),
        ("p", "replace"),
        ("q", "insert"),
        ("q", "replace"),
        ("q", "update"),
        ("q", "delete"),
    ] == [(each["documentKey"]["_id"], each["operationType"]) for each in heard]


async def test_full_document_is_what_is_stored_when_the_update_is_read(live: Live) -> None:
    await live.put("a", n=1, kept=True)
    async with watching(live) as client:
        await live.admin.patch(f"{live.collection}/a", json={"n": 2})
        heard = await event(client)

    assert (2, True) == (heard["fullDocument"]["n"], heard["fullDocument"]["kept"])


async def test_nothing_that_happened_before_is_told(live: Live) -> None:
    await live.put("a", n=1)
    async with watching(live) as first:
        await live.put("b", n=1)
        async with watching(live) as second:
            await live.put("c", n=1)

            assert ["b", "c"] == [(await event(first))["documentKey"]["_id"] for _ in range(2)]
            assert "c" == (await event(second))["documentKey"]["_id"]


async def test_many_who_come_while_others_write_hear_all_that_happens_after_their_handshake(live: Live) -> None:
    async def watch(number: int) -> list[str]:
        await asyncio.sleep(number * 0.02)
        async with watching(live) as client:
            await live.put(f"after-{number}", n=number)
            heard: list[str] = []
            while not heard or heard[-1] != f"after-{number}":
                heard.append((await event(client))["documentKey"]["_id"])
            return heard

    await live.key()
    heard = await asyncio.gather(*map(watch, range(12)))

    assert [f"after-{number}" for number in range(12)] == [each[-1] for each in heard]
    for one, other in itertools.combinations(heard, 2):
        assert [name for name in one if name in other] == [name for name in other if name in one]


async def test_stages_select_and_project(live: Live) -> None:
    stages = [
        {"$match": {"fullDocument.locale.language": "de"}},
        {"$project": {"documentKey": 1, "operationType": 1, "operationResult": 1, "fullDocument.fsType": 1}},
    ]
    heard = await told(live, {"stages": stages})

    assert [{"fullDocument": {"fsType": "Page"}, "documentKey": {"_id": "b.de_DE"}, "operationType": "insert"}] == heard


@pytest.mark.parametrize("stages", [[{"_$match": {"fullDocument::locale::language": "de"}}], []])
async def test_names_may_be_escaped_and_stages_may_be_none(live: Live, stages: list[Document]) -> None:
    (heard,) = await told(live, {"stages": stages})

    assert ("b.de_DE" if stages else "a.en_GB") == heard["documentKey"]["_id"]


async def test_variables_take_their_places(live: Live) -> None:
    stages = [
        {"$match": {"fullDocument.locale.language": {"$var": "lang"}}},
        {"$ifvar": ["least", {"$match": {"fullDocument.number": {"$gte": {"$var": "least"}}}}]},
    ]
    (heard,) = await told(live, {"stages": stages}, 'avars={"lang":"de","least":2}')

    assert "b.de_DE" == heard["documentKey"]["_id"]


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("", 1), ("jsonMode=extended", {"$numberInt": "1"}), ("jsonMode=RELAXED", 1), ("jsonMode=strict", 1)],
)
async def test_json_mode_applies(live: Live, mode: str, shown: Any) -> None:
    (heard,) = await told(live, {"stages": []}, mode)

    assert shown == heard["fullDocument"]["number"]


async def test_operations_on_the_collection_are_told_if_the_stages_let_them_through(live: Live) -> None:
    await live.define({"uri": "all", "stages": []})
    async with watching(live, "all") as client:
        await live.store.drop_collection(live.database, COLLECTION)

        assert [{"operationType": "drop"}, {"operationType": "invalidate"}] == [await event(client) for _ in range(2)]


async def test_update_of_a_large_document_is_told_without_its_description(live: Live) -> None:
    nine = "x" * 9 * 1024 * 1024
    await live.store.insert(live.database, COLLECTION, {"_id": "big", "_etag": ObjectId()})
    async with watching(live) as client:
        await live.store.update_one(
            live.database, COLLECTION, filter={"_id": "big"}, update={"$set": {"body": nine}}, upsert=False
        )
        await live.put("small")
        large, small = await event(client), await event(client)

    assert ["fullDocument", "documentKey", "operationType"] == list(large)
    assert ("update", nine) == (large["operationType"], large["fullDocument"]["body"])
    assert "small" == small["documentKey"]["_id"]


async def test_update_of_a_deleted_document_has_no_document(live: Live) -> None:
    heard = event_frame({"_id": {}, "operationType": "update", "documentKey": {"_id": 1}, "fullDocument": None})

    assert b'{"documentKey":{"_id":1},"operationType":"update"}' == heard[2:]


def test_event_that_cannot_be_written_is_told_without_its_document() -> None:
    deep: Document = {}
    for _ in range(400):
        deep = {"in": deep}

    heard = event_frame({"operationType": "insert", "documentKey": {"_id": 1}, "fullDocument": deep})

    assert b'{"documentKey":{"_id":1},"operationType":"insert"}' == heard[2:]


def test_arrays_that_became_shorter_are_told_only_if_there_are_any() -> None:
    description: Document = {
        "updatedFields": {},
        "removedFields": [],
        "truncatedArrays": [{"field": "a", "newSize": 1}],
    }

    longer = event_frame({"operationType": "update", "updateDescription": description})
    none = event_frame({"operationType": "update", "updateDescription": {**description, "truncatedArrays": []}})

    assert (True, False) == (b"truncatedArrays" in longer, b"truncatedArrays" in none)


async def test_definition_of_another_stream_is_of_no_concern(live: Live) -> None:
    async with watching(live) as client:
        await live.define(CRUD, {"uri": "other", "stages": []})
        await no_event(client)
        await live.put("a")

        assert "a" == (await event(client))["documentKey"]["_id"]
