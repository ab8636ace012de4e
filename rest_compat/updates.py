"""What a body asks to store: a whole document (PUT, POST) or changes to one (PATCH), as MongoDB takes them. Pure."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from bson import ObjectId, Timestamp

from content_core.documents import Document
from content_core.errors import RequestError

__all__ = ["make_changes", "make_document", "make_documents", "same_value"]

_CURRENT_DATE: Final = "$currentDate"
_MAX_PARTS: Final = 200
_MAX_PADDING: Final = 10_000
"""Empty places that dotted names may make in arrays, over all documents of a body."""


def make_document(body: Document, *, version: ObjectId) -> Document:
    """Build the document that a PUT or POST stores: dotted names unfolded, ``$currentDate`` applied, a new ``_etag``.

    The body is used up: where nothing is to be done it becomes the document itself.

    Raises:
        RequestError: an update operator, or names that collide.
    """
    return _make_document(body, version, _Unfolding())


def make_documents(bodies: list[Any], *, version: ObjectId, dotted: bool = True) -> list[Document]:
    """Build what a POST of an array stores, each as :func:`make_document` does.

    Args:
        bodies: what was sent.
        version: the new ``_etag`` of all.
        dotted: False if it is known that no name has a dot.

    Raises:
        RequestError: there are none, one is no object, or cannot be stored; the message says which.
    """
    if not bodies:
        raise RequestError("the array of documents is empty")
    unfolding = _Unfolding() if dotted else None
    documents = []
    for index, body in enumerate(bodies):
        if not isinstance(body, dict):
            raise RequestError(f"the element at position {index} is no JSON object")
        try:
            documents.append(_make_document(body, version, unfolding))
        except RequestError as error:
            raise RequestError(f"the element at position {index}: {error.message}") from error
    return documents


def _make_document(body: Document, version: ObjectId, unfolding: "_Unfolding | None") -> Document:
    document = body if unfolding is None else unfolding.document(body)
    dates = document.pop(_CURRENT_DATE, None)
    if dates is not None:
        _set_dates(document, dates)
    for name in document:
        if name.startswith("$"):
            raise RequestError(f"the update operator '{name}' is not allowed here; PATCH knows update operators")
    document.pop("_etag", None)
    document["_etag"] = version
    return document


def make_changes(body: Document, *, version: ObjectId) -> Document:
    """Build the update that a PATCH asks for: plain members are set, operators stay, ``_etag`` is the server's.

    Args:
        body: plain members, with dots where they reach into the document, and update operators; an ``_id`` among the
            plain ones, which the caller has checked, is left out.
        version: the new ``_etag``.

    Raises:
        RequestError: there is nothing to do, or a member is set twice.
    """
    if not body:
        raise RequestError("no data provided")
    changes: Document = {}
    plain: Document = {}
    for name, value in body.items():
        if name.startswith("$"):
            changes[name] = _without_version(value)
        elif name not in {"_id", "_etag"}:
            plain[name] = value
    given = changes.pop("$set", {})
    if not isinstance(given, Mapping):
        raise RequestError("$set takes an object")
    if twice := [name for name in plain if name in given]:
        raise RequestError(f"'{twice[0]}' is set twice")
    # An operator that has lost its only member would be refused by MongoDB before version 5.
    changes = {name: value for name, value in changes.items() if value != {}}
    return {"$set": {**plain, **given, "_etag": version}, **changes}


def same_value(left: Any, right: Any) -> bool:
    """Say whether two values are the same to MongoDB; true is not 1, as it is in Python."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _without_version(value: Any) -> Any:
    return {name: item for name, item in value.items() if name != "_etag"} if isinstance(value, dict) else value


# --- $currentDate --------------------------------------------------------------------------------------------------


def _set_dates(document: Document, wanted: Any) -> None:
    if not isinstance(wanted, Mapping):
        raise RequestError("$currentDate takes an object")
    dates = {name: _current_date(name, kind) for name, kind in wanted.items()}
    for name, value in _Unfolding().document(dates).items():
        if isinstance(value, dict) and isinstance(document.get(name), dict):
            _merge(document[name], value)
        else:
            document[name] = value


def _merge(target: Document, source: Document) -> None:
    for name, value in source.items():
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value


def _current_date(name: str, kind: Any) -> datetime | Timestamp:
    now = time.time()
    if isinstance(kind, bool) or kind == {"$type": "date"}:
        return datetime.fromtimestamp(int(now * 1000) / 1000, UTC)
    if kind == {"$type": "timestamp"}:
        return Timestamp(int(now), 1)
    raise RequestError(f'$currentDate of \'{name}\' takes true or {{"$type": "date" | "timestamp"}}')


# --- dotted names --------------------------------------------------------------------------------------------------


class _Unfolding:
    """Turns ``{"a.b": 1, "l.0": "x"}`` into ``{"a": {"b": 1}, "l": ["x"]}``, at the top and in objects in arrays.

    What holds no dots is given back as it is, not copied.
    """

    def __init__(self) -> None:
        self._padding = _MAX_PADDING

    def document(self, value: Document, depth: int = 0) -> Document:
        """Unfold an object, and what is in its arrays."""
        for name, item in value.items():
            kind = type(item)
            if kind is dict or kind is list:
                value[name] = self._inside(item, depth + 1)
        return self._unfold(value) if any("." in name for name in value) else value

    def _inside(self, value: Any, depth: int) -> Any:
        if depth > _MAX_PARTS:
            raise RequestError(f"the body is nested more than {_MAX_PARTS} levels deep")
        if type(value) is dict:
            for name, item in value.items():
                kind = type(item)
                if kind is dict or kind is list:
                    value[name] = self._inside(item, depth + 1)
            return value
        for index, item in enumerate(value):
            kind = type(item)
            if kind is dict:
                value[index] = self.document(item, depth + 1)
            elif kind is list:
                value[index] = self._inside(item, depth + 1)
        return value

    def _unfold(self, value: Document) -> Document:
        unfolded: Document = {name: item for name, item in value.items() if "." not in name}
        for name, item in value.items():
            if "." in name:
                self._put(unfolded, name, item)
        # Names stay in the order in which they were sent.
        order = dict.fromkeys(name.partition(".")[0] for name in value)
        return {name: unfolded[name] for name in order}

    def _put(self, top: Document, name: str, value: Any) -> None:
        parts = name.split(".")
        if "" in parts or len(parts) > _MAX_PARTS:
            raise RequestError(f"'{name[:100]}' is no path: a part is empty, or there are too many")
        at: Any = top
        for part, following in pairwise(parts):
            at = self._step(at, part, name, [] if _is_index(following) else {})
        place = self._place(at, parts[-1], name)
        if place in at if isinstance(at, dict) else at[place] is not None:
            raise _collision(name)
        at[place] = value

    def _step(self, at: Any, part: str, name: str, fresh: Any) -> Any:
        place = self._place(at, part, name)
        if isinstance(at, list) and at[place] is None:
            at[place] = fresh
        elif isinstance(at, dict):
            at.setdefault(place, fresh)
        return at[place]

    def _place(self, at: Any, part: str, name: str) -> Any:
        """Give the key or the index of a part; an array is made long enough for it."""
        if isinstance(at, dict):
            return part
        if not isinstance(at, list) or not _is_index(part):
            raise _collision(name)
        index = int(part)
        missing = index + 1 - len(at)
        if missing > 0:
            self._padding -= missing - 1
            if self._padding < 0:
                raise RequestError(f"'{name[:100]}' leaves too many places of its array empty")
            at.extend([None] * missing)
        return index


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdecimal() and len(part) < 10


def _collision(name: str) -> RequestError:
    return RequestError(f"the name '{name[:100]}' collides with another name of the body")
