from dataclasses import replace
from typing import Any

import pytest

from content_core.store import FindQuery
from graphql_app.query.arguments import Scope
from graphql_app.query.errors import FetchError
from graphql_app.query.find import Load, plan_load
from graphql_app.schema.mappings import Limits, QueryMapping

MAPPING = QueryMapping("Job", "owner", "acme", "mechanics", find={"_id": {"$fk": "owner"}, "active": True})


def plan(mapping: QueryMapping, source: Any = None, **arguments: Any) -> Load | None:
    return plan_load(mapping, Scope(arguments, source), limits=Limits(), regex_length=1000)


def test_a_single_document_is_asked_with_limit_one() -> None:
    load = plan(MAPPING, {"owner": "m1"})

    assert load is not None
    assert load.query == FindQuery(filter={"_id": "m1", "active": True}, limit=1)
    assert load.related == "_id"


@pytest.mark.parametrize("source", [{}, {"owner": None}])
def test_a_null_reference_needs_no_query(source: Any) -> None:
    assert plan(MAPPING, source) is None


def test_an_empty_list_of_references_needs_no_query() -> None:
    mapping = replace(MAPPING, find={"_id": {"$in": {"$fk": "owner"}}}, plural=True)

    assert plan(mapping, {"owner": [None]}) is None


def test_two_references_are_no_lookup() -> None:
    load = plan(replace(MAPPING, find={"a": {"$fk": "owner"}, "b": {"$fk": "owner"}}), {"owner": 1})

    assert load is not None
    assert load.related is None


def test_values_of_different_types_are_different_queries() -> None:
    loads = [plan(MAPPING, {"owner": value}) for value in (1, 1.0, True, "1")]

    assert len({load.key for load in loads if load is not None}) == 4


@pytest.mark.parametrize("value", [2**70, "\ud800", {"a\0b": 1}])
def test_what_bson_cannot_hold_fails_the_field(value: Any) -> None:
    with pytest.raises(FetchError, match="cannot be sent to the database"):
        plan(replace(MAPPING, find={"a": {"$arg": "value"}}), value=value)


def test_skip_and_sort_are_filled_in() -> None:
    sort = {"$arg": ["sort", {"_id": 1}]}
    mapping = replace(MAPPING, find=None, plural=True, skip={"$arg": "skip"}, sort=sort, limit={"$arg": "limit"})

    load = plan(mapping, skip=3, limit=7)

    assert load is not None
    assert load.query == FindQuery(filter={}, sort=(("_id", 1),), skip=3, limit=7)
