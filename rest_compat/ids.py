"""Ids of documents in addresses: from a path segment to a BSON value, and back to a link."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Final

from bson import MaxKey, MinKey, ObjectId
from bson.datetime_ms import DatetimeMS

from content_core.errors import RequestError
from content_core.extended_json import epoch_milliseconds, from_epoch_milliseconds, from_json, parse_json
from rest_compat.call import link
from rest_compat.request import Request

__all__ = ["DEFAULT_ID_TYPE", "document_link", "id_type", "parse_id", "read_id"]

DEFAULT_ID_TYPE: Final = "STRING_OID"

_OID: Final = re.compile(r"[0-9a-fA-F]{24}")
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_INT64: Final = range(-(2**63), 2**63)
_CONSTANTS: Final[Mapping[str, Any]] = {
    "_null": None,
    "_true": True,
    "_false": False,
    "_minkey": MinKey(),
    "_maxkey": MaxKey(),
}
"""Segments that mean a value whatever the type, in lower case."""


def id_type(request: Request) -> str:
    """Give the ``id_type`` of a request, in upper case.

    Raises:
        RequestError: there is no such type.
    """
    name = request.query.get("id_type", (DEFAULT_ID_TYPE,))[0].upper()
    if name not in _READERS:
        raise RequestError("unknown id_type")
    return name


def parse_id(request: Request, segment: str) -> Any:
    """Read the id that a path segment means in a request.

    Raises:
        RequestError: the ``id_type`` is unknown, or the segment is not of it.
    """
    return read_id(segment, id_type(request))


def read_id(segment: str, kind: str) -> Any:
    """Read the id that a path segment means, by one of the types of :func:`id_type`.

    Raises:
        RequestError: the segment is not of this type.
    """
    constant = segment.lower()
    return _CONSTANTS[constant] if constant in _CONSTANTS else _READERS[kind](segment)


def document_link(database: str, collection: str, document_id: Any) -> str | None:
    """Write the path of a document, such that :func:`parse_id` reads the same id; None where no path can say it."""
    for name, constant in (("_null", None), ("_true", True), ("_false", False)):
        if document_id is constant:
            return link(database, collection, name)
    match document_id:
        case MinKey() | MaxKey():
            segment, kind = f"_{type(document_id).__name__}", ""
        case ObjectId():
            segment, kind = str(document_id), ""
        case str():
            ambiguous = _OID.fullmatch(document_id) or document_id.lower() in _CONSTANTS
            # A constant cannot be spelled as a string; an empty segment and dot segments are no segments.
            if document_id in {"", ".", ".."} or document_id.lower() in _CONSTANTS:
                return None
            segment, kind = document_id, "STRING" if ambiguous else ""
        case int() | float() if isfinite(document_id):
            segment, kind = repr(document_id + 0), "NUMBER"
        case datetime() | DatetimeMS():
            segment, kind = str(epoch_milliseconds(document_id)), "DATE"
        case _:
            return None
    path = link(database, collection, segment)
    return f"{path}?id_type={kind}" if kind else path


def _read_string_or_oid(segment: str) -> Any:
    return ObjectId(segment) if _OID.fullmatch(segment) else segment


def _read_oid(segment: str) -> ObjectId:
    if not _OID.fullmatch(segment):
        raise _mismatch("OID")
    return ObjectId(segment)


def _read_number(segment: str) -> Any:
    number = _read_json(segment, "NUMBER")
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _mismatch("NUMBER")
    return number


def _read_date(segment: str) -> datetime | DatetimeMS:
    if _INTEGER.fullmatch(segment) and int(segment) in _INT64:
        return from_epoch_milliseconds(int(segment))
    date = _read_json(segment, "DATE")
    if not isinstance(date, datetime | DatetimeMS):
        raise _mismatch("DATE")
    return date


def _read_boolean(segment: str) -> bool:
    if segment not in {"true", "false"}:
        raise _mismatch("BOOLEAN")
    return segment == "true"


def _read_json(segment: str, kind: str) -> Any:
    try:
        return from_json(parse_json(segment))
    except RequestError as error:
        raise _mismatch(kind) from error


def _read_constant(name: str) -> Callable[[str], Any]:
    """Take the plain word for a constant, too: ``null`` beside ``_null``."""

    def read(segment: str) -> Any:
        if segment.lower() != name:
            raise _mismatch(name.upper())
        return _CONSTANTS[f"_{name}"]

    return read


def _mismatch(kind: str) -> RequestError:
    return RequestError(f"the id in the path is not of the type that id_type={kind} says")


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    DEFAULT_ID_TYPE: _read_string_or_oid,
    "STRING": str,
    "OID": _read_oid,
    "NUMBER": _read_number,
    "DATE": _read_date,
    "BOOLEAN": _read_boolean,
    "MINKEY": _read_constant("minkey"),
    "MAXKEY": _read_constant("maxkey"),
    "NULL": _read_constant("null"),
}
