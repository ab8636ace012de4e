import json
from datetime import UTC, datetime

import pytest
from bson import DBRef, Decimal128, ObjectId

from content_core.documents import Document
from content_core.store import FindQuery, Store

STORED: Document = {
    "_id": 1,
    "a": {"z": 1, "$id": {"$ref": "deep", "$id": [{"$id": 1, "$ref": "x"}]}, "$db": "d", "$ref": "people"},
    "list": [{"$ref": "people", "$id": 2}, []],
}


@pytest.mark.parametrize("method", ["find", "read"])
async def test_verbatim_documents_come_as_they_were_stored(store: Store, database: str, method: str) -> None:
    await store.insert(database, "things", STORED)

    (found,) = await getattr(store, method)(database, "things", FindQuery(filter={"_id": 1}, verbatim=True))
    (usual,) = await getattr(store, method)(database, "things", FindQuery(filter={"_id": 1}))

    assert json.dumps(found) == json.dumps(STORED)
    assert type(found["a"]["$id"]) is dict
    assert isinstance(usual["a"], DBRef)


async def test_verbatim_values_are_those_of_other_reads(store: Store, database: str) -> None:
    values = {
        "_id": ObjectId(),
        "day": datetime(2024, 2, 29, tzinfo=UTC),
        "n": Decimal128("1.0"),
        "b": b"x",
        "i": 2**40,
    }
    await store.insert(database, "things", values)

    verbatim, usual = [
        await store.find(database, "things", FindQuery(filter={}, verbatim=verbatim)) for verbatim in (True, False)
    ]

    assert verbatim == usual
    assert [type(value) for value in verbatim[0].values()] == [type(value) for value in usual[0].values()]
