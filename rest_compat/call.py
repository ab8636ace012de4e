"""What a handler works on: the request, what it names, and its body when it is wanted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from bson import ObjectId

from content_core.access import Principal
from content_core.documents import Document, Json
from content_core.errors import NotFoundError
from content_core.store import Store
from rest_compat.body import parse_body
from rest_compat.reply import Reply
from rest_compat.request import Request
from rest_compat.resources import Resource
from rest_compat.settings import RestSettings

__all__ = [
    "Call",
    "Handler",
    "absolute_link",
    "check_version",
    "link",
    "require_collection",
    "require_database",
    "version_headers",
    "wanted_version",
]


async def _nothing() -> AsyncIterator[bytes]:
    for piece in list[bytes]():
        yield piece


_QUOTED: Final = "!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may pass.

    Args:
        request: the request.
        resource: what its path names.
        principal: who asks.
        read_body: reads the body from the connection and gives its bytes.
        pieces: gives the body as it arrives, unlimited, for those who do not keep it.
    """

    request: Request
    resource: Resource
    principal: Principal
    read_body: Callable[[], Awaitable[bytes]]
    pieces: Callable[[], AsyncIterator[bytes]] = _nothing

    async def body(self) -> Json:
        """Read the body as JSON."""
        return parse_body(await self.read_body())


Handler: TypeAlias = Callable[[Call], Awaitable[Reply]]


async def require_database(store: Store, database: str) -> list[str]:
    """Give the names of a database's collections.

    Raises:
        NotFoundError: there is no such database.
    """
    names = await store.collection_names(database)
    if not names:
        raise NotFoundError(f"Db '{database}' does not exist")
    return names


async def require_collection(store: Store, database: str, collection: str) -> None:
    """Make sure that a collection is there.

    Raises:
        NotFoundError: it is not, or its database is not.
    """
    if collection not in await require_database(store, database):
        raise NotFoundError(f"Collection '{collection}' does not exist")


def version_headers(document: Document) -> dict[str, str]:
    """Give the ``ETag`` header of a document, bare as clients know it, if it has a version."""
    version = document.get("_etag")
    return {"ETag": str(version)} if isinstance(version, ObjectId) else {}


def check_version(request: Request, current: Document | None) -> Reply | None:
    """Compare ``If-Match`` (``If-None-Match`` when reading) with what is stored; a reply ends the request.

    What is not there, or has no version, fits every ``If-Match``.
    """
    if current is None or not (version := version_headers(current)):
        return None
    stored = version["ETag"]
    if request.reads:
        return Reply(status=304, headers=version) if stored in _versions(request, "if-none-match") else None
    wanted = _versions(request, "if-match")
    return Reply(status=412, headers=version) if wanted and stored not in wanted else None


def wanted_version(request: Request, current: Document | None) -> ObjectId | None:
    """Give the version that the write must find, once :func:`check_version` let it pass; None where any will do."""
    if current is None or not version_headers(current) or not _versions(request, "if-match"):
        return None
    version: ObjectId = current["_etag"]
    return version


def link(*segments: str) -> str:
    """Write the path of a resource."""
    return "/" + "/".join(quote(segment, safe=_QUOTED) for segment in segments)


def absolute_link(call: Call, settings: RestSettings, path: str) -> str:
    """Write the whole address of a path, as the client of this call reaches it."""
    return (settings.public_url.rstrip("/") or call.request.base_url) + path


def _versions(request: Request, header: str) -> list[str]:
    """Read versions: bare, in quotes, or weak; they mean the same."""
    return [item.strip().removeprefix("W/").strip('"') for item in request.headers.get(header, "").split(",") if item]
