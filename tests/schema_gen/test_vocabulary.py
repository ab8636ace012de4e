import strawberry

from schema_gen.content_types import Body, Page
from schema_gen.scalars import printing_config
from schema_gen.vocabulary import Vocabulary, list_of, nullable


def test_shared_types_are_copied_per_vocabulary() -> None:
    one, two = Vocabulary(), Vocabulary()

    assert len({Body, one["Body"], two["Body"]}) == 3


def test_implementors_follow_the_copied_interface() -> None:
    vocabulary = Vocabulary()

    assert issubclass(vocabulary["UnknownPage"], vocabulary["Page"])
    assert not issubclass(vocabulary["UnknownPage"], Page)


def test_variant_differs_in_its_places_only() -> None:
    vocabulary = Vocabulary()
    vocabulary.add_variant("AreaLink", of="ImageMapPoint", description="A copy.", places={})
    vocabulary.add_variant("Map", of="ImageMapArea", description="A map.", places={"ImageMapPoint": "AreaLink"})
    vocabulary.add_union("Link", ["UnknownLink"])
    vocabulary.fill("MetaFormData", "JSON")
    vocabulary.close()
    areas = strawberry.field(name="areas", graphql_type=nullable(list_of(vocabulary["Map"])))
    vocabulary.add_type("Query", [areas], description="Root.")

    sdl = strawberry.Schema(vocabulary["Query"], config=printing_config()).as_str()

    assert "center: AreaLink" in sdl
    assert "points: [AreaLink]" in sdl
    assert "radius: Int" in sdl
    assert "ImageMapPoint" not in sdl
