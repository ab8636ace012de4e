"""The input components of forms: which shared type each becomes, and those types as ordinary Strawberry classes."""
# ruff: noqa: N815 - the names are those of the documents

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import strawberry
from strawberry import field

from schema_gen.content_types import CatalogCard, Dataset, Link, Media, ReferenceTarget
from schema_gen.model import FormField
from schema_gen.scalars import JSON
from schema_gen.value_types import DatasetTarget, Reference

__all__ = [
    "COMPONENT_TYPES",
    "CatalogField",
    "DatasetField",
    "DatasetFieldValue",
    "DatasetIndexField",
    "DatasetIndexRecord",
    "DateField",
    "ImageMap",
    "ImageMapArea",
    "ImageMapField",
    "ImageMapPoint",
    "ImageMapResolution",
    "IndexField",
    "IndexRecord",
    "LinkField",
    "NumberField",
    "Option",
    "OptionField",
    "OptionListField",
    "PermissionActivity",
    "PermissionField",
    "PermissionGroup",
    "RawField",
    "ReferenceField",
    "TextField",
    "ToggleField",
    "component_type",
    "value_shape",
]

COMPONENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CMS_INPUT_CHECKBOX": "OptionListField",
        "CMS_INPUT_COMBOBOX": "OptionField",
        "CMS_INPUT_DATE": "DateField",
        "CMS_INPUT_DOM": "TextField",
        "CMS_INPUT_DOMTABLE": "TextField",
        "CMS_INPUT_IMAGEMAP": "ImageMapField",
        "CMS_INPUT_LINK": "LinkField",
        "CMS_INPUT_LIST": "OptionListField",
        "CMS_INPUT_NUMBER": "NumberField",
        "CMS_INPUT_PERMISSION": "PermissionField",
        "CMS_INPUT_RADIOBUTTON": "OptionField",
        "CMS_INPUT_TEXT": "TextField",
        "CMS_INPUT_TEXTAREA": "TextField",
        "CMS_INPUT_TOGGLE": "ToggleField",
        "FS_CATALOG": "CatalogField",
        "FS_DATASET": "DatasetField",
        "FS_INDEX": "IndexField",
        "FS_REFERENCE": "ReferenceField",
    }
)
"""Components by tag. All others, FS_BUTTON, deprecated and foreign ones among them, become :class:`RawField`."""

_DATASET_PLUGIN = "DatasetDataAccessPlugin"

_FS_TYPE = "The input component of the form."
_NAME = "Name of the field in the form."


def component_type(form_field: FormField) -> str:
    """Name the shared type that a form field has, before any binding to one schema."""
    if form_field.component == "FS_INDEX" and form_field.plugin == _DATASET_PLUGIN:
        return "DatasetIndexField"
    return COMPONENT_TYPES.get(form_field.component, "RawField")


@strawberry.type(description="A text field, also rich text.")
class TextField:
    """``CMS_INPUT_TEXT``, ``CMS_INPUT_TEXTAREA``, ``CMS_INPUT_DOM``, ``CMS_INPUT_DOMTABLE``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: str | None = field(description="The text; rich text is FirstSpirit XML, not HTML.")


@strawberry.type(description="A number field.")
class NumberField:
    """``CMS_INPUT_NUMBER``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: float | None = field(description="The number.")


@strawberry.type(description="A yes-or-no field.")
class ToggleField:
    """``CMS_INPUT_TOGGLE``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: bool | None = field(description="The answer; null where none was given.")


@strawberry.type(description="A date field.")
class DateField:
    """``CMS_INPUT_DATE``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: str | None = field(description="The date as ISO 8601 text in UTC.")


@strawberry.type(description="A choice that an editor made.")
class Option:
    """An entry of a combo box, radio buttons, check boxes or a list."""

    fsType: str | None = field(description="Always Option.")
    label: str | None = field(description="The choice as shown, in the document's language.")
    identifier: str | None = field(description="The choice's value, the same in all languages.")


@strawberry.type(description="A field with one choice.")
class OptionField:
    """``CMS_INPUT_COMBOBOX``, ``CMS_INPUT_RADIOBUTTON``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: Option | None = field(description="The choice.")


@strawberry.type(description="A field with several choices.")
class OptionListField:
    """``CMS_INPUT_CHECKBOX``, ``CMS_INPUT_LIST``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: list[Option | None] | None = field(description="The choices.")
    raw: JSON | None = field(description="The value as stored, for lists that hold other things than options.")


@strawberry.type(description="A field with a link.")
class LinkField:
    """``CMS_INPUT_LINK``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: Link | None = field(description="The link.")


@strawberry.type(description="A place in a picture, in pixels of the original.")
class ImageMapPoint:
    """``{"x": 10, "y": 20}``."""

    x: int | None = field(description="Distance from the left.")
    y: int | None = field(description="Distance from the top.")


@strawberry.type(description="The resolution that an image map was drawn on.")
class ImageMapResolution:
    """Width and height are 0 where they are not fixed."""

    fsType: str | None = field(description="Always Resolution.")
    uid: str | None = field(description="Name of the resolution.")
    width: int | None = field(description="Width in pixels.")
    height: int | None = field(description="Height in pixels.")


@strawberry.type(description="An area of an image map; which of the geometry fields are set depends on areaType.")
class ImageMapArea:
    """``rect``, ``circle`` and ``poly`` in one type."""

    fsType: str | None = field(description="Always Area.")
    areaType: str | None = field(description="rect, circle or poly.")
    link: Link | None = field(description="Where the area leads.")
    leftTop: ImageMapPoint | None = field(description="Corner of a rect.")
    rightBottom: ImageMapPoint | None = field(description="Opposite corner of a rect.")
    center: ImageMapPoint | None = field(description="Centre of a circle.")
    radius: int | None = field(description="Radius of a circle.")
    points: list[ImageMapPoint | None] | None = field(description="Corners of a poly.")


@strawberry.type(description="A picture with areas that lead somewhere.")
class ImageMap:
    """``MappingMedium`` in documents."""

    fsType: str | None = field(description="Always MappingMedium.")
    media: Reference | None = field(description="The picture, as the reference that is stored.")
    resolvedMedia: Media | None = field(description="The picture itself, in the root document's language.")
    areas: list[ImageMapArea | None] | None = field(description="The areas.")
    resolution: ImageMapResolution | None = field(description="The resolution that the areas were drawn on.")


@strawberry.type(description="A field with an image map.")
class ImageMapField:
    """``CMS_INPUT_IMAGEMAP``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: ImageMap | None = field(description="The image map.")


@strawberry.type(description="A group of users.")
class PermissionGroup:
    """A group of the project's group tree."""

    groupName: str | None = field(description="Name of the group.")
    groupPath: str | None = field(description="Path of the group in the group tree.")


@strawberry.type(description="Who may do one thing.")
class PermissionActivity:
    """One activity of a permission field."""

    activity: str | None = field(description="The thing, such as read.")
    allowed: list[PermissionGroup | None] | None = field(description="The groups that may.")
    forbidden: list[PermissionGroup | None] | None = field(description="The groups that may not.")


@strawberry.type(description="A field with permissions.")
class PermissionField:
    """``CMS_INPUT_PERMISSION``; some documents nest the list once more, which ``raw`` shows."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: list[PermissionActivity | None] | None = field(description="The permissions, one entry per activity.")
    raw: JSON | None = field(description="The value as stored, for documents with one more level of lists.")


@strawberry.type(description="A field with a reference to a page or to media.")
class ReferenceField:
    """``FS_REFERENCE``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: ReferenceTarget | None = field(
        description="The target's document in the root document's language; null where there is none."
    )
    reference: Reference | None = field(description="The reference as it is stored.")


@strawberry.type(description="The dataset that a field refers to.")
class DatasetFieldValue:
    """``DatasetReference`` in documents."""

    fsType: str | None = field(description="Always DatasetReference.")
    target: Dataset | None = field(
        description="The dataset's document in the root document's language; null where there is none."
    )
    reference: DatasetTarget | None = field(description="The reference as it is stored.")


@strawberry.type(description="A field with a reference to a dataset.")
class DatasetField:
    """``FS_DATASET``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: DatasetFieldValue | None = field(description="The reference with its target.")


@strawberry.type(description="An entry of a list of datasets.")
class DatasetIndexRecord:
    """``Record`` in documents."""

    fsType: str | None = field(description="Always Record.")
    identifier: str | None = field(description="The plug-in's identifier of the entry.")
    value: Dataset | None = field(
        description="The dataset's document in the root document's language; null where there is none."
    )
    reference: DatasetTarget | None = field(description="The reference as it is stored.")


@strawberry.type(description="A field with a list of datasets.")
class DatasetIndexField:
    """``FS_INDEX`` with the dataset plug-in."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    dapType: str | None = field(description="Always DatasetDataAccessPlugin.")
    value: list[DatasetIndexRecord | None] | None = field(description="The entries.")


@strawberry.type(description="An entry of a list that a plug-in fills.")
class IndexRecord:
    """``Record`` in documents; opaque to everybody but the plug-in."""

    fsType: str | None = field(description="Always Record.")
    identifier: str | None = field(description="The plug-in's identifier of the entry.")
    value: JSON | None = field(description="The plug-in's data, mostly null.")


@strawberry.type(description="A field with a list that a plug-in fills.")
class IndexField:
    """``FS_INDEX`` with another plug-in."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    dapType: str | None = field(description="Name of the plug-in.")
    value: list[IndexRecord | None] | None = field(description="The entries.")


@strawberry.type(description="A field with a list of cards.")
class CatalogField:
    """``FS_CATALOG``."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: list[CatalogCard | None] | None = field(description="The cards.")


@strawberry.type(description="A field of a component that this schema does not know, as it is stored.")
class RawField:
    """``FS_BUTTON``, deprecated components, components of modules."""

    fsType: str | None = field(description=_FS_TYPE)
    name: str | None = field(description=_NAME)
    value: JSON | None = field(description="The value as stored.")


def value_shape(field_type: str) -> str:
    """Tell what ``value`` is in one of the shared field types; equal shapes can be selected under one name."""
    shape: str = globals()[field_type].__annotations__["value"]
    return shape
