"""What a pipeline touches, and what it may not do: in every form that MongoDB reads."""

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content_core.errors import PipelineMalformedError, PipelineNameError, PipelineRefusedError
from content_core.pipelines import MAX_DEPTH, Touch, inspect_pipeline
from content_core.store import Store
from content_core.store.embedded import EmbeddedMongo

VARIABLES = frozenset({"$var", "$ifvar"})
DOTTED = "6d4bfa52.release.content"


def read(collection: str, stage: str, location: str, database: str | None = None) -> Touch:
    return Touch(database=database, collection=collection, stage=stage, location=location, access="read")


def test_a_pipeline_on_its_own_collection_touches_nothing() -> None:
    stages: list[dict[str, Any]] = [{"$match": {"a": 1}}, {"$group": {"_id": "$a"}}, {"$sort": {"_id": 1}}]

    assert inspect_pipeline(stages) == ()
    assert inspect_pipeline([]) == ()


@pytest.mark.parametrize(
    ("stage", "touch"),
    [
        pytest.param(
            {"$lookup": {"from": DOTTED, "localField": "a", "foreignField": "b", "as": "c"}},
            read(DOTTED, "$lookup", "pipeline[0].$lookup"),
            id="lookup-name-with-dots-stays-whole",
        ),
        pytest.param(
            {"$lookup": {"from": {"db": "other", "coll": "x.y"}, "as": "c"}},
            read("x.y", "$lookup", "pipeline[0].$lookup", "other"),
            id="lookup-database",
        ),
        pytest.param(
            {"$graphLookup": {"from": "pages", "startWith": "$a"}},
            read("pages", "$graphLookup", "pipeline[0].$graphLookup"),
            id="graph-lookup",
        ),
        pytest.param({"$unionWith": "pages"}, read("pages", "$unionWith", "pipeline[0].$unionWith"), id="union-string"),
        pytest.param(
            {"$unionWith": {"coll": "pages"}}, read("pages", "$unionWith", "pipeline[0].$unionWith"), id="union-object"
        ),
        pytest.param(
            {"$unionWith": {"db": "other", "coll": "pages", "pipeline": []}},
            read("pages", "$unionWith", "pipeline[0].$unionWith", "other"),
            id="union-database",
        ),
    ],
)
def test_a_stage_that_reads_tells_its_collection(stage: dict[str, Any], touch: Touch) -> None:
    assert inspect_pipeline([stage]) == (touch,)


@pytest.mark.parametrize(
    ("stage", "database", "collection", "access"),
    [
        pytest.param({"$out": "a.b"}, None, "a.b", "out", id="out-string"),
        pytest.param({"$out": {"db": "other", "coll": "x"}}, "other", "x", "out", id="out-object"),
        pytest.param(
            {"$out": {"db": "other", "coll": "x", "timeseries": {"timeField": "t"}}}, "other", "x", "out", id="out-time"
        ),
        pytest.param({"$merge": "a.b"}, None, "a.b", "merge", id="merge-short"),
        pytest.param({"$merge": {"into": "x"}}, None, "x", "merge", id="merge-string"),
        pytest.param({"$merge": {"into": {"db": "other", "coll": "x"}}}, "other", "x", "merge", id="merge-object"),
        pytest.param(
            {"$merge": {"into": "x", "whenMatched": [{"$set": {"a": "$$new.a"}}]}}, None, "x", "merge", id="merge-steps"
        ),
        pytest.param({"$merge": {"into": "x", "whenMatched": "keepExisting"}}, None, "x", "merge", id="merge-keep"),
    ],
)
def test_a_stage_that_writes_tells_its_target(
    stage: dict[str, Any], database: str | None, collection: str, access: Any
) -> None:
    name = next(iter(stage))

    assert inspect_pipeline([{"$match": {}}, stage]) == (
        Touch(database=database, collection=collection, stage=name, location=f"pipeline[1].{name}", access=access),
    )


def test_nested_pipelines_are_inspected_in_order() -> None:
    stages: list[dict[str, Any]] = [
        {"$facet": {"a": [{"$match": {}}, {"$unionWith": "one"}], "b": [{"$lookup": {"from": "two", "as": "x"}}]}},
        {"$lookup": {"from": "three", "as": "x", "pipeline": [{"$unionWith": {"coll": "four", "pipeline": []}}]}},
        {"$unionWith": {"coll": "five", "pipeline": [{"$graphLookup": {"from": "six"}}]}},
        {"$lookup": {"as": "x", "pipeline": [{"$documents": []}, {"$unionWith": "seven"}]}},
        {"$unionWith": {"pipeline": [{"$documents": []}, {"$lookup": {"from": "eight", "as": "x"}}]}},
    ]

    found = inspect_pipeline(stages)

    assert [touch.collection for touch in found] == ["one", "two", "three", "four", "five", "six", "seven", "eight"]
    assert found[0].location == "pipeline[0].$facet.a[1].$unionWith"
    assert found[3].location == "pipeline[1].$lookup.pipeline[0].$unionWith"


@pytest.mark.parametrize("stage", ["$rankFusion", "$scoreFusion"])
def test_pipelines_of_fusions_are_inspected(stage: str) -> None:
    stages = [{stage: {"input": {"pipelines": {"a": [{"$unionWith": "pages"}]}}}}]

    (touch,) = inspect_pipeline(stages)

    assert (touch.collection, touch.location) == ("pages", f"pipeline[0].{stage}.input.pipelines.a[0].$unionWith")


@pytest.mark.parametrize("operator", ["$where", "$function", "$accumulator", "$WHERE", "$Function", "$accumulatoR"])
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda bad: {bad: {}}, id="stage"),
        pytest.param(lambda bad: {"$match": {bad: "1"}}, id="match"),
        pytest.param(lambda bad: {"$match": {"$and": [{"$or": [{"$nor": [{bad: "1"}]}]}]}}, id="deep-match"),
        pytest.param(lambda bad: {"$match": {"$expr": {bad: {"body": "", "args": [], "lang": "js"}}}}, id="expr"),
        pytest.param(lambda bad: {"$project": {"a": {"$add": [1, {bad: {}}]}}}, id="expression"),
        pytest.param(lambda bad: {"$group": {"_id": None, "a": {bad: {}}}}, id="group"),
        pytest.param(lambda bad: {"$lookup": {"from": "x", "pipeline": [{"$match": {bad: "1"}}]}}, id="lookup"),
        pytest.param(lambda bad: {"$graphLookup": {"from": "x", "restrictSearchWithMatch": {bad: 1}}}, id="graph"),
        pytest.param(lambda bad: {"$facet": {"a": [{"$match": {bad: "1"}}]}}, id="facet"),
        pytest.param(lambda bad: {"$unionWith": {"coll": "x", "pipeline": [{"$match": {bad: "1"}}]}}, id="union"),
        pytest.param(lambda bad: {"$merge": {"into": "x", "whenMatched": [{"$set": {"a": {bad: {}}}}]}}, id="merge"),
        pytest.param(lambda bad: {"$geoNear": {"query": {bad: "1"}}}, id="geo"),
        pytest.param(lambda bad: {"$ifvar": ["x", {"$match": {bad: "1"}}]}, id="variable"),
        pytest.param(lambda bad: {"$nobody": {"knows": [[[{bad: "1"}]]]}}, id="unknown-stage"),
        pytest.param(lambda bad: {"$match": ({bad: "1"},)}, id="tuple"),
    ],
)
def test_javascript_is_refused_wherever_it_stands(operator: str, build: Any) -> None:
    with pytest.raises(PipelineRefusedError) as refused:
        inspect_pipeline([{"$match": {}}, build(operator)], placeholders=VARIABLES)

    assert refused.value.status == 403
    assert refused.value.message.startswith(f"aggregation pipeline security violation: operator '{operator}' at ")
    assert refused.value.location.startswith("pipeline[1].")
    assert refused.value.location.endswith(f".{operator}")


@pytest.mark.parametrize(
    "stage",
    [
        *["$currentOp", "$listSessions", "$listLocalSessions", "$planCacheStats", "$collStats", "$indexStats"],
        *["$changeStream", "$CURRENTOP", "$mergeCursors", "$queryStats"],
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_stages_that_show_the_server_are_refused(stage: str, nested: bool) -> None:
    stages: list[dict[str, Any]] = [{"$facet": {"a": [{stage: {}}]}}] if nested else [{stage: {}}]

    with pytest.raises(PipelineRefusedError, match=r"shows the server") as refused:
        inspect_pipeline(stages)

    assert refused.value.status == 403
    assert refused.value.location.endswith(stage)


@pytest.mark.parametrize("key", ["$_internalInhibitOptimization", "$_INTERNALX", "$_x"])
def test_operators_of_mongodb_itself_are_refused(key: str) -> None:
    places: list[list[dict[str, Any]]] = [[{key: {}}], [{"$project": {"a": {key: 1}}}]]
    for stages in places:
        with pytest.raises(PipelineRefusedError, match="belongs to MongoDB itself") as refused:
            inspect_pipeline(stages)
        assert refused.value.status == 403


NOT_CONSTANT: list[Any] = [{"$var": "x"}, {"$var": ["x", "pages"]}, {"$arg": "x"}, "$field", {"db": "d", "x": "y"}, 5]
NOT_CONSTANT += [None, ["pages"], {"db": {"$var": "x"}, "coll": "y"}, {"db": "d", "coll": {"$var": "x"}}, True]


@pytest.mark.parametrize("name", NOT_CONSTANT)
@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda name: {"$lookup": {"from": name}}, id="lookup"),
        pytest.param(lambda name: {"$graphLookup": {"from": name}}, id="graph"),
        pytest.param(lambda name: {"$unionWith": {"coll": name}}, id="union"),
        pytest.param(lambda name: {"$out": name}, id="out"),
        pytest.param(lambda name: {"$merge": {"into": name}}, id="merge"),
        pytest.param(lambda name: {"$facet": {"a": [{"$lookup": {"from": name}}]}}, id="facet"),
        pytest.param(lambda name: {"$ifvar": ["x", {"$lookup": {"from": name}}]}, id="optional"),
        pytest.param(lambda name: {"$ifvar": ["x", {"$match": {}}, {"$lookup": {"from": name}}]}, id="otherwise"),
    ],
)
def test_names_are_constant_strings(name: Any, build: Any) -> None:
    with pytest.raises(PipelineNameError) as refused:
        inspect_pipeline([build(name)], placeholders=VARIABLES)

    assert refused.value.status == 400


@pytest.mark.parametrize(
    "stage",
    [
        *[{"$unionWith": {"$var": "x"}}, {"$merge": {"$var": "x"}}, {"$lookup": {"$var": "x"}}],
        *[{"$graphLookup": {"$var": ["x", {"from": "y"}]}}, {"$facet": {"$var": "x"}}, {"$out": {"$var": "x"}}],
    ],
)
def test_a_whole_stage_that_names_collections_is_constant(stage: dict[str, Any]) -> None:
    with pytest.raises(PipelineNameError):
        inspect_pipeline([stage], placeholders=VARIABLES)


def test_what_stands_behind_placeholders_is_inspected() -> None:
    stages: list[dict[str, Any]] = [
        {"$ifvar": [["a", "b"], {"$unionWith": "one"}, {"$unionWith": "two"}]},
        {"$var": ["stage", {"$unionWith": "three"}]},
        {"$facet": {"x": {"$var": ["pipeline", [{"$unionWith": "four"}]]}}},
        {"$match": {"$var": "match"}},
        {"$sort": {"$var": ["sort", {"_id": -1}]}},
    ]

    found = inspect_pipeline(stages, placeholders=VARIABLES)

    assert [touch.collection for touch in found] == ["one", "two", "three", "four"]
    assert found[1].location == "pipeline[0].$ifvar[2].$unionWith"


@pytest.mark.parametrize(
    "stages",
    [
        pytest.param({"$match": {}}, id="object"),
        pytest.param("pages", id="text"),
        pytest.param(None, id="null"),
        pytest.param(["pages"], id="stage-is-text"),
        pytest.param([None], id="stage-is-null"),
        pytest.param([[]], id="stage-is-array"),
        pytest.param([{}], id="empty-stage"),
        pytest.param([{"$match": {}, "$out": "x"}], id="two-members"),
        pytest.param([{"match": {}}], id="no-dollar"),
        pytest.param([{"$mtach": {}}], id="misspelt"),
        pytest.param([{"$LOOKUP": {"from": "x"}}], id="wrong-case"),
        pytest.param([{"$var": "x"}], id="variable-left-over"),
        pytest.param([{"$lookup": "x"}], id="lookup-text"),
        pytest.param([{"$lookup": {"from": "x", "pipeline": {}}}], id="nested-object"),
        pytest.param([{"$facet": []}], id="facet-array"),
        pytest.param([{"$facet": {"a": {"$match": {}}}}], id="facet-of-object"),
        pytest.param([{"$graphLookup": {}}], id="graph-without-from"),
        pytest.param([{"$merge": {}}], id="merge-without-into"),
        pytest.param([{"$merge": 5}], id="merge-number"),
        pytest.param([{"$unionWith": []}], id="union-array"),
        pytest.param([{"$unionWith": {"db": "x"}}], id="union-without-collection"),
        pytest.param([{"$lookup": {"from": {"coll": "x"}}}], id="half-a-place"),
        pytest.param([{"$out": {"db": "x"}}], id="half-a-target"),
        pytest.param([{"$lookup": {"from": ""}}], id="empty-name"),
        pytest.param([{"$out": "a\0b"}], id="nul"),
        pytest.param([{"$rankFusion": {}}], id="fusion-without-input"),
        pytest.param([{"$match": {5: 1}}], id="name-is-no-text"),
    ],
)
def test_what_is_no_pipeline_is_malformed(stages: Any) -> None:
    with pytest.raises(PipelineMalformedError) as refused:
        inspect_pipeline(stages)

    assert refused.value.status == 422
    assert refused.value.message.startswith("malformed aggregation pipeline: ")


def test_depth_is_bounded() -> None:
    def nested(levels: int) -> list[dict[str, Any]]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return [{"$match": {"a": value}}]

    assert inspect_pipeline(nested(MAX_DEPTH - 3)) == ()
    with pytest.raises(PipelineMalformedError, match=f"more than {MAX_DEPTH} levels"):
        inspect_pipeline(nested(MAX_DEPTH - 2))
    with pytest.raises(PipelineMalformedError):
        inspect_pipeline(nested(100_000))


def test_pipelines_nested_up_to_the_limit_are_walked() -> None:
    stages: list[dict[str, Any]] = [{"$unionWith": "deep"}]
    for _ in range(24):
        stages = [{"$lookup": {"from": "x", "pipeline": stages}}]

    assert inspect_pipeline(stages)[-1].collection == "deep"
    for _ in range(10):
        stages = [{"$facet": {"a": stages}}]
    with pytest.raises(PipelineMalformedError):
        inspect_pipeline(stages)


def test_names_in_messages_are_cut() -> None:
    with pytest.raises(PipelineMalformedError) as refused:
        inspect_pipeline([{"$" + "x" * 10_000: 1}])

    assert len(refused.value.message) < 400


# --- properties ----------------------------------------------------------------------------------------------------

NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc$.", max_size=6), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def pipelines(draw: st.DrawFn, depth: int = 0) -> tuple[list[dict[str, Any]], list[str]]:
    """Build a legal pipeline and the names that it touches, in order."""
    stages: list[dict[str, Any]] = []
    names: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["match", "lookup", "graph", "union", "unions", "facet"]))
        inner: list[dict[str, Any]] = []
        below: list[str] = []
        if depth < 3 and kind in {"lookup", "unions", "facet"}:
            inner, below = draw(pipelines(depth=depth + 1))
        name = draw(NAMES)
        match kind:
            case "match":
                stages.append({"$match": {"a": {"$gt": draw(st.integers())}}})
            case "lookup":
                stages.append({"$lookup": {"from": name, "pipeline": inner, "as": "x"}})
                names += [name, *below]
            case "graph":
                stages.append({"$graphLookup": {"from": name, "startWith": "$a"}})
                names.append(name)
            case "union":
                stages.append({"$unionWith": name})
                names.append(name)
            case "unions":
                stages.append({"$unionWith": {"coll": name, "pipeline": inner}})
                names += [name, *below]
            case "facet":
                stages.append({"$facet": {"a": inner}})
                names += below
    return stages, names


@given(pipelines())
def test_every_collection_of_a_pipeline_is_told(built: tuple[list[dict[str, Any]], list[str]]) -> None:
    stages, names = built

    assert [touch.collection for touch in inspect_pipeline(stages)] == names


@given(VALUES, st.sampled_from(["$where", "$FUNCTION", "$accumulator"]), st.data())
def test_no_place_hides_javascript(value: Any, operator: str, data: st.DataObject) -> None:
    hidden: Any = {operator: value}
    for _ in range(data.draw(st.integers(0, 6))):
        others = data.draw(st.lists(VALUES, max_size=2))
        hidden = data.draw(st.sampled_from([{"a": hidden}, [*others, hidden], {"b": others, "$c": hidden}]))

    with pytest.raises(PipelineRefusedError):
        inspect_pipeline([{"$match": hidden}])


@given(st.lists(VALUES, max_size=4) | VALUES)
def test_anything_gets_an_answer_or_a_refusal(stages: Any) -> None:
    """Whatever a client sends: a tuple of touches, or one of our errors."""
    found: Any = ()
    status = 200
    try:
        found = inspect_pipeline(stages, placeholders=VARIABLES)
    except PipelineRefusedError as refused:
        status = refused.status

    assert isinstance(found, tuple)
    assert status in {200, 400, 403, 422}


# --- against MongoDB itself ----------------------------------------------------------------------------------------


async def test_every_stage_that_mongodb_knows_is_classified(mongo: EmbeddedMongo) -> None:
    """A stage that a newer MongoDB brings must be looked at before it passes."""
    store = Store.open(mongo.uri)
    client = store.open_client()
    try:
        status = await client.client.admin.command("serverStatus")
    finally:
        await client.close()
        await store.close()
    known = status["metrics"]["aggStageCounters"]
    assert {"$lookup", "$match", "$merge"} <= set(known)

    unknown = []
    for stage in known:
        try:
            inspect_pipeline([{stage: {}}])
        except PipelineMalformedError as refused:
            if "Unrecognized" in refused.message:
                unknown.append(stage)
        except PipelineRefusedError:
            pass

    assert unknown == []
