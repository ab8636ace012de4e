"""Documents exactly as they are stored: the driver otherwise reads ``{"$ref": …, "$id": …}`` as a reference.

That would lose the order of its members, and what is meant to be data would be none to those who look into it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bson.raw_bson import RawBSONDocument

from content_core.documents import Document

__all__ = ["plain_documents", "verbatim"]


def verbatim(collection: Any) -> Any:
    """Give the same collection, of either driver, whose documents come unread."""
    return collection.with_options(codec_options=collection.codec_options.with_options(document_class=RawBSONDocument))


def plain_documents(raw: Sequence[Mapping[str, Any]]) -> list[Document]:
    """Read such documents."""
    return [_read(document) for document in raw]


def _read(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _read(item) for name, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else value
