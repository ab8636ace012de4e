"""Write modes, and what they make of the ``_id`` of a posted document."""

from collections.abc import Mapping
from typing import Final

from bson import ObjectId

from content_core.access.reserved import check_document
from content_core.documents import Document
from content_core.errors import RequestError
from content_core.store import WriteMode
from rest_compat.request import Request

__all__ = ["ensure_id", "read_mode"]

_MODES: Final[Mapping[str, WriteMode]] = {"insert": "insert", "update": "update", "upsert": "upsert"}
_AUTOMATIC: Final = frozenset({"OID", "STRING_OID"})
"""The types of ids that the server makes."""


def read_mode(request: Request) -> WriteMode:
    """Read ``wm`` or ``writeMode``; without one, and for one that is unknown, CaaS does upserts."""
    for name in ("wm", "writeMode"):
        if given := request.query.get(name):
            return _MODES.get(given[0].strip().lower(), "upsert")
    return "upsert"


def ensure_id(document: Document, *, kind: str, mode: WriteMode) -> bool:
    """Make sure that a posted document has an ``_id``; True if it brought one, False if it is given a new one.

    Args:
        document: the document; a new ``_id`` is put into it.
        kind: the type of ids of the request.
        mode: how it is written.

    Raises:
        RequestError: the ``_id`` cannot be one, or is missing where the server makes none.
        ReservedNameError: it belongs to the server.
    """
    if "_id" in document:
        document_id = document["_id"]
        if isinstance(document_id, list):
            raise RequestError("an array cannot be an '_id'")
        if isinstance(document_id, str):
            check_document(document_id)
        return True
    if mode == "update":
        raise RequestError("with wm=update the document must have an '_id'")
    if kind not in _AUTOMATIC:
        raise RequestError(f"the document must have an '_id': the server makes none of the type {kind}")
    document["_id"] = ObjectId()
    return False
