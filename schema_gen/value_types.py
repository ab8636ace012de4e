"""The small shared types inside documents: locale, template, references, picture data.

The classes are ordinary Strawberry types; field names are those of the JSON documents.
"""
# ruff: noqa: N815 - the names are those of the documents

from __future__ import annotations

import strawberry
from strawberry import field

from schema_gen.scalars import JSON

__all__ = [
    "ChangeInfo",
    "DatasetTarget",
    "FileMetaData",
    "FragmentMetaData",
    "Lifespan",
    "Locale",
    "Ordering",
    "Reference",
    "ResolutionMetaData",
    "ResolutionsMetaData",
    "Route",
    "Template",
]


@strawberry.type(description="The language and country that a document is written for.")
class Locale:
    """``{"identifier": "EN", "country": "GB", "language": "en"}``."""

    identifier: str | None = field(description="The project's abbreviation of the language, such as EN.")
    country: str | None = field(description="ISO 3166 code of the country, such as GB; may be empty.")
    language: str | None = field(description="ISO 639 code of the language, such as en.")


@strawberry.type(description="The FirstSpirit template that a piece of content was made from.")
class Template:
    """Every page, section, card, link and dataset carries one; ``uid`` decides its GraphQL type."""

    fsType: str | None = field(description="PageTemplate, SectionTemplate, LinkTemplate or TableTemplate.")
    name: str | None = field(description="The display name, for link templates the uid.")
    displayName: str | None = field(description="The name that editors see.")
    identifier: str | None = field(description="The template's GID.")
    uid: str | None = field(description="The template's reference name.")
    uidType: str | None = field(description="The name space of the uid, such as TEMPLATESTORE.")


@strawberry.type(description="When the element was last changed and written.")
class ChangeInfo:
    """Absent in old documents."""

    date: str | None = field(description="Date of the last change, ISO 8601 in UTC.")
    revision: int | None = field(description="FirstSpirit revision of the last change.")
    lastSynced: JSON | None = field(description="When this document was written, in milliseconds since 1970.")


@strawberry.type(description="One address at which a dataset is shown.")
class Route:
    """One per page reference that projects the dataset."""

    pageRef: str | None = field(description="GID of the page reference that shows the dataset.")
    route: str | None = field(description="The address, with a leading slash.")


@strawberry.type(description="The time in which a section is shown.")
class Lifespan:
    """Absent for sections without a schedule."""

    start: str | None = field(description="First moment, ISO 8601.")
    end: str | None = field(description="Last moment, ISO 8601; null means without an end.")


@strawberry.type(description="Where a document of a fragment project belongs.")
class FragmentMetaData:
    """Only in projects that manage fragments."""

    id: str | None = field(description="Id of the fragment.")
    type: str | None = field(description="Type of the fragment.")


@strawberry.type(description="One picture in one resolution.")
class ResolutionMetaData:
    """An entry of ``resolutionsMetaData``, also the ``pictureMetaData`` of image maps."""

    fileSize: int | None = field(description="Size in bytes.")
    extension: str | None = field(description="File name extension without the dot.")
    mimeType: str | None = field(description="Media type, such as image/jpeg.")
    width: int | None = field(description="Width in pixels.")
    height: int | None = field(description="Height in pixels.")
    url: str | None = field(description="Address of the binary.")
    seoRoute: str | None = field(description="Address in the site's own form, where the project makes one.")


@strawberry.type(description="The picture in each of the project's resolutions.")
class ResolutionsMetaData:
    """Replaced by a type with the project's own resolutions."""

    ORIGINAL: ResolutionMetaData | None = field(description="The picture as it was uploaded.")


@strawberry.type(description="Data of a file that is no picture.")
class FileMetaData:
    """Only on media of type FILE."""

    fileSize: int | None = field(description="Size in bytes.")
    extension: str | None = field(description="File name extension without the dot.")
    mimeType: str | None = field(description="Media type, such as application/pdf.")
    encoding: str | None = field(description="Character encoding, where it is known.")


@strawberry.type(description="A reference as it is stored: where it points, without the target's data.")
class Reference:
    """The raw value of ``FS_REFERENCE`` and the media of an image map."""

    fsType: str | None = field(description="Kind of the target: Media, PageRef, GCAPage or another element.")
    name: str | None = field(description="Name of the target.")
    displayName: str | None = field(description="Name of the target for editors; in image maps only.")
    identifier: str | None = field(description="GID of the target; null in a broken reference.")
    uid: str | None = field(description="Reference name of the target.")
    uidType: str | None = field(description="The name space of the uid.")
    mediaType: str | None = field(description="PICTURE or FILE, for media.")
    url: str | None = field(description="REST address of the target's document.")
    remoteProject: str | None = field(description="Set when the target lies in another project.")
    brokenReference: bool | None = field(description="True when the target does not exist any more.")
    section: JSON | None = field(description="The section of the target page, where one is addressed.")
    pictureMetaData: ResolutionMetaData | None = field(description="Data of the picture; in image maps only.")


@strawberry.type(description="A reference to a dataset as it is stored.")
class DatasetTarget:
    """The raw ``target`` of a ``DatasetReference``."""

    fsType: str | None = field(description="Always Dataset.")
    schema: str | None = field(description="Uid of the database schema.")
    entityType: str | None = field(description="Name of the table.")
    identifier: str | None = field(description="GID of the dataset.")


@strawberry.type(description="One sort criterion of a content projection.")
class Ordering:
    """Attributes are those of the database, not fields of the form."""

    attribute: str | None = field(description="Database attribute.")
    ascending: bool | None = field(description="False for descending order.")
