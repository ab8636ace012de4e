"""Random predicates, and random values that they have something to say about."""

from typing import Any

from hypothesis import strategies as st

from graphql_app.schema.predicates import (
    AllOf,
    AnyOf,
    Constant,
    FieldEquals,
    FieldsExist,
    Not,
    Predicate,
    ValueEquals,
)

PATHS = st.sampled_from(["a", "b", "a.b", "a[0]", "a[1].b", "c.a.b"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1, 2),
    st.sampled_from([0.0, 1.0, 0.5]),
    st.sampled_from(["", "x", "it's", '"']),
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)


VALUES = st.recursive(LEAVES, _containers, max_leaves=8)

TERMS: st.SearchStrategy[Predicate] = st.one_of(
    st.builds(Constant, st.booleans()),
    st.builds(FieldsExist, st.lists(PATHS, min_size=1, max_size=3).map(tuple)),
    st.builds(FieldEquals, PATHS, VALUES),
    st.builds(ValueEquals, VALUES),
)


def _combine(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(Not, inner), st.builds(AllOf, several), st.builds(AnyOf, several))


PREDICATES: st.SearchStrategy[Predicate] = st.recursive(TERMS, _combine, max_leaves=8)
