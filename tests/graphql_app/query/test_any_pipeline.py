"""Whatever a mapping's stages are and whatever fills them: a pipeline that may run, nothing, or a field error."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_core.errors import DefinitionError
from graphql_app.query import AggregateQuery, FetchError, Load, Scope, plan_load
from graphql_app.schema.definition import parse_definition
from graphql_app.schema.mappings import AggregationMapping, Limits
from graphql_app.schema.operators import FORBIDDEN_OPERATORS, locate_operator
from graphql_app.schema.pipelines import inspect_stages
from tests.graphql_app.schema.workshop import small

LIMITS = Limits()
NAMES = st.sampled_from(["a", "b.c", "rootDoc", "rootDoc.x", "@user.tenant", "nope"])
STAGES = [
    "$match",
    "$group",
    "$facet",
    "$lookup",
    "$unionWith",
    "$limit",
    "$sort",
    "$project",
    "$graphLookup",
    "$where",
]
KEYS = st.sampled_from(
    [*STAGES, "$out", "$eq", "$in", "$expr", "from", "coll", "db", "pipeline", "let", "as", "x", "y"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 200),
    st.sampled_from(["$x", "things", "apikeys", "acme", ""]),
    NAMES.map(lambda name: {"$arg": name}),
    st.tuples(NAMES, st.integers()).map(lambda pair: {"$arg": list(pair)}),
    NAMES.map(lambda name: {"$fk": name}),
)


def _inside(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
    )


TEMPLATES = _inside(LEAVES)
MATCHES = st.dictionaries(st.sampled_from(["x", "y", "$expr"]), TEMPLATES, max_size=2).map(lambda it: {"$match": it})
INNER = st.lists(MATCHES | st.just({"$arg": "a"}), max_size=2) | st.just({"$arg": "a"})
SOUND = st.one_of(
    MATCHES,
    LEAVES.map(lambda value: {"$group": {"_id": value}}),
    st.tuples(LEAVES, INNER).map(lambda p: {"$lookup": {"from": "things", "let": {"v": p[0]}, "pipeline": p[1]}}),
    INNER.map(lambda pipeline: {"$unionWith": {"coll": "things", "pipeline": pipeline}}),
    INNER.map(lambda pipeline: {"$facet": {"f": pipeline}}),
    st.sampled_from([{"$arg": "a"}, {"$fk": "x"}, {"$limit": {"$arg": ["nope", 3]}}]),
)
ODD = st.dictionaries(st.sampled_from(STAGES), TEMPLATES, min_size=1, max_size=1) | TEMPLATES
OPTIONAL = st.tuples(NAMES, SOUND, SOUND).map(lambda parts: {"$ifarg": list(parts)})
PIPELINES = st.lists(SOUND | OPTIONAL, max_size=3) | st.lists(ODD | OPTIONAL, max_size=3)
STAGE_VALUES = st.sampled_from([
    {"$match": {"x": 1}},
    {"$lookup": {"from": "things", "as": "x"}},
    {"$facet": {"f": [{"$unionWith": "secrets"}]}},
    {"$group": {"_id": {"$function": {}}}},
    [{"$match": {}}, {"$limit": 1}],
    [{"$graphLookup": {"from": "things"}}],
])  # fmt: skip
VALUES = STAGE_VALUES | _inside(st.one_of(st.none(), st.integers(), st.sampled_from(["$x", "things", "secrets"])))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=400)
@given(PIPELINES, VALUES, VALUES)
def test_pipelines_are_safe_or_refused(stages: list[Any], argument: Any, stored: Any) -> None:
    entry = {"db": "acme", "collection": "things", "stages": stages}
    document = small("type Query { things: Int t: [T] } type T { f: [T] }", {"T": {"f": entry}})
    try:
        mapping = parse_definition(document, tenant="acme", limits=LIMITS).fields["T"]["f"]
    except DefinitionError:
        return
    assert isinstance(mapping, AggregationMapping)
    load = _plan(mapping, Scope({"a": argument, "b": {"c": argument}}, stored, stored, user={"tenant": "acme"}))
    if load is not None:
        assert isinstance(load.query, AggregateQuery)
        _check(load.query, mapping)


def _plan(mapping: AggregationMapping, scope: Scope) -> Load | None:
    try:
        return plan_load(mapping, scope, limits=LIMITS, regex_length=100)
    except FetchError:
        return None


def _check(query: AggregateQuery, mapping: AggregationMapping) -> None:
    stages = list(query.stages)
    assert locate_operator(stages, FORBIDDEN_OPERATORS) is None
    inspection = inspect_stages(stages, database="acme", declared=mapping.reads)
    assert not inspection.violations
    assert not inspection.faults
    assert inspection.reads <= inspect_stages(mapping.stages, database="acme").reads
