"""The indexes of a collection, as MongoDB describes them."""

from typing import Any, Final

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, QueryRefusedError, StoreError
from content_core.store.driver_errors import translated

__all__ = ["build_index", "drop_index", "list_indexes"]

_NO_COLLECTION: Final = 26
_NO_INDEX: Final = 27


async def list_indexes(collection: Any, *, max_time_ms: int) -> list[Document]:
    """Describe the indexes; none if there is no collection. MongoDB allows 64, so one batch has them all."""
    command: Document = {"listIndexes": collection.name, "cursor": {}}
    if max_time_ms:
        command["maxTimeMS"] = max_time_ms
    try:
        with translated():
            reply = await collection.database.command(command, codec_options=collection.codec_options)
    except StoreError as error:
        if error.details.get("code") == _NO_COLLECTION:
            return []
        raise
    return [{name: value for name, value in index.items() if name != "ns"} for index in reply["cursor"]["firstBatch"]]


async def build_index(collection: Any, *, name: str, keys: Document, options: Document) -> None:
    """Make an index; nothing happens if the very same is there."""
    command: Document = {
        "createIndexes": collection.name,
        "indexes": [{**options, "key": keys, "name": name}],
        "writeConcern": collection.write_concern.document,
    }
    try:
        with translated():
            await collection.database.command(command)
    except DuplicateKeyError as error:
        raise QueryRefusedError(
            "The index cannot be unique: documents have the same key", details=error.details
        ) from error


async def drop_index(collection: Any, name: str) -> bool:
    """Drop an index; False if there is none."""
    if name == "*":  # to MongoDB it means all of them
        return False
    try:
        with translated():
            await collection.drop_index(name)
    except StoreError as error:
        if error.details.get("code") in {_NO_COLLECTION, _NO_INDEX}:
            return False
        raise
    return True
