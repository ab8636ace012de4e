"""Random documents for an application: most values fit the types that read them, the others fit nothing."""

from copy import deepcopy
from typing import Any

from content_core.documents import Document
from content_core.extended_json import from_json
from tests.graphql_app.equality.dice import Dice
from tests.graphql_app.equality.model import AppModel, FieldModel, named_type
from tests.graphql_app.equality.values import FITTING, IDS, KEYS, MISFITS, MISSING, ODD_REFERENCES, REFERENCES

__all__ = ["draw_documents"]

_DEPTH = 3


def draw_documents(dice: Dice, app: AppModel) -> dict[str, list[Document]]:
    """Draw the documents of every collection."""
    drawing = _Drawing(dice, app)
    return {name: drawing.collection(types) for name, types in app.collections.items()}


class _Drawing:
    """The documents of one application on their way."""

    def __init__(self, dice: Dice, app: AppModel) -> None:
        self._dice = dice
        self._app = app
        self._misfits = dice.pick((6, 0, 15))  # percent

    def collection(self, types: tuple[str, ...]) -> list[Document]:
        identifiers = self._dice.shuffled(IDS)[: self._dice.pick((5, 2, 8, 4, 6, 0))]
        return [{"_id": deepcopy(one)} | self._document(self._dice.pick(types), _DEPTH) for one in identifiers]

    def _document(self, name: str, depth: int) -> Document:
        document: Document = {}
        for one in self._app.types[name].fields.values():
            if one.path and one.name != "_id":
                self._store(document, one, depth)
        self._put(document, ("kind",), self._odd() if self._dice.chance(5) else name)
        for path in (("ref",), ("sub", "ref")):
            self._put(document, path, self._reference())
        self._put(document, ("refs",), self._references())
        if self._dice.chance(50):
            self._put(document, ("items", "ref"), self._references())
        for path in (("k",), ("sub", "k")):
            self._put(document, path, _copied(self._dice.pick(KEYS)))
        if self._dice.chance(50):
            self._put(document, ("state",), self._enum("E0"))
        if depth < _DEPTH and self._dice.chance(2):  # the driver makes an object of its own of it
            document = {"$ref": "c0", "$id": self._reference_id()} | document
        return document

    def _reference_id(self) -> Any:
        return self._dice.pick(IDS)

    def _store(self, document: Document, one: FieldModel, depth: int) -> None:
        path = one.path or ""
        if path.split(".")[0] not in {"_id", "ref", "refs", "k", "nothing"}:
            self._put(document, tuple(path.split(".")), self._value(one.type, depth))

    # --- values ------------------------------------------------------------------------------------------------------

    def _value(self, type_: str, depth: int) -> Any:
        if self._dice.chance(self._misfits):
            return self._odd()
        if type_.startswith("["):
            inner = type_.removesuffix("!")[1:-1]
            return [self._element(inner, depth) for _ in range(self._dice.number(0, 3))]
        return self._named_value(type_.removesuffix("!"), depth)

    def _named_value(self, type_: str, depth: int) -> Any:
        if type_ in FITTING:
            return deepcopy(self._dice.pick(FITTING[type_]))
        if type_ in self._app.enums:
            return self._enum(type_)
        if depth == 0:
            return MISSING
        return self._document(self._dice.pick(self._app.objects_of(named_type(type_))), depth - 1)

    def _element(self, type_: str, depth: int) -> Any:
        value = self._value(type_, depth)
        return None if value is MISSING else value

    def _enum(self, name: str) -> Any:
        values = self._app.enums[name]
        value = self._dice.pick(tuple(values))
        return value if values[value] is None else from_json(values[value])

    def _odd(self) -> Any:
        return _copied(self._dice.pick(MISFITS))

    def _reference(self) -> Any:
        return _copied(self._dice.pick(ODD_REFERENCES if self._dice.chance(7) else REFERENCES))

    def _references(self) -> Any:
        if self._dice.chance(7):
            return deepcopy(self._dice.pick(ODD_REFERENCES))
        found = [self._reference() for _ in range(self._dice.number(0, 4))]
        return [one for one in found if one is not MISSING]

    # --- places ------------------------------------------------------------------------------------------------------

    def _put(self, target: Any, path: tuple[str, ...], value: Any) -> None:
        """Put a value where a path finds it, as far as what is there already allows."""
        if value is MISSING:
            return
        key, rest = path[0], path[1:]
        if isinstance(target, list):
            self._put_into_list(target, path, value)
        elif not isinstance(target, dict):
            return
        elif rest:
            listed = (rest[0].isdigit() and key != "map") or key in {"items", "grid"}
            fresh: Any = [] if listed else {}
            self._put(target.setdefault(key, fresh), rest, value)
        else:
            target[key] = value

    def _put_into_list(self, target: list[Any], path: tuple[str, ...], value: Any) -> None:
        key, rest = path[0], path[1:]
        if key.isdigit():
            while len(target) <= int(key):
                target.append(None)
            if not rest:
                target[int(key)] = value
                return
            if target[int(key)] is None:
                target[int(key)] = [] if rest[0].isdigit() else {}
            self._put(target[int(key)], rest, value)
            return
        for position, part in enumerate(value if isinstance(value, list) else [value]):
            if position == len(target):
                target.append([] if isinstance(part, list) else {})
            self._put(target[position], path, part)


def _copied(value: Any) -> Any:
    """Documents are changed while they are put together; the pools stay as they are."""
    return value if value is MISSING else deepcopy(value)
