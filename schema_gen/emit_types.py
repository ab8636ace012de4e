"""The types of a project as Strawberry classes, and the SDL that Strawberry prints of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import strawberry
from strawberry.types.field import StrawberryField

from schema_gen.descriptions import describe_field, tidy
from schema_gen.named import NamedForm, NamedModel, NamedType, SchemaUnion
from schema_gen.root_fields import root_fields
from schema_gen.scalars import BUILT_IN_SCALARS, BsonDocument, printing_config, without_scalars
from schema_gen.vocabulary import Vocabulary, nullable

__all__ = ["PrintedSchema", "print_types"]

_IMPLEMENTORS: Final = ("UnknownPage", "UnknownDataset", "UnknownGCAPage")


@dataclass(frozen=True, slots=True)
class PrintedSchema:
    """An SDL without the built-in scalars, and the types that it declares, apart from scalars."""

    sdl: str
    types: frozenset[str]


def print_types(named: NamedModel) -> PrintedSchema:
    """Make all types of a project and print them."""
    vocabulary = _make_types(named)
    implementors = (
        *_IMPLEMENTORS,
        *(made.name for made in chain(named.pages, named.datasets, named.gca_pages)),
    )
    schema = strawberry.Schema(
        query=vocabulary["Query"], types=[vocabulary[name] for name in implementors], config=printing_config()
    )
    sdl = without_scalars(schema.as_str())
    names = (name for name in vocabulary if name not in BUILT_IN_SCALARS and schema.get_type_by_name(name))
    return PrintedSchema(sdl=f"{sdl}\n", types=frozenset(names))


def _make_types(named: NamedModel) -> Vocabulary:
    vocabulary = Vocabulary()
    for union in named.unions:
        _add_variants(vocabulary, union)
    for form in named.forms:
        vocabulary.add_type(form.name, _form_fields(vocabulary, form), description=f"The form of {form.title}.")
    if named.metadata and named.metadata.fields:
        vocabulary.fill("MetaFormData", named.metadata.name)
    else:
        vocabulary.fill("MetaFormData", "BsonDocument")
    settings = named.settings
    vocabulary.fill("SettingsFormData", settings.name if settings and settings.fields else "JSON")
    _add_resolutions(vocabulary, named)
    _add_places(vocabulary, named)
    _add_unions(vocabulary, named)
    vocabulary.close()
    query = root_fields(named, vocabulary)
    vocabulary.add_type("Query", query, description="The content of the project, ready to be asked for.")
    return vocabulary


def _optional(type_: Any, *, name: str, description: str) -> StrawberryField:
    made: StrawberryField = strawberry.field(name=name, graphql_type=nullable(type_), description=description)
    return made


def _form_fields(vocabulary: Vocabulary, form: NamedForm) -> Iterator[StrawberryField]:
    for field in form.fields:
        text = describe_field(field.source, renamed=field.name != field.source.name)
        yield _optional(vocabulary[field.type_name], name=field.name, description=text)


def _add_resolutions(vocabulary: Vocabulary, named: NamedModel) -> None:
    fields = (
        _optional(
            vocabulary["ResolutionMetaData"],
            name=resolution.name,
            description=f"The picture in the resolution {tidy(resolution.source)}.",
        )
        for resolution in named.resolutions
    )
    vocabulary.add_type("ResolutionsMetaData", fields, description="The picture in each of the project's resolutions.")


def _add_variants(vocabulary: Vocabulary, union: SchemaUnion) -> None:
    """Make the field types that admit the datasets of one schema only."""
    schema = tidy(union.schema)
    for field_type in union.used_for:
        value_type = {"DatasetField": "DatasetFieldValue", "DatasetIndexField": "DatasetIndexRecord"}[field_type]
        bound_field, bound_value = union.bound_types(field_type)
        vocabulary.add_variant(
            bound_value,
            of=value_type,
            description=f"An entry that leads to a dataset of the schema {schema}.",
            places={"Dataset": union.name},
        )
        vocabulary.add_variant(
            bound_field,
            of=field_type,
            description=f"A field with datasets of the schema {schema}.",
            places={value_type: bound_value},
        )


def _add_places(vocabulary: Vocabulary, named: NamedModel) -> None:
    """Make the types that templates have as pages, sections, links, datasets, GCA pages and cards."""
    places: tuple[tuple[Sequence[NamedType], str, str], ...] = (
        (named.pages, "Page", "Pages"),
        (named.sections, "SectionFields", "Sections"),
        (named.links, "LinkFields", "Links"),
        (named.datasets, "Dataset", "Datasets"),
        (named.gca_pages, "GCAPage", "Pages of the global content area"),
        (named.cards, "CardFields", "Cards"),
    )
    for types, base, what in places:
        for made in types:
            form = vocabulary[made.form.name] if made.form.fields else BsonDocument
            fields = [_optional(form, name="formData", description="The form that editors fill in.")]
            vocabulary.add_type(made.name, fields, description=f"{what} made from {made.title}.", base=base)


def _add_unions(vocabulary: Vocabulary, named: NamedModel) -> None:
    datasets = [made.name for made in named.datasets]
    vocabulary.add_union("BodyContent", ["Content2Section", *(made.name for made in named.sections), "UnknownSection"])
    vocabulary.add_union("Link", [*(made.name for made in named.links), "UnknownLink"])
    vocabulary.add_union("CatalogCard", [*(made.name for made in named.cards), "UnknownCard"])
    vocabulary.add_union("Routed", ["PageRef", *datasets, "UnknownDataset"])
    for union in named.unions:
        members = [*(made.name for made in union.members), "UnknownDataset"]
        text = f"A dataset of the schema {tidy(union.schema)}."
        vocabulary.add_union(union.name, members, description=text)
