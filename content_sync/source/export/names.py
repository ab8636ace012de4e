"""Display names of elements, and the paths that a URL factory would make of them."""

from collections.abc import Mapping
from typing import Final

from schema_gen.export.elements import StoreElement
from schema_gen.model import Language

__all__ = ["names_of", "path_segment", "pick_name"]

_DOTS: Final = frozenset({"", ".", ".."})


def names_of(element: StoreElement, attribute: str = "displayname") -> dict[str, str]:
    """The display names of an element by language abbreviation, in the order of the file."""
    names: dict[str, str] = {}
    for language in element.root.named("LANG") if element.root is not None else ():
        if language.get("language") and language.get(attribute):
            names.setdefault(language.get("language"), language.get(attribute))
    return names


def pick_name(names: Mapping[str, str], language: Language, master: Language, fallback: str) -> str:
    """The name in a language, else in the master language, else the first, else the fallback."""
    return names.get(language.abbreviation) or names.get(master.abbreviation) or next(iter(names.values()), fallback)


def path_segment(name: str) -> str:
    """A display name as a part of a path: no slash, no blank, nothing that a path would resolve."""
    segment = "".join("-" if sign in "/\\ " else sign for sign in name.strip() if sign.isprintable())
    return "_" if segment in _DOTS else segment
