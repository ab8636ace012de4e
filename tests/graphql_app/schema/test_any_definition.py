"""Whatever is stored as a definition: it is built, or refused with reasons; nothing else happens."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_core.documents import Document
from content_core.errors import DefinitionError
from graphql_app.schema.build import ExecutableApp
from tests.graphql_app.schema.workshop import SCHEMA, build, definition

MEMBERS = ["db", "collection", "find", "sort", "skip", "limit", "stages", "dataLoader", "allowDiskUse", "a"]
OPERATORS = ["$arg", "$fk", "$where", "$oid", "$ifarg", "$match", "$group", "$facet", "$lookup", "$unionWith", "$in"]
KEYS = st.sampled_from([*MEMBERS, *OPERATORS, "from", "coll", "pipeline"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.floats(),
    st.sampled_from(["acme", "things", "a.b", "rootDoc", "true", "field-exists(a)", "", "$where"]),
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=10
)
PLACES = st.dictionaries(KEYS, ANYTHING, max_size=4).map(lambda rest: {"db": "acme", "collection": "things"} | rest)
ENTRIES = st.dictionaries(
    st.sampled_from(["mechanics", "jobs", "owner", "OPEN", "$typeResolver", "nope"]), PLACES | ANYTHING, max_size=3
)
MAPPINGS = st.dictionaries(
    st.sampled_from(["Query", "Mechanic", "Job", "State", "U", "I"]), ENTRIES | ANYTHING, max_size=5
)
SCHEMAS = st.sampled_from(
    [SCHEMA, SCHEMA + " union U = Job | Mechanic", SCHEMA + " interface I { a: Int }", "type Query { a: X }", "{", ""]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANYTHING, ANYTHING, SCHEMAS | ANYTHING, MAPPINGS | ANYTHING)
def test_definition_is_built_or_refused(identifier: Any, descriptor: Any, schema: Any, mappings: Any) -> None:
    _build_or_refuse(_id=identifier, descriptor=descriptor, schema=schema, mappings=mappings)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(SCHEMAS, MAPPINGS)
def test_mappings_are_built_or_refused(schema: str, mappings: Any) -> None:
    query = {"mechanics": {"db": "acme", "collection": "mechanics"}}
    _build_or_refuse(schema=schema, mappings={"Query": query} | mappings)


def _build_or_refuse(**members: Any) -> None:
    outcome = _outcome(definition(**members))
    assert isinstance(outcome, ExecutableApp) or all(outcome)


def _outcome(document: Document) -> ExecutableApp | tuple[str, ...]:
    try:
        return build(document)
    except DefinitionError as error:
        return error.reasons or ("",)
