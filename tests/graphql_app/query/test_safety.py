from typing import Any

import pytest
from bson.regex import Regex

from graphql_app.query.errors import FetchError
from graphql_app.query.safety import refuse_unsafe


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"where": 1, "a": {"$in": ["$where"]}},
        {"$expr": {"$gt": ["$a", "$b"]}},
        {"a": {"$regex": "x" * 1000}},
        {"a": Regex("x" * 1000)},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": {"$concat": ["^", "$b"]}}}},
        {"$jsonSchema": {"properties": {"pattern": {"enum": ["x" * 1001]}, "a": {"pattern": "x" * 1000}}}},
    ],
)
def test_plain_filters_pass(value: Any) -> None:
    refuse_unsafe(value, regex_length=1000)


@pytest.mark.parametrize(
    "value",
    [
        {"$where": "1"},
        {"$WhErE": "1"},
        {"$or": [{"a": 1}, {"$and": [{"$where": "1"}]}]},
        {"$expr": {"$function": {"body": "f", "args": [], "lang": "js"}}},
        {"a": {"$elemMatch": {"b": {"$not": {"$accumulator": {}}}}}},
        {"a": [[{"$out": "x"}]]},
        {"a": {"$merge": 1}},
        {"$_internalExprEq": 1},
        {"$currentOp": {}},
    ],
)
def test_forbidden_operators_are_refused_at_any_depth(value: Any) -> None:
    with pytest.raises(FetchError, match="is not allowed") as refused:
        refuse_unsafe(value, regex_length=1000)

    assert refused.value.code == "OC301"


@pytest.mark.parametrize(
    "value",
    [
        {"a": {"$regex": "x" * 1001}},
        {"a": Regex("x" * 1001)},
        {"a": {"$in": [Regex("x" * 1001)]}},
        {"a": {"$not": {"$regex": Regex("x" * 1001)}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": "x" * 1001}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": {"$literal": "x" * 1001}}}},
        {"$expr": {"$regexMatch": {"input": "$a", "regex": {"$concat": ["x" * 501, "x" * 500]}}}},
        {"$expr": {"$regexFind": {"input": "$a", "regex": {"$ifNull": ["$b", Regex("x" * 1001)]}}}},
        {"$jsonSchema": {"properties": {"a": {"pattern": "x" * 1001}}}},
        {"$and": [{"$jsonSchema": {"anyOf": [{"patternProperties": {"x" * 1001: {}}}]}}]},
    ],
)
def test_long_regular_expressions_are_refused(value: Any) -> None:
    with pytest.raises(FetchError, match="cannot be longer than 1000 characters"):
        refuse_unsafe(value, regex_length=1000)


@pytest.mark.parametrize("pattern", ["$$p", {"$concat": ["^", "$$p"]}])
def test_patterns_do_not_come_from_variables_whose_length_nobody_knows(pattern: Any) -> None:
    match = {"$regexMatch": {"input": "$a", "regex": pattern}}
    filled = {"$expr": {"$let": {"vars": {"p": {"$literal": "x" * 1001}}, "in": match}}}

    with pytest.raises(FetchError, match="cannot be put together from variables"):
        refuse_unsafe(filled, regex_length=1000)


def test_towers_of_brackets_are_refused() -> None:
    tower: Any = 1
    for _ in range(50_000):
        tower = [tower]

    with pytest.raises(FetchError, match="deeper than 100 levels"):
        refuse_unsafe({"a": tower}, regex_length=1000)
