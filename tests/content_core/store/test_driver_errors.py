"""Every exception of the driver becomes one of ours, and none of them tells a secret."""

import inspect

import bson.errors
import pytest
from pymongo import errors

from content_core.errors import (
    DuplicateKeyError,
    QueryRefusedError,
    StoreError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from content_core.store import FindQuery, Store
from content_core.store.driver_errors import TABLE, server_code, translate, translated

_DRIVER_CLASSES = {
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.PyMongoError)
} | {errors.DocumentTooLarge}


def test_table_covers_all_that_the_driver_has() -> None:
    assert _DRIVER_CLASSES - set(TABLE) == set()


def test_table_makes_store_errors_only() -> None:
    assert {kind for kind in TABLE.values() if not issubclass(kind, StoreError)} == set()


def test_value_errors_of_the_driver_are_covered() -> None:
    kinds = {kind for kind in vars(bson.errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert len(kinds) >= 5
    assert {kind for kind in kinds if not issubclass(kind, tuple(TABLE))} == set()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.ServerSelectionTimeoutError("db.internal:27017 refused"), StoreUnavailableError),
        (errors.NetworkTimeout("db.internal:27017 timed out"), StoreUnavailableError),
        (errors.NotPrimaryError("not primary"), StoreUnavailableError),
        (errors.ExecutionTimeout("operation exceeded time limit", 50), StoreTimeoutError),
        (errors.OperationFailure("operation exceeded time limit", 50), StoreTimeoutError),
        (errors.WriteError("duplicate", 11000), DuplicateKeyError),
        (errors.OperationFailure("unknown operator: $foo", 2), QueryRefusedError),
        (errors.OperationFailure("FieldPath field names may not start with '$'", 16410), QueryRefusedError),
        (errors.OperationFailure("document failed validation", 121), QueryRefusedError),
        (errors.OperationFailure("failed to parse", 9), QueryRefusedError),
        (errors.WriteError("$add only supports numeric or date types, not string", 16554), QueryRefusedError),
        (errors.WriteError("interrupted at shutdown", 11600), StoreUnavailableError),
        (errors.OperationFailure("Authentication failed.", 18), StoreUnavailableError),
        (errors.OperationFailure("No keys found for HMAC that is valid for time", 211), StoreUnavailableError),
        (errors.OperationFailure("not authorized", 13), StoreError),
        (errors.OperationFailure("internal", 1), StoreError),
        (bson.errors.InvalidDocument("cannot encode"), QueryRefusedError),
        (bson.errors.InvalidBSON("cannot decode"), StoreError),
        (OverflowError("MongoDB can only handle up to 8-byte ints"), QueryRefusedError),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'code', '')}" if isinstance(value, Exception) else "",
)
def test_error_becomes_the_kind_that_callers_know(error: Exception, kind: type[StoreError]) -> None:
    assert kind is type(translate(error))


def test_bulk_failure_is_judged_by_its_first_write() -> None:
    error = errors.BulkWriteError({"writeErrors": [{"index": 3, "code": 11000, "keyPattern": {"key": 1}}]})

    assert DuplicateKeyError is type(translate(error))
    assert server_code(error) == 11000


def test_bulk_failure_to_be_durable_keeps_its_code() -> None:
    error = errors.BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64, "codeName": "WriteConcern"}]})

    assert translate(error).details == {"code": 64, "codeName": "WriteConcern"}


def test_details_carry_code_and_name() -> None:
    error = errors.OperationFailure("no", 66, {"code": 66, "codeName": "ImmutableField", "errmsg": "no"})

    assert translate(error).details == {"code": 66, "codeName": "ImmutableField"}


def test_refusal_says_what_mongodb_says() -> None:
    error = errors.OperationFailure("unknown operator: $foo", 2, {"code": 2, "errmsg": "unknown operator: $foo"})

    assert translate(error).message == "MongoDB refuses the query or the document: unknown operator: $foo"


def test_addresses_stay_out_of_messages() -> None:
    error = translate(errors.ServerSelectionTimeoutError("db.internal:27017: [Errno 111] Connection refused"))

    assert error.message == "MongoDB cannot be reached"


def test_key_values_stay_out_of_duplicate_errors() -> None:
    reply = {
        "code": 11000,
        "errmsg": "dup key: { key: 'secret' }",
        "keyPattern": {"key": 1},
        "keyValue": {"key": "secret"},
    }

    error = translate(errors.DuplicateKeyError("E11000 dup key: { key: 'secret' }", 11000, reply))

    assert "secret" not in f"{error.message} {error.details}"
    assert error.details == {"code": 11000, "keys": ["key"]}


def test_context_translates_and_chains() -> None:
    cause = errors.CursorNotFound("cursor id 1 not found", 43)

    with pytest.raises(StoreError) as caught, translated():
        raise cause
    assert cause is caught.value.__cause__


def test_context_lets_other_failures_pass() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("x")


async def test_query_stays_out_of_what_the_planner_says(store: Store, database: str) -> None:
    await store.insert(database, "keys", {"_id": 1})

    with pytest.raises(QueryRefusedError) as caught:
        await store.find(database, "keys", FindQuery(filter={"key": "s3cret"}, hint="no_such_index"))

    assert "hint" in caught.value.message
    assert "s3cret" not in caught.value.message
    assert database not in caught.value.message
