"""Serialised Java beans, the form of ``Global/Project/*.xml``: objects are found by class, fields by name."""

from collections.abc import Iterator

from schema_gen.export.markup import XmlElement

__all__ = ["bean_fields", "find_beans", "flag", "number", "strings", "text"]


def find_beans(root: XmlElement, class_name: str) -> Iterator[XmlElement]:
    """Yield the objects of a class (its last segment), in document order, however deep in lists and maps they lie."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.tag == "OBJECT" and element.get("class").rpartition(".")[2] == class_name:
            yield element
        else:
            waiting.extend(reversed(element.children))


def bean_fields(bean: XmlElement) -> dict[str, XmlElement]:
    """The fields of an object by name; of two with one name the first."""
    fields: dict[str, XmlElement] = {}
    for field in bean.named("FIELD"):
        fields.setdefault(field.get("name"), field)
    return fields


def text(field: XmlElement | None) -> str:
    """A field's value as text; empty for null and for a field that is not there."""
    if field is None:
        return ""
    nested = next(field.named("OBJECT"), None)
    return field.text if nested is None else nested.text


def flag(field: XmlElement | None, *, default: bool) -> bool:
    """A boolean field."""
    value = text(field).lower()
    return value == "true" if value else default


def number(field: XmlElement | None) -> int | None:
    """An integer field; ``None`` where it is null, not there or no number."""
    try:
        return int(text(field))
    except ValueError:
        return None


def strings(field: XmlElement | None) -> list[str]:
    """The texts of a list or set of strings."""
    if field is None:
        return []
    return [item.text for collection in field.named("OBJECT") for item in collection.named("OBJECT")]
