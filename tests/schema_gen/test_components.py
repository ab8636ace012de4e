import pytest
from graphql import GraphQLObjectType

from schema_gen import FormField
from schema_gen.compare import build_sdl
from schema_gen.components import COMPONENT_TYPES, component_type
from tests.schema_gen.examples import COMPONENTS, DATASET_PLUGIN, all_components, emit


@pytest.mark.parametrize("component", sorted(COMPONENTS))
def test_component_has_its_field_type(component: str) -> None:
    schema = build_sdl(emit(all_components()).sdl)
    expected_type, expected_value = COMPONENTS[component]

    form = schema.type_map["StoryPageFormData"]
    assert isinstance(form, GraphQLObjectType)
    field_type = form.fields[f"x_{component.lower()}"].type
    assert isinstance(field_type, GraphQLObjectType)
    assert expected_type == field_type.name
    assert expected_value == str(field_type.fields["value"].type)
    assert {"fsType": "String", "name": "String"}.items() <= {
        name: str(field.type) for name, field in field_type.fields.items()
    }.items()


def test_every_component_of_the_table_is_tested() -> None:
    assert set(COMPONENT_TYPES) <= set(COMPONENTS)


@pytest.mark.parametrize(
    ("expected", "plugin"),
    [("DatasetIndexField", DATASET_PLUGIN), ("IndexField", "VideoBox/VideoPlugin"), ("IndexField", None)],
)
def test_index_type_depends_on_plugin(expected: str, plugin: str | None) -> None:
    assert expected == component_type(FormField("x", "FS_INDEX", plugin=plugin))


def test_index_types_tell_their_plugin() -> None:
    schema = build_sdl(emit(all_components()).sdl)

    for name in ("IndexField", "DatasetIndexField", "ShopDatasetIndexField"):
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        assert "dapType" in type_.fields
