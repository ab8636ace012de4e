"""Large arrays of strict JSON, and the collector of garbage while they are read."""

import gc
import weakref
from itertools import repeat

import orjson
import pytest
from bson import ObjectId, Regex

from content_core.access.principals import ADMIN
from content_core.documents import Json
from rest_compat import bson_body
from rest_compat.bson_body import read_bson
from rest_compat.call import Call
from rest_compat.request import parse_request
from rest_compat.resources import read_resource
from rest_compat.writer import identity

LARGE = [{"_id": f"d{number}", "list": [{"text": "x" * 90}, {"number": number}]} for number in range(3_000)]


async def read(body: Json) -> Json:
    raw = orjson.dumps(body)
    scope = {"method": "POST", "path": "/db/coll", "query_string": b"", "headers": []}
    request = parse_request(scope)

    async def read_body() -> bytes:
        return raw

    return (await read_bson(Call(request, read_resource(request.segments), ADMIN, read_body))).value


async def test_large_array_sets_off_no_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bson_body, "_collection_due", repeat(False))
    collections = []

    def note(phase: str, _facts: dict[str, int]) -> None:
        collections.append(phase)

    gc.callbacks.append(note)
    try:
        value = await read(LARGE)
        more: list[Json] = [{} for _ in range(100)]
    finally:
        gc.callbacks.remove(note)
    assert (len(more), collections) == (100, [])
    assert value == LARGE
    assert gc.isenabled()


async def test_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        await read(LARGE)
        assert not gc.isenabled()
    finally:
        gc.enable()


async def test_cycles_are_collected_though_only_large_arrays_come() -> None:
    class Node:
        pass

    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    gone = weakref.ref(node)
    del node
    for _ in range(100):
        await read(LARGE)
    assert gone() is None


@pytest.mark.parametrize("document_id", ["a.en_GB", ObjectId("64a51c0de3b1f20f4d7a2002")])
def test_usual_ids_are_asked_for_in_the_short_way(document_id: object) -> None:
    assert identity(document_id) == {"_id": document_id}


@pytest.mark.parametrize("document_id", [{"$gt": ""}, Regex("^a"), None, [1]])
def test_ids_that_could_be_conditions_are_taken_literally(document_id: object) -> None:
    assert identity(document_id) == {"_id": {"$eq": document_id}}
