"""Changes whose result is looked at before it counts."""

from collections.abc import Callable
from typing import Any, Final

import pymongo
from pymongo.common import validate_ok_for_update

from content_core.documents import Document
from content_core.store.driver_errors import translated
from content_core.store.drivers import PyMongoDriver
from content_core.store.values import Update, WriteOutcome

__all__ = ["update_checked"]

_SECONDS: Final = 30.0
"""How long it may take with all its beginnings."""


class _RefusedError(Exception):
    """Carries what the check raised past those who know what to make of exceptions of its kind."""

    def __init__(self, reason: Exception) -> None:
        super().__init__()
        self.reason = reason


async def update_checked(
    driver: PyMongoDriver,
    database: str,
    collection: str,
    *,
    filter: Document,  # noqa: A002
    update: Update,
    upsert: bool,
    check: Callable[[Document], None],
) -> WriteOutcome:
    """Change one document in a transaction, which a failing check ends without a change.

    The driver begins the transaction anew as long as another write to the same document comes in between. It has to be
    PyMongo's: Motor (3.7.1) commits where it does not notice that a commit has to be made anew.
    """
    command: Document = {
        "findAndModify": collection,
        "query": filter,
        "update": update,
        "upsert": upsert,
        "new": True,
    }

    async def change(session: Any) -> WriteOutcome:
        reply = await handle.database.command(command, session=session, codec_options=handle.codec_options)
        document, last = reply["value"], reply["lastErrorObject"]
        if document is None:
            return WriteOutcome(created=False, matched=False, document_id=None)
        try:
            check(document)
        except Exception as error:  # whatever it is, the driver shall not take it for its own
            raise _RefusedError(error) from error
        return WriteOutcome(created="upserted" in last, matched=last["updatedExisting"], document_id=document["_id"])

    try:
        with translated():
            validate_ok_for_update(update)  # the command would take a document without operators as a replacement
            handle = driver.client[database][collection]
            with pymongo.timeout(_SECONDS):
                async with driver.client.start_session() as session:
                    return await session.with_transaction(change)
    except _RefusedError as refused:
        raise refused.reason from None
