"""Finds in the shortest way that the driver has: one command, one answer, no cursor object.

What does not fit into one answer, and what meets a failure that the driver would try again, takes the ordinary way.
"""

import time
from typing import Any, Final

from pymongo.errors import AutoReconnect, PyMongoError, ServerSelectionTimeoutError

from content_core import observe
from content_core.documents import Document
from content_core.store.drivers import Driver
from content_core.store.values import FindQuery

__all__ = ["QuickReader"]

_MAJORITY: Final = {"level": "majority"}


class QuickReader:
    """Reads with PyMongo's async client.

    Args:
        driver: the client; it has no listener that would count commands, because they are counted here.
        counted: whether something else counts them all the same.
    """

    def __init__(self, driver: Driver, *, counted: bool) -> None:
        self._client = driver.client
        self._counted = counted
        self._databases: dict[str, tuple[Any, Any]] = {}

    async def read(
        self, database: str, collection: str, query: FindQuery, *, max_time_ms: int
    ) -> list[Document] | None:
        """Read the documents of a find; None if it has to take the ordinary way."""
        started = time.perf_counter()
        try:
            documents = await self._ask(database, collection, query, max_time_ms)
        except ServerSelectionTimeoutError:
            raise  # waited for long enough
        except AutoReconnect:
            return None  # told by the ordinary way, if it fails as well
        except PyMongoError:
            self._tell(started, f"{database}.{collection}", 0, failed=True)
            raise
        if documents is not None:
            self._tell(started, f"{database}.{collection}", len(documents), failed=False)
        return documents

    async def _ask(self, database: str, collection: str, query: FindQuery, max_time_ms: int) -> list[Document] | None:
        known = self._databases.get(database)
        if known is None:
            handle = self._client[database]
            known = self._databases[database] = (handle, handle.codec_options)
        handle, codec_options = known
        reply = await handle.command(_write_command(collection, query, max_time_ms), codec_options=codec_options)
        cursor = reply["cursor"]
        if cursor["id"]:
            await handle.command({"killCursors": collection, "cursors": [cursor["id"]]})
            return None
        documents: list[Document] = cursor["firstBatch"]
        return documents

    def _tell(self, started: float, namespace: str, documents: int, *, failed: bool) -> None:
        """Count the call as :class:`content_core.store.monitoring.CommandWatch` counts those that it hears of."""
        if self._counted:
            return
        seconds = time.perf_counter() - started
        outcome = "failed" if failed else "done"
        observe.duration("database_command_duration", seconds, command="find", outcome=outcome)
        if documents:
            observe.count("database_documents", documents)
        record = observe.current()
        if record is not None:
            record.called("find", seconds, namespace=namespace, documents=documents, failed=failed)


def _write_command(collection: str, query: FindQuery, max_time_ms: int) -> Document:
    command: Document = {"find": collection, "filter": query.filter}
    if query.projection is not None:
        command["projection"] = query.projection
    if query.sort:
        command["sort"] = dict(query.sort)
    if query.skip:
        command["skip"] = query.skip
    if query.limit:
        command["limit"] = query.limit
    command["batchSize"] = query.first_batch
    command["readConcern"] = _MAJORITY
    if max_time_ms:
        command["maxTimeMS"] = max_time_ms
    return command
