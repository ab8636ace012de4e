"""What a database holds besides documents: its collections and their indexes."""

from typing import Any, Final

from content_core.documents import Document
from content_core.errors import DuplicateKeyError, QueryRefusedError, StoreError
from content_core.store.driver_errors import translated

__all__ = ["build_index", "create_collection", "drop_index", "list_collections", "list_indexes"]

_COLLECTION_EXISTS: Final = 48
_NO_COLLECTION: Final = 26
_NO_INDEX: Final = 27


async def create_collection(client: Any, database: str, collection: str) -> bool:
    """Make a collection; False if it is there already."""
    try:
        with translated():
            # Asked first: from version 7 on MongoDB is content with being told to make what is there.
            if await client[database].list_collection_names(filter={"name": collection}):
                return False
            await client[database].create_collection(collection, check_exists=False)
    except StoreError as error:
        if error.details.get("code") == _COLLECTION_EXISTS:
            return False
        raise
    return True


async def list_collections(client: Any, database: str) -> list[str]:
    """Name a database's collections in order, without MongoDB's own."""
    with translated():
        names: list[str] = await client[database].list_collection_names()
    return sorted(name for name in names if not name.startswith("system."))


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
    command: Document = {
        "dropIndexes": collection.name,
        "index": name,
        "writeConcern": collection.write_concern.document,
    }
    try:
        with translated():
            await collection.database.command(command)
    except StoreError as error:
        if error.details.get("code") in {_NO_COLLECTION, _NO_INDEX}:
            return False
        raise
    return True
