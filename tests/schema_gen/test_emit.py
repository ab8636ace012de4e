import random
from dataclasses import replace
from typing import Any

import orjson
import pytest
from graphql import validate_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphql_app.schema.build import build_app
from graphql_app.schema.definition import parse_definition
from graphql_app.schema.mappings import Limits
from schema_gen import (
    ContentModel,
    EmissionError,
    FormField,
    Resolution,
    Template,
    TemplateKind,
    TemplateRef,
    emit_definitions,
    render_definition,
)
from schema_gen.compare import build_sdl
from tests.schema_gen.examples import COMPONENTS, DATASET_PLUGIN, all_components, emit, worked_example


def test_definition_names_tenant_project_and_state() -> None:
    definition = emit(worked_example()).definitions["release"]

    assert list(definition) == ["_id", "descriptor", "schema", "mappings"]
    assert definition["_id"] == "acme___7c1e-release-documents"
    assert definition["descriptor"] == {
        "uri": "acme/7c1e-release-documents",
        "description": "Bakery, release: generated from its templates",
        "enabled": True,
    }


def test_states_differ_in_names_and_collection_only() -> None:
    definitions = emit(all_components()).definitions

    preview = render_definition(definitions["preview"])
    assert definitions.keys() == {"preview", "release"}
    assert preview != render_definition(definitions["release"])
    for marked in (b"7c1e-%s-documents", b"7c1e.%s.content", b"7c1e, %s:"):
        preview = preview.replace(marked % b"preview", marked % b"release")
    assert preview == render_definition(definitions["release"])


def test_only_the_wanted_state_is_emitted() -> None:
    emission = emit_definitions(worked_example(), tenant="acme", project="7c1e", states=["release"])

    assert list(emission.definitions) == ["release"]
    assert emission.sdl == emission.definitions["release"]["schema"]


@pytest.mark.parametrize("model", [ContentModel(), worked_example(), all_components()], ids=["empty", "small", "full"])
def test_server_accepts_the_definitions_without_warnings(model: ContentModel) -> None:
    for definition in emit(model).definitions.values():
        parsed = parse_definition(definition, tenant="acme", limits=Limits())
        assert parsed.warnings == ()
        assert build_app(parsed).warnings == ()


def test_definition_is_plain_json() -> None:
    definition = emit(all_components()).definitions["preview"]

    assert orjson.loads(render_definition(definition)) == definition


def test_order_of_the_model_does_not_matter() -> None:
    model = all_components()
    shuffle = random.Random(7)

    def mixed(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(shuffle.sample(values, len(values)))

    other = replace(
        model,
        page_templates=mixed(tuple(replace(page, fields=mixed(page.fields)) for page in model.page_templates)),
        section_templates=mixed(model.section_templates),
        table_templates=mixed(model.table_templates),
        gca_templates=mixed((*model.gca_templates, *model.gca_templates)),
    )

    assert _bytes(model) == _bytes(other)


def _bytes(model: ContentModel) -> list[bytes]:
    return [render_definition(definition) for definition in emit(model).definitions.values()]


@pytest.mark.parametrize(
    ("tenant", "project"), [("", "p"), ("a___b", "p"), ("a", ""), ("a/b", "p"), ("a", "p p"), ("a", "ä")]
)
def test_names_that_make_no_address_are_refused(tenant: str, project: str) -> None:
    with pytest.raises(EmissionError, match="make no name for an application"):
        emit_definitions(ContentModel(), tenant=tenant, project=project)


def test_definition_too_large_to_be_stored_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schema_gen.emit._LARGEST", 10_000)

    with pytest.raises(EmissionError, match="at most 16 MiB"):
        emit(worked_example())


def test_five_hundred_templates_stay_far_below_the_limit() -> None:
    components = tuple(FormField(f"x_{tag.lower()}", tag, label="A label") for tag in list(COMPONENTS)[:12])

    def templates(kind: TemplateKind, number: int) -> tuple[Template, ...]:
        return tuple(Template(kind, f"{kind.value}.{index:03}", fields=components) for index in range(number))

    emission = emit(
        ContentModel(
            page_templates=templates(TemplateKind.PAGE, 125),
            section_templates=templates(TemplateKind.SECTION, 225),
            link_templates=templates(TemplateKind.LINK, 50),
            table_templates=templates(TemplateKind.TABLE, 100),
            gca_templates=tuple(f"page.{index:03}" for index in range(125)),
        )
    )

    assert emission.report.types > 1000
    assert all(len(render_definition(definition)) < 4 * 1024 * 1024 for definition in emission.definitions.values())


NAMES = st.one_of(
    st.sampled_from(["a", "A", "a-b", "a_b", "a b", "landing", "GCA", "unknown", "content2", "shop.product", "__x"]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
)
FIELDS = st.builds(
    FormField,
    name=st.one_of(NAMES, st.sampled_from(["class", "_id", "16x9", "None"])),
    component=st.sampled_from([*COMPONENTS, "FOREIGN"]),
    label=st.text(max_size=10),
    plugin=st.sampled_from([None, DATASET_PLUGIN, "A/B"]),
    templates=st.lists(
        st.builds(TemplateRef, kind=st.sampled_from(["page", "section", "link", "table"]), uid=NAMES), max_size=2
    ).map(tuple),
)


def _templates(kind: TemplateKind) -> st.SearchStrategy[tuple[Template, ...]]:
    templates = st.builds(
        Template,
        kind=st.just(kind),
        uid=NAMES,
        display_names=st.lists(st.tuples(NAMES, st.text(max_size=8)), max_size=2).map(tuple),
        fields=st.lists(FIELDS, max_size=4).map(tuple),
        schema=st.none() | NAMES,
        entity_type=st.none() | NAMES,
    )
    return st.lists(templates, max_size=3, unique_by=lambda template: template.uid).map(tuple)


MODELS = st.builds(
    ContentModel,
    page_templates=_templates(TemplateKind.PAGE),
    section_templates=_templates(TemplateKind.SECTION),
    link_templates=_templates(TemplateKind.LINK),
    table_templates=_templates(TemplateKind.TABLE),
    resolutions=st.lists(st.builds(Resolution, NAMES), max_size=3).map(tuple),
    settings_template=st.none() | NAMES,
    metadata_template=st.none() | NAMES,
    gca_templates=st.lists(NAMES, max_size=2).map(tuple),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(MODELS)
def test_any_model_gives_a_definition_that_the_server_accepts(model: ContentModel) -> None:
    """Valid SDL, complete type resolvers, predicates that parse, mappings of existing fields only."""
    emission = emit(model)

    assert validate_schema(build_sdl(emission.sdl)) == []
    for definition in emission.definitions.values():
        parsed = parse_definition(definition, tenant="acme", limits=Limits())
        assert parsed.warnings == ()
        build_app(parsed)
