"""The XML shapes of values: single parts of them as JSON, and the error for a shape that is not known."""

import json
from collections.abc import Iterator
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

from content_sync.source.export.scalars import parse_number

__all__ = [
    "UnknownShapeError",
    "child",
    "dataset_reference",
    "parts_of",
    "permission",
    "picture_resolution",
    "record",
    "sure",
    "whole_point",
]


T = TypeVar("T")


class UnknownShapeError(Exception):
    """The value is written in a way that is not known for its component."""


def sure(value: T | None) -> T:
    """The value, which must be there."""
    if value is None:
        raise UnknownShapeError
    return value


def child(node: Element, *tags: str) -> Element:
    """The first inner element, which must have one of the tags."""
    if not len(node) or node[0].tag not in tags:
        raise UnknownShapeError
    return node[0]


def parts_of(node: Element) -> Iterator[Element]:
    """The fields inside a card or a link, in either of the two shapes that are known."""
    yield from node.findall("TEMPLATECONTENT/CMS_VALUE")
    yield from node.findall("FIELDS/FIELD")


def dataset_reference(node: Element) -> dict[str, Any] | None:
    """A record as a reference to a dataset; ``None`` where it names none."""
    named = {field.get("name"): (field.findtext("TEXT") or field.text or "").strip() for field in parts_of(node)}
    if not named.get("gid"):
        return None
    target = {
        "fsType": "Dataset",
        "schema": named.get("schema", ""),
        "entityType": named.get("table", ""),
        "identifier": named["gid"].lower(),
    }
    return {"fsType": "DatasetReference", "target": target}


def record(node: Element) -> dict[str, Any]:
    """A record of an index: a dataset's, with the identifier that the platform builds, or one of a foreign source."""
    reference = dataset_reference(node)
    if reference is None:
        return {"fsType": "Record", "identifier": sure(node.get("id"))}
    target = reference["target"]
    key = {"schema": target["schema"], "gid": target["identifier"], "table": target["entityType"]}
    return {"fsType": "Record", "identifier": json.dumps(key, separators=(",", ":")), "value": reference}


def permission(node: Element) -> dict[str, Any]:
    """One activity of a permission."""

    def groups(tag: str) -> list[dict[str, str]]:
        return [{"groupName": each.get("name", ""), "groupPath": each.get("path", "")} for each in node.findall(tag)]

    return {"activity": node.get("name", ""), "allowed": groups("ALLOWED"), "forbidden": groups("FORBIDDEN")}


def whole_point(pair: str) -> dict[str, int]:
    """A point, written ``x,y``."""
    x, _, y = pair.partition(",")
    return {"x": int(sure(parse_number(x))), "y": int(sure(parse_number(y)))}


def picture_resolution(name: str, width: int = 0, height: int = 0) -> dict[str, Any]:
    """The resolution that an image map is drawn on."""
    return {"fsType": "Resolution", "uid": name, "width": width, "height": height}
