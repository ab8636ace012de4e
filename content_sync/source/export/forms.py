"""Form data: every field of a template's form with its value in one language."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element

import orjson

from content_sync.source.export.media_facts import MediaFacts
from content_sync.source.export.project import Project
from content_sync.source.export.references import ReferenceWriter
from content_sync.source.export.richtext import fill_links
from content_sync.source.export.scalars import parse_date, parse_number, parse_switch, text_of, xml_of
from content_sync.source.export.shapes import (
    UnknownShapeError,
    child,
    dataset_reference,
    parts_of,
    permission,
    picture_resolution,
    record,
    sure,
    whole_point,
)
from content_sync.source.export.stores import Stores
from content_sync.source.export.templates import option_label
from schema_gen.export.references import References
from schema_gen.model import FormField, Language, Template, TemplateKind

__all__ = ["FormWriter", "Owner"]

Find = Callable[[FormField], Element | None]

_LISTS: Final = frozenset({"CMS_INPUT_CHECKBOX", "CMS_INPUT_LIST", "CMS_INPUT_PERMISSION", "FS_CATALOG", "FS_INDEX"})
_ALL_LANGUAGES: Final = ("\u00a7", "*")
_MAX_DEPTH: Final = 20
"""Each form in a form is four levels of JSON, and MongoDB stores a hundred."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The element that holds a form, for its references and for messages."""

    path: str
    references: References


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: in a field of a template's form, in an element."""

    template: Template
    field: FormField
    owner: Owner


Decoder = Callable[[Place, Element], Any]


class FormWriter:
    """Writes the forms of one language.

    A value whose XML is not known is kept as text where the component's value is text or anything; for components
    with typed values it becomes the empty value, since readers of the documents rely on the type. Both are reported.

    Args:
        project: the export.
        stores: finds the targets of references.
        language: which language's values are meant.
    """

    def __init__(self, project: Project, stores: Stores, language: Language) -> None:
        self._project = project
        self._language = language
        self._references = ReferenceWriter(project, stores, language)
        self._media = MediaFacts(project, stores)
        self._depth = 0
        self._decoders: Final[dict[str, Decoder]] = {
            "CMS_INPUT_CHECKBOX": self._options,
            "CMS_INPUT_COMBOBOX": self._option,
            "CMS_INPUT_DATE": self._date,
            "CMS_INPUT_DOM": self._rich_text,
            "CMS_INPUT_DOMTABLE": self._rich_text,
            "CMS_INPUT_IMAGEMAP": self._image_map,
            "CMS_INPUT_LINK": self._link,
            "CMS_INPUT_LIST": self._options,
            "CMS_INPUT_NUMBER": self._number,
            "CMS_INPUT_PERMISSION": self._permissions,
            "CMS_INPUT_RADIOBUTTON": self._option,
            "CMS_INPUT_TEXT": self._text,
            "CMS_INPUT_TEXTAREA": self._text,
            "CMS_INPUT_TOGGLE": self._switch,
            "FS_CATALOG": self._cards,
            "FS_DATASET": self._dataset,
            "FS_INDEX": self._records,
            "FS_REFERENCE": self._reference,
        }

    def form(self, template: Template, find: Find, owner: Owner) -> dict[str, Any]:
        """Write a whole form: every field, sorted by name."""
        fields = sorted(template.fields, key=lambda field: field.name)
        return {field.name: self._entry(template, field, find(field), owner) for field in fields}

    def _entry(self, template: Template, field: FormField, node: Element | None, owner: Owner) -> dict[str, Any]:
        plugin = {"dapType": field.plugin or ""} if field.component == "FS_INDEX" else {}
        return {
            "fsType": field.component,
            "name": field.name,
            **plugin,
            "value": self._value(template, field, node, owner),
        }

    def _value(self, template: Template, field: FormField, node: Element | None, owner: Owner) -> Any:
        value = self._spoken(node) if node is not None and node.find("LANG") is not None else node
        empty = value is None or (not len(value) and not (value.text or "").strip())
        if value is None or empty or field.component == "FS_BUTTON":
            return self._empty(field)
        if self._depth >= _MAX_DEPTH:
            self._project.skips.add(owner.path, f"{field.name} is nested more than {_MAX_DEPTH} levels deep")
            return self._empty(field)
        self._depth += 1
        try:
            decode = self._decoders.get(field.component, self._opaque)
            return decode(Place(template, field, owner), value)
        except UnknownShapeError:
            return self._keep(field, value, owner)
        finally:
            self._depth -= 1

    def _keep(self, field: FormField, value: Element, owner: Owner) -> Any:
        tag = value[0].tag if len(value) else "text"
        message = f"the value of {field.name} ({field.component}) is written as <{tag}>, a form that is not known here"
        kept = self._empty(field)
        if field.component in {"CMS_INPUT_TEXT", "CMS_INPUT_TEXTAREA", "CMS_INPUT_DOM", "CMS_INPUT_DOMTABLE"} or (
            field.component not in self._decoders
        ):
            kept = xml_of(value)
            message += "; it was kept as text"
        self._project.skips.once(("value", field.component, tag), owner.path, message)
        return kept

    def _spoken(self, node: Element) -> Element | None:
        """The entry of this language, else the one for all; entries with ``set="0"`` are empty."""
        entries = {entry.get("id", ""): entry for entry in node.findall("LANG") if entry.get("set") != "0"}
        for key in (self._language.abbreviation, *_ALL_LANGUAGES):
            if key in entries:
                return entries[key]
        return None

    @staticmethod
    def _empty(field: FormField) -> Any:
        if field.component in _LISTS:
            return []
        if field.component == "FS_BUTTON":
            return {}
        if field.component == "CMS_INPUT_IMAGEMAP":
            return {"fsType": "MappingMedium", "areas": [], "media": None, "resolution": picture_resolution("ORIGINAL")}
        return None

    def _text(self, _place: Place, node: Element) -> Any:
        if not len(node):
            return node.text or ""
        inner = child(node, "TEXT", "FIG", "DATE", "DOM", "BOOL")
        return text_of(inner)

    def _rich_text(self, place: Place, node: Element) -> Any:
        return fill_links(self._text(place, node), self._references.url)

    def _number(self, place: Place, node: Element) -> Any:
        return sure(parse_number(self._text(place, node)))

    def _date(self, place: Place, node: Element) -> Any:
        return sure(parse_date(self._text(place, node)))

    def _switch(self, place: Place, node: Element) -> Any:
        return sure(parse_switch(self._text(place, node)))

    def _option(self, place: Place, node: Element) -> Any:
        options = self._chosen(place, node)
        return options[0] if options else None

    def _options(self, place: Place, node: Element) -> Any:
        return self._chosen(place, node)

    def _chosen(self, place: Place, node: Element) -> list[dict[str, Any]]:
        inner = child(node, "SEL", "TEXT")
        values = [value.text or "" for value in inner.findall("VALUE")] if inner.tag == "SEL" else [inner.text or ""]
        labels = self._project.templates.labels(place.template, place.field.name)
        return [
            {
                "fsType": "Option",
                "label": option_label(labels.get(value, {}), self._language, value),
                "identifier": value,
            }
            for value in values
            if value or value in labels  # an empty choice is a choice only where the form offers it
        ]

    def _reference(self, place: Place, node: Element) -> Any:
        if node.find("UID") is None:
            raise UnknownShapeError
        return self._references.reference(node, place.owner.references)

    def _link(self, place: Place, node: Element) -> Any:
        return self._link_object(child(node, "LINK"), place.owner)

    def _link_object(self, link: Element, owner: Owner) -> dict[str, Any]:
        uid = link.get("template", "")
        return {**self._filled(TemplateKind.LINK, uid, link, owner), "metaFormData": {}}

    def _cards(self, place: Place, node: Element) -> Any:
        catalog = child(node, "CATALOG")
        return [self._card(card, place.owner, number) for number, card in enumerate(catalog.findall("CARD"))]

    def _card(self, card: Element, owner: Owner, number: int) -> dict[str, Any]:
        uid = card.get("template", "")
        kind = TemplateKind.LINK if card.get("type", "").endswith("LINKTEMPLATE") else TemplateKind.SECTION
        identifier = card.get("id") or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{owner.path}#{uid}#{number}"))
        return {
            "fsType": "Card",
            "identifier": identifier,
            "uuid": identifier,
            **self._filled(kind, uid, card, owner),
        }

    def _filled(self, kind: TemplateKind, uid: str, node: Element, owner: Owner) -> dict[str, Any]:
        """A filled template inside a value: its template object and its form."""
        template = self._project.templates.by_uid(kind, uid)
        if template is None:
            message = f"the {kind.value} template {uid!r} is not in the export, so its values were left out; export it"
            self._project.skips.once(("template", kind.value, uid), owner.path, message)
            template = Template(kind, uid)
        fields = {field.get("name", ""): field for field in parts_of(node)}
        return {
            "template": self._project.templates.template_object(template, self._language, self._project.master),
            "formData": self.form(template, lambda field: fields.get(field.name), owner),
        }

    def _dataset(self, _place: Place, node: Element) -> Any:
        records = child(node, "RECORDS").findall("RECORD")
        return sure(dataset_reference(records[0])) if records else None

    def _records(self, _place: Place, node: Element) -> Any:
        return [record(each) for each in child(node, "RECORDS").findall("RECORD")]

    def _permissions(self, _place: Place, node: Element) -> Any:
        return [permission(each) for each in child(node, "PERMISSIONS").findall("ACTIVITY")]

    def _image_map(self, place: Place, node: Element) -> Any:
        image_map = child(node, "IMAGEMAP")
        holder = image_map.find("MEDIA")
        reference = self._references.reference(holder, place.owner.references) if holder is not None else None
        resolution = (image_map.findtext("RESOLUTION") or "").strip() or "ORIGINAL"
        media = None
        if reference is not None:
            facts = self._media.facts(str(reference["uid"]), self._language, resolution)
            named = ("identifier", "uid", "uidType", "mediaType", "url")
            media = {
                "fsType": reference["fsType"],
                "name": reference["name"],
                "displayName": facts.display_name if facts else reference["name"],
                **{key: reference[key] for key in named if key in reference},
                "pictureMetaData": facts.picture if facts else None,
            }
        areas = [self._area(area, place.owner) for area in image_map.findall("AREA")]
        size = next((each for each in self._project.resolutions if each.name == resolution), None)
        shown = picture_resolution(resolution, size.width if size else 0, size.height if size else 0)
        return {"fsType": "MappingMedium", "areas": areas, "media": media, "resolution": shown}

    def _area(self, area: Element, owner: Owner) -> dict[str, Any]:
        kind = area.get("type", "").lower()
        points = [whole_point(pair) for pair in area.get("points", "").split()]
        link = area.find("LINK")
        shape: dict[str, Any] = {"link": self._link_object(link, owner) if link is not None else None}
        if kind == "rect" and len(points) == 2:
            shape.update(leftTop=points[0], rightBottom=points[1])
        elif kind == "circle" and len(points) == 1:
            shape.update(center=points[0], radius=sure(parse_number(area.get("radius", ""))))
        else:
            shape.update(points=points)
        return {"fsType": "Area", "areaType": kind, **dict(sorted(shape.items()))}

    def _opaque(self, place: Place, node: Element) -> Any:
        """A component that is not known: what its XML plainly says, whatever it is."""
        if not len(node):
            return node.text or ""
        if node.find("UID") is not None:
            return self._references.reference(node, place.owner.references)
        inner = child(node, "JSON", "TEXT", "FIG", "BOOL", "DATE", "SEL")
        text = text_of(inner)
        if inner.tag == "JSON":
            try:
                return orjson.loads(text)
            except orjson.JSONDecodeError:
                raise UnknownShapeError from None
        if inner.tag == "SEL":
            return [value.text or "" for value in inner.findall("VALUE")]
        if inner.tag == "FIG":
            return sure(parse_number(text))
        return sure(parse_switch(text)) if inner.tag == "BOOL" else text
