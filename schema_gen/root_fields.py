"""The fields of ``Query``: their names, arguments and descriptions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

import strawberry
from strawberry import UNSET
from strawberry.types.field import StrawberryField

from schema_gen.named import NamedModel
from schema_gen.scalars import BsonDocument
from schema_gen.vocabulary import Vocabulary, list_of, nullable

__all__ = ["COLLECTION_FIELDS", "LOOKUP_FIELDS", "ROUTE_FIELD", "RootField", "root_fields"]


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field that every project has."""

    name: str
    type_name: str
    fs_type: str
    description: str


COLLECTION_FIELDS: Final = (
    RootField("pageRefs", "PageRef", "PageRef", "The pages of the site, one document per language."),
    RootField("datasets", "Dataset", "Dataset", "The datasets of all tables, one document per language."),
    RootField("medias", "Media", "Media", "The pictures and files, one document per language."),
    RootField("projectProperties", "ProjectProperties", "ProjectProperties", "The project's settings, by language."),
    RootField("gcaPages", "GCAPage", "GCAPage", "The pages of the global content area, one document per language."),
)

LOOKUP_FIELDS: Final = (
    RootField("pageRef", "PageRef", "PageRef", "One page by the id of its document."),
    RootField("dataset", "Dataset", "Dataset", "One dataset by the id of its document."),
    RootField("media", "Media", "Media", "One picture or file by the id of its document."),
)

ROUTE_FIELD: Final = "byRoute"


def _listing_arguments(
    where: Annotated[
        BsonDocument | None,
        strawberry.argument(
            name="filter", description="MongoDB filter on the documents, as for REST; give it as a variable."
        ),
    ] = UNSET,
    sort: Annotated[
        BsonDocument | None,
        strawberry.argument(description="MongoDB sort document, as for REST; give it as a variable. By _id if absent."),
    ] = UNSET,
    skip: Annotated[int | None, strawberry.argument(description="How many documents to leave out first.")] = 0,
    limit: Annotated[int | None, strawberry.argument(description="How many documents to give at most.")] = 20,
) -> None:
    """Name the arguments of a collection field; generated types are printed, never executed."""


def _lookup_arguments(
    id: Annotated[  # noqa: A002 - the argument's name in the API
        str, strawberry.argument(description="The document's _id, such as <GID>.en_GB.")
    ],
) -> None:
    """Name the argument of a lookup."""


def _route_arguments(
    route: Annotated[str, strawberry.argument(description="The address, as it stands in route or routes.")],
) -> None:
    """Name the argument of the lookup by address."""


def _listing(name: str, item: Any, description: str) -> StrawberryField:
    return _single(name, list_of(item), description, _listing_arguments)


def _single(name: str, type_: Any, description: str, arguments: Callable[..., Any]) -> StrawberryField:
    made: StrawberryField = strawberry.field(
        resolver=arguments, name=name, graphql_type=nullable(type_), description=description
    )
    return made


def root_fields(named: NamedModel, vocabulary: Vocabulary) -> Iterator[StrawberryField]:
    """Make the fields of ``Query``, the general ones first, then those per template."""
    for field in COLLECTION_FIELDS:
        yield _listing(field.name, vocabulary[field.type_name], field.description)
    for field in LOOKUP_FIELDS:
        yield _single(field.name, vocabulary[field.type_name], field.description, _lookup_arguments)
    text = "The page or dataset at an address; the first by _id where several have it."
    yield _single(ROUTE_FIELD, vocabulary["Routed"], text, _route_arguments)
    for page in named.pages:
        text = f"The pages of the {page.title}."
        yield _listing(f"pageRefs_{page.name}", vocabulary["PageRef"], text)
    for dataset in named.datasets:
        text = f"The datasets of the {dataset.title}."
        yield _listing(f"datasets_{dataset.name}", vocabulary[dataset.name], text)
    for page in named.gca_pages:
        text = f"The pages of the global content area of the {page.title}."
        yield _listing(f"gcaPages_{page.name}", vocabulary[page.name], text)
