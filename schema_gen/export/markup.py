"""XML of an export as a light tree that remembers lines; DTDs, with their entities and outside files, are refused."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from schema_gen.export.findings import BrokenFileError

__all__ = ["XmlElement", "parse_xml"]

_PLACE: Final = re.compile(r": line \d+, column \d+$")


class XmlElement:
    """One element: tag, attributes, children, text and the line where it begins."""

    __slots__ = ("_pieces", "attributes", "children", "line", "tag")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag = tag
        self.attributes = attributes
        self.line = line
        self.children: list[XmlElement] = []
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """The element's own text, trimmed."""
        return "".join(self._pieces).strip()

    def get(self, *names: str) -> str:
        """The first of the attributes that is there and not blank, trimmed; empty if none is."""
        for name in names:
            value = self.attributes.get(name, "").strip()
            if value:
                return value
        return ""

    def named(self, *tags: str) -> Iterator["XmlElement"]:
        """The children with one of the tags, in document order."""
        return (child for child in self.children if child.tag in tags)

    def below(self, tag: str, child_tag: str) -> Iterator["XmlElement"]:
        """The ``child_tag`` elements in all ``tag`` children, in document order."""
        return (inner for outer in self.named(tag) for inner in outer.named(child_tag))

    def add_text(self, piece: str) -> None:
        """Append to the element's own text."""
        self._pieces.append(piece)


class _TooManyElementsError(Exception):
    pass


class _TreeTarget:
    """Receives the parser's events and builds the tree."""

    def __init__(self, max_elements: int) -> None:
        self.root: XmlElement | None = None
        self.current_line: Callable[[], int] = lambda: 0
        self._open: list[XmlElement] = []
        self._left = max_elements

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooManyElementsError
        element = XmlElement(tag, attributes, self.current_line())
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, _tag: str) -> None:
        self._open.pop()

    def data(self, text: str) -> None:
        if self._open:
            self._open[-1].add_text(text)


def parse_xml(data: bytes, *, path: str, max_elements: int) -> XmlElement:
    """Parse a whole file.

    Raises:
        BrokenFileError: malformed, with a DOCTYPE, in an unknown encoding, or with too many elements.
    """
    target = _TreeTarget(max_elements)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    expat = parser.parser  # the only one who knows the line
    target.current_line = lambda: int(expat.CurrentLineNumber)
    try:
        parser.feed(data)
        parser.close()
    except ParseError as problem:
        reason = _PLACE.sub("", str(problem))
        message = f"malformed XML: {reason}; repair it, or export the project again"
        raise BrokenFileError(message, path=path, line=problem.position[0]) from problem
    except DefusedXmlException as problem:
        message = "a DOCTYPE is refused, since it can pull in other files and swell without end; remove it"
        raise BrokenFileError(message, path=path, line=target.current_line()) from problem
    except _TooManyElementsError as problem:
        message = f"more than {max_elements} elements; no template needs that, repair it or export the project again"
        raise BrokenFileError(message, path=path, line=target.current_line()) from problem
    except (LookupError, ValueError) as problem:
        raise BrokenFileError("XML in an unknown encoding; save it as UTF-8", path=path, line=1) from problem
    if target.root is None:  # expat reports this itself
        raise BrokenFileError("empty; export the project again", path=path, line=1)
    return target.root
