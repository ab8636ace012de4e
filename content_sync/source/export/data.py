"""Form values on disk: ``data.xml`` for all languages, ``data.<LANGUAGE>.xml`` for one each.

Values keep their blanks and may mix text with elements, which the light tree of the schema reader does not; so these
files, and only these, become standard element trees, with DTDs refused and a limit on elements.
"""

from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, TreeBuilder

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ExportDirectory, ExportFiles
from schema_gen.model import FormField

__all__ = ["ElementValues", "has_values", "read_values"]

_SHARED: Final = "data.xml"
_MAX_ELEMENTS: Final = 250_000


@dataclass(frozen=True, slots=True)
class ElementValues:
    """The values of one element, not yet interpreted.

    Attributes:
        shared: field name to value, for all languages.
        spoken: the same by language abbreviation.
    """

    shared: dict[str, Element]
    spoken: dict[str, dict[str, Element]]

    def find(self, field: FormField, abbreviation: str) -> Element | None:
        """The value of a field in a language: where its form says it is, else in the other place."""
        own = self.spoken.get(abbreviation, {})
        first, second = (own, self.shared) if field.language_dependent else (self.shared, own)
        found = first.get(field.name)
        return found if found is not None else second.get(field.name)


def has_values(directory: ExportDirectory) -> bool:
    """Whether an element has any values."""
    return any(name.startswith("data.") and name.endswith(".xml") for name in directory.names)


def read_values(files: ExportFiles, directory: ExportDirectory, abbreviations: tuple[str, ...]) -> ElementValues:
    """Read the values of an element in the given languages.

    Raises:
        BrokenFileError: a file is there and cannot be read.
    """
    spoken = {
        abbreviation: _read(files, f"{directory.path}/{name}")
        for abbreviation in abbreviations
        if (name := f"data.{abbreviation}.xml") in directory.names
    }
    shared = _read(files, f"{directory.path}/{_SHARED}") if _SHARED in directory.names else {}
    return ElementValues(shared, spoken)


def _read(files: ExportFiles, path: str) -> dict[str, Element]:
    data = files.read_bytes(path)
    if not data or not data.strip():
        return {}
    fields: dict[str, Element] = {}
    for field in _parse(data, path).findall("FIELD"):
        fields.setdefault(field.get("name", ""), field)
    return fields


class _TooManyElementsError(Exception):
    pass


class _Builder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._left = _MAX_ELEMENTS

    def start(self, tag: str, attrs: dict[str, str]) -> Element:
        self._left -= 1
        if self._left < 0:
            raise _TooManyElementsError
        return super().start(tag, attrs)


def _parse(data: bytes, path: str) -> Element:
    parser = DefusedXMLParser(target=_Builder(), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
    except ParseError as problem:
        raise BrokenFileError(f"malformed XML: {problem}", path=path, line=problem.position[0]) from problem
    except DefusedXmlException as problem:
        raise BrokenFileError("a DOCTYPE is refused; remove it", path=path) from problem
    except _TooManyElementsError as problem:
        raise BrokenFileError(f"more than {_MAX_ELEMENTS} elements", path=path) from problem
    except (LookupError, ValueError) as problem:
        raise BrokenFileError("XML in an unknown encoding; save it as UTF-8", path=path) from problem
    if not isinstance(root, Element):
        raise BrokenFileError("no XML in it", path=path)
    return root
