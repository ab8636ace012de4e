from typing import Any

import pytest

from content_core.documents import Document
from graphql_app.compile.relations import Terms, read_relation
from graphql_app.query import UNBOUND
from graphql_app.schema.mappings import AggregationMapping, DatabaseMapping, QueryMapping
from graphql_app.settings import GraphQLSettings


def mapping(find: Document | None, *, plural: bool = False, **members: Any) -> QueryMapping:
    return QueryMapping("T", "f", "acme", "things", find=find, plural=plural, **members)


def test_a_relation_is_taken_apart() -> None:
    find = {"kind": "a", "_id": {"$fk": "ref.key"}, "lang": {"$arg": ["rootDoc.lang", None]}, "s": {"$arg": "state"}}

    relation = read_relation(mapping(find))

    assert relation is not None
    assert (relation.related, relation.is_list, len(relation.roots)) == ("_id", False, 1)
    assert relation.rest == {name: part for name, part in find.items() if name != "_id"}
    assert relation.read_key({"ref": {"key": "x"}}) == "x"


@pytest.mark.parametrize(
    ("find", "plural"),
    [
        ({"_id": {"$fk": "a"}}, False),
        ({"_id": {"$in": {"$fk": "a"}}}, False),
        ({"_id": {"$in": {"$fk": "a"}}}, True),
        ({"_id": {"$fk": "a"}, "x": {"$in": [1, 2]}}, False),
    ],
)
def test_usual_relations(find: Document, plural: bool) -> None:
    assert read_relation(mapping(find, plural=plural)) is not None


@pytest.mark.parametrize(
    "unusual",
    [
        mapping(None),
        mapping({}),
        mapping({"_id": {"$arg": "id"}}),
        mapping({"_id": {"$fk": "a"}}, plural=True),  # a list by equality: how many there are is not known
        mapping({"_id": {"$fk": "a"}, "b": {"$fk": "b"}}),
        mapping({"_id": {"$fk": "a"}, "b": {"$gt": {"$fk": "b"}}}),
        mapping({"_id": {"$ne": {"$fk": "a"}}}),
        mapping({"_id": {"$fk": "a"}, "$or": [{"x": 1}]}),
        mapping({"$and": [{"_id": {"$fk": "a"}}]}),
        mapping({"_id": {"$fk": "a"}}, sort={"n": {"$arg": "rootDoc.order"}}),
        mapping({"_id": {"$fk": "a"}}, limit={"$fk": "n"}),
        AggregationMapping("T", "f", "acme", "things", stages=({"$match": {"a": {"$fk": "b"}}},), reads=frozenset()),
    ],
)
def test_everything_else_is_left_to_the_general_way(unusual: DatabaseMapping) -> None:
    assert read_relation(unusual) is None


def terms(find: Document, arguments: Document | None = None, *, plural: bool = False, **members: Any) -> Terms:
    relation = read_relation(mapping(find, plural=plural, **members))
    assert relation is not None
    return Terms(relation, arguments or {}, {}, settings=GraphQLSettings(), groups={})


@pytest.mark.parametrize(
    ("members", "arguments", "usable"),
    [
        ({}, {}, True),
        ({"limit": 5}, {}, True),
        ({"limit": 500}, {}, False),
        ({"limit": {"$arg": "n"}}, {"n": 7}, True),
        ({"limit": {"$arg": "n"}}, {"n": 101}, False),
        ({"limit": {"$arg": "n"}}, {}, False),
        ({"skip": 1}, {}, False),
        ({"skip": 0}, {}, True),
        ({"skip": {"$arg": "n"}}, {"n": -1}, False),
        ({"sort": {"n": 1}}, {}, True),
        ({"sort": {"n": {"$arg": "n"}}}, {"n": "up"}, False),
    ],
)
def test_pages_that_a_merged_call_cannot_have_are_left_to_the_general_way(
    members: Document, arguments: Document, usable: bool
) -> None:
    assert terms({"_id": {"$in": {"$fk": "a"}}}, arguments, plural=True, **members).usable is usable


def test_a_single_document_of_several_by_an_order_is_left_to_the_general_way() -> None:
    assert terms({"_id": {"$fk": "a"}}).usable
    assert not terms({"_id": {"$fk": "a"}}, sort={"n": 1}).usable


@pytest.mark.parametrize(
    ("value", "keys"),
    [("x", "x"), ("", ""), (None, None), (1, UNBOUND), (True, UNBOUND), (["x"], UNBOUND), ({"x": 1}, UNBOUND)],
)
def test_the_key_of_an_equality_is_a_text(value: Any, keys: Any) -> None:
    assert terms({"_id": {"$fk": "a"}}).read_keys({"a": value}) == keys


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (["x", "y"], ("x", "y")),
        (["x", "x", None], ("x",)),
        ([None], None),
        ([], None),
        (None, None),
        ("x", UNBOUND),
        (["x", 1], UNBOUND),
        (["x", ["y"]], UNBOUND),
        (["x", "y", "z", "w"], UNBOUND),  # more than the limit
    ],
)
def test_the_keys_of_a_list_are_texts(value: Any, keys: Any) -> None:
    assert terms({"_id": {"$in": {"$fk": "a"}}}, plural=True, limit=3).read_keys({"a": value}) == keys


@pytest.mark.parametrize("root", [{"lang": 1}, {"lang": True}, {"lang": {"a": 1}}, {"lang": ["de"]}])
def test_root_documents_with_unusual_values_have_no_group(root: Document) -> None:
    assert terms({"_id": {"$fk": "a"}, "lang": {"$arg": ["rootDoc.lang", None]}}).group(root) is None


def test_root_documents_with_equal_values_share_a_group() -> None:
    found = terms({"_id": {"$fk": "a"}, "lang": {"$arg": ["rootDoc.lang", None]}})

    german = found.group({"lang": "de", "n": 1})

    assert german is not None
    assert german.rest == {"lang": "de"}
    assert found.group({"lang": "en"}) is not german
    assert found.group({"lang": "de", "n": 2}) is german
    assert found.group({}) is not None
    assert found.group({}) is not german


@pytest.mark.parametrize(
    "rest",
    [
        {"x": {"$gt": 1}},
        {"x": {"$exists": True}},
        {"x": {"a": 1}},
        {"x.0": "a"},
        {"x": {"$arg": "missing"}},
        {"x": {"$arg": "pattern"}},
    ],
)
def test_conditions_that_memory_cannot_decide_have_no_group(rest: Document) -> None:
    found = terms({"_id": {"$fk": "a"}} | rest, {"pattern": {"$regex": "^a"}})

    assert found.group({}) is None


def test_fields_with_the_same_conditions_share_a_group() -> None:
    groups: dict[bytes, Any] = {}
    first, second, third = (
        read_relation(mapping({"_id": {"$fk": path}, "kind": kind}))
        for path, kind in [("a", "x"), ("b", "x"), ("a", "y")]
    )
    found = [
        Terms(relation, {}, {}, settings=GraphQLSettings(), groups=groups).group({})
        for relation in (first, second, third)
        if relation is not None
    ]

    assert found[0] is found[1]
    assert found[2] is not found[0]
    assert len(groups) == 2
