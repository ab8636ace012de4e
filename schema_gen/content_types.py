"""The shared content types: page references, pages, bodies, sections, datasets, media, settings.

The classes are ordinary Strawberry types, together the schema of a project without a single template. For a project,
each is made anew with the project's own unions and forms in the open places (:mod:`schema_gen.vocabulary`). All fields
may be null: documents of different module versions lack attributes, and equal nullability lets fragments be merged.
"""
# ruff: noqa: N815 - the names are those of the documents

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry
from strawberry import field

from schema_gen.scalars import JSON, BsonDocument
from schema_gen.value_types import (
    ChangeInfo,
    FileMetaData,
    FragmentMetaData,
    Lifespan,
    Locale,
    Ordering,
    ResolutionsMetaData,
    Route,
    Template,
)

__all__ = [
    "Body",
    "BodyContent",
    "CardFields",
    "CatalogCard",
    "Content2Section",
    "Dataset",
    "GCAPage",
    "Link",
    "LinkFields",
    "Media",
    "MetaFormData",
    "Page",
    "PageRef",
    "ProjectProperties",
    "ReferenceTarget",
    "Routed",
    "SectionFields",
    "SettingsFormData",
    "UnknownCard",
    "UnknownDataset",
    "UnknownGCAPage",
    "UnknownLink",
    "UnknownPage",
    "UnknownSection",
]

MetaFormData: TypeAlias = BsonDocument
"""Open place: the form of the project's metadata template."""

SettingsFormData: TypeAlias = JSON
"""Open place: the form of the project's settings template."""

_ID = "Id of the document: the GID, a dot and the locale, such as en_GB."
_FS_TYPE = "Kind of the element in FirstSpirit."
_IDENTIFIER = "GID of the element; the same in all languages and in both states."
_NAME = "Name of the element."
_DISPLAY_NAME = "Name of the element for editors, in the document's language."
_UID = "Reference name of the element."
_UID_TYPE = "The name space of the uid."
_TEMPLATE = "The template that it was made from."
_META = "The metadata that editors entered."
_CHANGE = "When it was last changed."
_LOCALE = "The language and country of this document."
_RAW_FORM = "The form data as a plain document: the template was unknown when this schema was made."


@strawberry.type(description="A page as it stands in the site structure: the document of one page in one language.")
class PageRef:
    """The root document of a page."""

    _id: str | None = field(description=_ID)
    fsType: str | None = field(description=_FS_TYPE)
    identifier: str | None = field(description=_IDENTIFIER)
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    uid: str | None = field(description=_UID)
    uidType: str | None = field(description=_UID_TYPE)
    url: str | None = field(description="Address of older documents; newer ones have route only.")
    route: str | None = field(description="Address of the page, with a leading slash.")
    locale: Locale | None = field(description=_LOCALE)
    changeInfo: ChangeInfo | None = field(description=_CHANGE)
    fragmentMetaData: FragmentMetaData | None = field(description="Only in fragment projects.")
    metaFormData: MetaFormData | None = field(description=_META)
    page: Page | None = field(description="The page itself; its type tells the page template.")


@strawberry.interface(description="A page; ask for the fields of its form with a fragment on the page template's type.")
class Page:
    """One implementor per page template."""

    fsType: str | None = field(description=_FS_TYPE)
    identifier: str | None = field(description="GID of the page, which is not that of the page reference.")
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    uid: str | None = field(description=_UID)
    uidType: str | None = field(description=_UID_TYPE)
    template: Template | None = field(description=_TEMPLATE)
    metaFormData: MetaFormData | None = field(description=_META)
    children: list[Body | None] | None = field(description="The content areas, in the order of the page template.")


@strawberry.type(description="A page whose template was unknown when this schema was made.")
class UnknownPage(Page):
    """Catches pages of newer templates."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


@strawberry.type(description="A content area of a page.")
class Body:
    """``Body`` in pages, ``GCABody`` in GCA pages."""

    fsType: str | None = field(description="Body, or GCABody in a GCA page.")
    name: str | None = field(description="Name of the content area in the page template.")
    identifier: str | None = field(description="GID of the content area of this page.")
    children: list[BodyContent | None] | None = field(description="The sections, in their order.")


@strawberry.type(description="What all sections have in common.")
class SectionFields:
    """The base of the section types; no type of its own in any schema."""

    fsType: str | None = field(description="Section, SectionReference or GCASection.")
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    identifier: str | None = field(description=_IDENTIFIER)
    displayed: bool | None = field(description="False for a hidden section; always null in release.")
    lifespan: Lifespan | None = field(description="When the section is shown; null for always.")
    template: Template | None = field(description=_TEMPLATE)


@strawberry.type(description="A section whose template was unknown when this schema was made.")
class UnknownSection(SectionFields):
    """Catches sections of newer templates."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


def _projection(
    skip: Annotated[int | None, strawberry.argument(description="How many datasets to leave out first.")] = 0,
    limit: Annotated[int | None, strawberry.argument(description="How many datasets to give at most.")] = 20,
) -> None:
    """Name the arguments of a projection; generated types are printed, never executed."""


@strawberry.type(description="A content projection: a place in a body where datasets of one table are shown.")
class Content2Section:
    """Holds the query, not the datasets; ``datasets`` looks them up."""

    fsType: str | None = field(description="Always Content2Section.")
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    identifier: str | None = field(description=_IDENTIFIER)
    displayed: bool | None = field(description="False for a hidden section; always null in release.")
    lifespan: Lifespan | None = field(description="When the section is shown; null for always.")
    schema: str | None = field(description="Uid of the database schema.")
    entityType: str | None = field(description="Name of the table.")
    template: Template | None = field(description="The table template that the datasets are shown with.")
    query: str | None = field(description="Uid of a FirstSpirit query; not evaluated here.")
    filterParams: BsonDocument | None = field(description="Parameters of the query; not evaluated here.")
    ordering: list[Ordering | None] | None = field(description="FirstSpirit's sort criteria; not evaluated here.")
    recordCountPerPage: int | None = field(description="How many datasets a page shows.")
    maxPageCount: int | None = field(description="How many pages are shown at most; 0 for all.")
    datasets: list[Dataset | None] | None = field(
        resolver=_projection,
        description="All datasets of the table in the root document's language, sorted by _id.",
    )


BodyContent = Annotated[
    Content2Section | UnknownSection,
    strawberry.union("BodyContent", description="Whatever can stand in a content area."),
]
"""Open place: the project's section types."""


@strawberry.interface(description="A row of a table; ask for the fields of its form with a fragment on its type.")
class Dataset:
    """One implementor per table template."""

    _id: str | None = field(description=_ID)
    fsType: str | None = field(description="Always Dataset.")
    identifier: str | None = field(description="GID of the dataset; the same in all languages and in both states.")
    displayName: str | None = field(description="Preview title of the dataset.")
    schema: str | None = field(description="Uid of the database schema.")
    entityType: str | None = field(description="Name of the table.")
    template: Template | None = field(description=_TEMPLATE)
    route: str | None = field(description="First address of the dataset; empty where no page shows it.")
    routes: list[Route | None] | None = field(description="The addresses of the dataset, one per page that shows it.")
    locale: Locale | None = field(description=_LOCALE)
    changeInfo: ChangeInfo | None = field(description=_CHANGE)


@strawberry.type(description="A dataset whose table template was unknown when this schema was made.")
class UnknownDataset(Dataset):
    """Catches datasets of newer templates."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


@strawberry.type(description="A picture or a file in one language.")
class Media:
    """Pictures have ``resolutionsMetaData``, files ``url`` and ``fileMetaData``."""

    _id: str | None = field(description=_ID)
    fsType: str | None = field(description="Always Media.")
    identifier: str | None = field(description=_IDENTIFIER)
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    uid: str | None = field(description=_UID)
    uidType: str | None = field(description=_UID_TYPE)
    mediaType: str | None = field(description="PICTURE or FILE.")
    fileName: str | None = field(description="File name without its extension.")
    languageDependent: bool | None = field(description="Whether each language has a binary of its own.")
    description: str | None = field(description="The editor's description.")
    url: str | None = field(description="Address of the binary; for files only, pictures have one per resolution.")
    fileMetaData: FileMetaData | None = field(description="Data of the file; null for pictures.")
    resolutionsMetaData: ResolutionsMetaData | None = field(description="The picture by resolution; null for files.")
    metaFormData: MetaFormData | None = field(description=_META)
    locale: Locale | None = field(description=_LOCALE)
    changeInfo: ChangeInfo | None = field(description=_CHANGE)


@strawberry.interface(description="A page of the global content area; ask for its form with a fragment on its type.")
class GCAPage:
    """One implementor per page template that such pages use."""

    _id: str | None = field(description=_ID)
    fsType: str | None = field(description="Always GCAPage.")
    identifier: str | None = field(description=_IDENTIFIER)
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    uid: str | None = field(description=_UID)
    uidType: str | None = field(description=_UID_TYPE)
    template: Template | None = field(description=_TEMPLATE)
    metaFormData: MetaFormData | None = field(description=_META)
    children: list[Body | None] | None = field(description="The content areas, in the order of the page template.")
    locale: Locale | None = field(description=_LOCALE)
    changeInfo: ChangeInfo | None = field(description=_CHANGE)


@strawberry.type(description="A GCA page whose template was not in use when this schema was made.")
class UnknownGCAPage(GCAPage):
    """Catches GCA pages of templates that were not in use yet."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


@strawberry.type(description="The settings of the project in one language.")
class ProjectProperties:
    """One document per language."""

    _id: str | None = field(description="projectsettings, a dot and the locale, such as en_GB.")
    fsType: str | None = field(description="Always ProjectProperties.")
    identifier: str | None = field(description=_IDENTIFIER)
    name: str | None = field(description=_NAME)
    displayName: str | None = field(description=_DISPLAY_NAME)
    template: Template | None = field(description=_TEMPLATE)
    formData: SettingsFormData | None = field(description="The settings that editors entered.")
    metaFormData: MetaFormData | None = field(description=_META)
    projectConfiguration: JSON | None = field(description="Configuration of the project, such as masterLocale.")
    locale: Locale | None = field(description=_LOCALE)
    changeInfo: ChangeInfo | None = field(description=_CHANGE)


@strawberry.type(description="What all links have in common.")
class LinkFields:
    """The base of the link types; no type of its own in any schema."""

    fsType: str | None = field(description="Kind of the value; most links have none.")
    template: Template | None = field(description=_TEMPLATE)
    metaFormData: MetaFormData | None = field(description=_META)


@strawberry.type(description="A link whose template was unknown when this schema was made.")
class UnknownLink(LinkFields):
    """Catches links of newer templates."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


@strawberry.type(description="What all cards have in common.")
class CardFields:
    """The base of the card types; no type of its own in any schema."""

    fsType: str | None = field(description="Always Card.")
    identifier: str | None = field(description="Id of the card.")
    uuid: str | None = field(description="The same id once more.")
    template: Template | None = field(description=_TEMPLATE)


@strawberry.type(description="A card whose template was unknown when this schema was made.")
class UnknownCard(CardFields):
    """Catches cards of newer templates."""

    formData: BsonDocument | None = field(description=_RAW_FORM)


Link = Annotated[UnknownLink, strawberry.union("Link", description="A link; its type tells the link template.")]
"""Open place: the project's link types."""

CatalogCard = Annotated[
    UnknownCard, strawberry.union("CatalogCard", description="A card of a catalog; its type tells the template.")
]
"""Open place: the project's card types."""

ReferenceTarget = Annotated[
    PageRef | Media, strawberry.union("ReferenceTarget", description="What a reference is resolved to.")
]

Routed = Annotated[PageRef | UnknownDataset, strawberry.union("Routed", description="What an address can lead to.")]
"""Open place: the project's dataset types."""
