"""Changes of all documents that a filter finds, within a time limit, which the driver's own methods do not take."""

from typing import Any, Literal

from pymongo.errors import BulkWriteError

from content_core.documents import Document
from content_core.store.driver_errors import limited

__all__ = ["change_many"]


async def change_many(
    collection: Any, operation: Literal["update", "delete"], statement: Document, *, max_time_ms: int
) -> Document:
    """Run one statement of an ``update`` or ``delete`` command and give MongoDB's reply.

    Raises:
        StoreError: as any write; MongoDB says so inside a reply that is otherwise a good one.
    """
    command: Document = {
        operation: collection.name,
        f"{operation}s": [statement],
        "writeConcern": collection.write_concern.document,
    }
    if max_time_ms:
        command["maxTimeMS"] = max_time_ms
    async with limited(max_time_ms):
        reply: Document = await collection.database.command(command)
        failures = reply.get("writeErrors", [])
        doubts = [reply["writeConcernError"]] if "writeConcernError" in reply else []
        if failures or doubts:
            raise BulkWriteError({"writeErrors": failures, "writeConcernErrors": doubts})
    return reply
