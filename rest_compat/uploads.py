"""A file and its metadata as a client sends them: multipart, the bytes passed on to the store as they arrive."""

from dataclasses import dataclass
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import BodyTooLargeError, RequestError
from content_core.relaxed_json import parse_relaxed
from content_core.store import FileUpload
from rest_compat.call import Call
from rest_compat.content_types import HEAD_BYTES, detect, is_media_type
from rest_compat.multipart import Part, read_parts
from rest_compat.settings import RestSettings

__all__ = ["NO_FILE", "ReceivedFile", "check_descriptions", "receive_file"]

NO_FILE: Final = "This request does not contain any binary file"
_METADATA: Final = frozenset({"metadata", "properties"})
_BETWEEN: Final = 1024 * 1024
"""How much longer than file and metadata a body may be: headers of the parts, and parts that nobody asked for."""


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """What is known of an upload whose bytes are with the store.

    Args:
        metadata: the metadata that was sent.
        filename: the name of the file.
        content_type: what kind of bytes it has.
    """

    metadata: Document
    filename: str
    content_type: str


async def receive_file(call: Call, upload: FileUpload, settings: RestSettings) -> ReceivedFile:
    """Read a body to its end.

    Args:
        call: the request; its first part with a file name is the file.
        upload: takes the bytes.
        settings: limits.

    Raises:
        RequestError: there is no file, or the metadata is no JSON object, or a name or type in it cannot be one.
        BodyTooLargeError: something is over its limit.
    """
    receiver = _Receiver(upload, settings)
    parts = read_parts(
        call.request,
        call.pieces(),
        max_bytes=settings.max_file_bytes + settings.max_file_metadata_bytes + _BETWEEN,
        max_parts=settings.max_upload_parts,
        idle_seconds=settings.upload_idle_seconds,
    )
    async for event in parts:
        if isinstance(event, Part):
            receiver.begin(event)
        elif event is None:
            receiver.end()
        else:
            await receiver.take(event)
    return receiver.result()


def check_descriptions(metadata: Document) -> None:
    """Check the members of metadata that have a meaning.

    Raises:
        RequestError: ``filename`` is no text, or ``contentType`` no media type.
    """
    filename, content_type = metadata.get("filename"), metadata.get("contentType")
    if filename is not None and (not isinstance(filename, str) or not filename):
        raise RequestError("the 'filename' in the metadata must be a string, and not an empty one")
    if content_type is not None and not (isinstance(content_type, str) and is_media_type(content_type)):
        raise RequestError("the 'contentType' in the metadata must be a media type, such as image/png")


class _Receiver:
    def __init__(self, upload: FileUpload, settings: RestSettings) -> None:
        self._upload = upload
        self._settings = settings
        self._file: Part | None = None
        self._raw = bytearray()
        self._metadata: Document | None = None
        self._head = b""
        self._at = ""

    def begin(self, part: Part) -> None:
        """Decide what a part is; what is neither is read and forgotten."""
        self._at = ""
        if part.filename:
            if self._file is None:
                self._file, self._at = part, "file"
        elif part.name in _METADATA and self._metadata is None:
            self._metadata, self._at = {}, "metadata"

    async def take(self, data: bytes) -> None:
        """Take bytes of the part that began last."""
        if self._at == "file":
            limit = self._settings.max_file_bytes
            if self._upload.length + len(data) > limit:
                raise BodyTooLargeError(f"the file is over the limit of {limit} bytes")
            if len(self._head) < HEAD_BYTES:
                self._head += data[: HEAD_BYTES - len(self._head)]
            await self._upload.write(data)
        elif self._at == "metadata":
            self._raw += data
            limit = self._settings.max_file_metadata_bytes
            if len(self._raw) > limit:
                raise BodyTooLargeError(f"the metadata is over the limit of {limit} bytes")

    def end(self) -> None:
        """Look at metadata as soon as they are there: the bytes of the file may be many."""
        if self._at == "metadata":
            self._metadata = _read_metadata(bytes(self._raw))
            check_descriptions(self._metadata)
        self._at = ""

    def result(self) -> ReceivedFile:
        """Say what came, when all of it has."""
        if self._file is None:
            raise RequestError(NO_FILE)
        metadata = self._metadata or {}
        filename = metadata.get("filename") or self._file.filename or "file"
        content_type = metadata.get("contentType") or detect(
            head=self._head, filename=filename, part_type=self._file.content_type
        )
        return ReceivedFile(metadata, filename, content_type)


def _read_metadata(raw: bytes) -> Document:
    if not raw.strip():
        return {}
    try:
        metadata: Any = parse_relaxed(raw.decode())
    except UnicodeDecodeError as error:
        raise RequestError("the metadata is not encoded as UTF-8") from error
    except RequestError as error:
        raise RequestError(f"the metadata is no JSON: {error.message}", details=error.details) from error
    if not isinstance(metadata, dict):
        raise RequestError("the metadata must be a JSON object")
    return metadata
