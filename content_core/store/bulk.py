"""Bulk writes: many operations in one message, in no order, each with its own result."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, WriteError

from content_core.documents import Document
from content_core.store.driver_errors import translate, translated
from content_core.store.values import BulkError, BulkInsert, BulkOperation, BulkReplace, BulkReport

__all__ = ["run_bulk"]


async def run_bulk(collection: Any, operations: Sequence[BulkOperation]) -> BulkReport:
    """Carry out operations; one that fails leaves the others alone.

    Args:
        collection: the driver's collection.
        operations: what to do.

    Raises:
        StoreError: the whole of it failed, or may not be durable: what was done of it is not known.
    """
    if not operations:
        return BulkReport(0, 0, 0)
    requests = [_request(operation) for operation in operations]
    failures: Sequence[Mapping[str, Any]] = ()
    with translated():
        try:
            reply = (await collection.bulk_write(requests, ordered=False)).bulk_api_result
        except BulkWriteError as error:
            reply = error.details
            failures = reply["writeErrors"]
            if reply["writeConcernErrors"]:
                raise
    return _report(operations, reply, tuple(_error(failure) for failure in failures))


def _request(operation: BulkOperation) -> "InsertOne[Document] | ReplaceOne[Document] | UpdateOne":
    if isinstance(operation, BulkReplace):
        return ReplaceOne(operation.filter, operation.document, upsert=operation.upsert)
    if isinstance(operation, BulkInsert):
        return InsertOne(operation.document)
    return UpdateOne(operation.filter, operation.update, upsert=operation.upsert)


def _report(operations: Sequence[BulkOperation], reply: Mapping[str, Any], errors: tuple[BulkError, ...]) -> BulkReport:
    failed = {error.index for error in errors}
    created = {entry["index"]: entry["_id"] for entry in reply["upserted"]}
    for index, operation in enumerate(operations):
        if isinstance(operation, BulkInsert) and index not in failed:
            created[index] = operation.document["_id"]
    return BulkReport(
        inserted=reply["nInserted"] + reply["nUpserted"],
        matched=reply["nMatched"],
        modified=reply["nModified"],
        created=dict(sorted(created.items())),
        errors=tuple(sorted(errors, key=lambda error: error.index)),
    )


def _error(failure: Mapping[str, Any]) -> BulkError:
    """Say what a single write would have said."""
    error = translate(WriteError(failure.get("errmsg", ""), failure["code"], failure))
    return BulkError(failure["index"], failure["code"], error.message, error.status)
