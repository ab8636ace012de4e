"""The bytes of files: whole or a part, as a browser may have them."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from content_core.documents import Document
from content_core.errors import NotFoundError, RangeNotSatisfiableError, StoreError
from content_core.store import Store
from rest_compat.call import Call, check_version, version_headers
from rest_compat.content_types import OCTET_STREAM, is_media_type, runs_in_browsers
from rest_compat.documents_read import file_version
from rest_compat.errors import render_error
from rest_compat.ids import parse_id
from rest_compat.metadata import Properties
from rest_compat.query import parse_filter
from rest_compat.ranges import ByteRange, parse_range
from rest_compat.reply import Reply
from rest_compat.settings import RestSettings

__all__ = ["Binaries", "disposition"]

_TRIES: Final = 5
_UNSAFE: Final = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
"""What cannot stand between quotes in a header without ado: controls, quotes, backslashes, and all beyond ASCII."""


class Binaries:
    """The handler of ``/<database>/<bucket>.files/<id>/binary``.

    Args:
        store: where the bytes are.
        properties: what exists.
        settings: limits.
    """

    def __init__(self, store: Store, properties: Properties, settings: RestSettings) -> None:
        self._store = store
        self._properties = properties
        self._settings = settings

    async def read(self, call: Call) -> Reply:
        """Give the bytes, or those in the range that the request names."""
        document_id = parse_id(call.request, call.resource.document)
        condition = parse_filter(call.request, self._settings)
        seen: Any = None
        for _ in range(_TRIES):
            file = await self._find(call, document_id, condition)
            if unchanged := check_version(call.request, file_version(file)):
                return unchanged
            try:
                return await self._answer(call, file)
            except StoreError:
                # Somebody has replaced the file since its document was read; if nobody did, its bytes are missing.
                if seen == (seen := (file.get("uploadDate"), file.get("_chunks"))):
                    raise
        raise StoreError("The file is replaced again and again")

    async def _find(self, call: Call, document_id: Any, condition: Document | None) -> Document:
        resource = call.resource
        wanted: Document = {"_id": {"$eq": document_id}}
        if condition is not None:
            wanted = {"$and": [wanted, condition]}
        limit = self._settings.query_time_limit_ms
        file = await self._store.find_one(resource.database, resource.collection, filter=wanted, max_time_ms=limit)
        if file is None or not _has_bytes(file):
            await self._properties.of_collection(resource.database, resource.collection)
            raise NotFoundError(f"File with ID <{resource.document}> not found")
        return file

    async def _answer(self, call: Call, file: Document) -> Reply:
        length = int(file["length"])
        version = version_headers(file_version(file))
        headers = {**_headers(file), **version}
        try:
            wanted = parse_range(call.request, length=length, version=version.get("ETag", ""))
        except RangeNotSatisfiableError as error:
            kept = {**version, "Accept-Ranges": "bytes", "Content-Range": f"bytes */{length}"}
            return replace(render_error(error, call.request, realm=""), headers=kept)
        if wanted is not None:
            headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{length}"
        part = wanted or ByteRange(0, length)
        headers["Content-Length"] = str(part.stop - part.start)
        status = 200 if wanted is None else 206
        if call.request.method == "HEAD" or part.start == part.stop:
            return Reply(status=status, body=b"", media_type="", headers=headers)
        bucket = self._store.bucket(call.resource.database, call.resource.collection)
        pieces = bucket.read(file, part.start, part.stop)
        first = await anext(pieces)  # before the head is sent: what is not there can still be said
        if len(first) == part.stop - part.start:
            return Reply(status=status, body=first, media_type="", headers=headers)
        return Reply(status=status, pieces=_chain(first, pieces), headers=headers)


def disposition(filename: str) -> str:
    """Write the header ``Content-Disposition`` (RFC 6266) for a file that a browser may show."""
    plain = _UNSAFE.sub("_", filename)
    header = f'inline; filename="{plain}"'
    return header if plain == filename else f"{header}; filename*=UTF-8''{quote(filename, safe='', errors='replace')}"


def _headers(file: Document) -> dict[str, str]:
    metadata = file.get("metadata")
    said = metadata.get("contentType") if isinstance(metadata, dict) else None
    said = said or file.get("contentType")  # where older programs kept it
    media_type = said if isinstance(said, str) and is_media_type(said) else OCTET_STREAM
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": disposition(str(file.get("filename") or "file")),
        "Content-Transfer-Encoding": "binary",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if runs_in_browsers(media_type):
        headers["Content-Security-Policy"] = "sandbox"
    return headers


def _has_bytes(file: Document) -> bool:
    length, size = file.get("length"), file.get("chunkSize")
    if not isinstance(length, int | float) or not isinstance(size, int | float):
        return False
    return length >= 0 and size > 0


async def _chain(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece
