"""The public HTTP interface as a sync job uses it: one tenant, one project, an API key, and patience.

Every request of a job may be sent twice without harm (documents and files are written under their own ids), so what
fails in passing is repeated: 408, 429, 5xx and broken connections. The key goes into a header and nowhere else.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Self
from urllib.parse import quote

import httpx
import orjson

from content_core.documents import Document, Json
from content_core.names import State, content_collection, files_bucket
from content_sync.authorization import authorization
from content_sync.errors import AnswerError, MissingError, RefusedError, SyncError, UnreachableError
from content_sync.measured_bytes import MeasuredBytes
from content_sync.model import MediaFile
from content_sync.retry import Retrying, passing_status

__all__ = ["BulkOutcome", "Failed", "SyncClient"]

_PAGE: Final = 100
"""The most elements that the interface gives at once."""

_TLS_HINTS: Final[Mapping[str, str]] = {
    "CERTIFICATE_VERIFY_FAILED": "SSL_CERT_FILE names a file with the certificates of authorities of your own",
    "WRONG_VERSION_NUMBER": "the server speaks no TLS: its address begins with http://, perhaps",
}
"""What OpenSSL says → what to do about it."""

_JSON: Final = {"content-type": "application/json"}
_DIGEST: Final = "sha256"
"""The member of a file's metadata that holds the digest of its bytes."""


@dataclass(frozen=True, slots=True)
class Failed:
    """An element of a bulk request that was not written."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What became of the elements of a bulk request.

    Attributes:
        inserted: how many are new.
        replaced: how many were there before.
        failed: those that were not written, by their place in the request.
    """

    inserted: int
    replaced: int
    failed: Mapping[int, Failed] = field(default_factory=dict)


class SyncClient:
    """A project on a server; open it with ``async with``. Calls may be in flight together.

    Args:
        server: base URL of the server.
        api_key: an API key with all methods on the project's collections and buckets.
        tenant: the tenant.
        project: the project's GID.
        timeout: seconds that one attempt may stay without progress.
        retrying: how often and how patiently requests are repeated.
        connections: most connections at a time.
        dry_run: send nothing that writes; such calls give what they give when all goes well.

    Raises:
        SyncError: the address of the server is none, or the key can be none.
    """

    def __init__(
        self,
        server: str,
        *,
        api_key: str,
        tenant: str,
        project: str,
        timeout: float = 60.0,
        retrying: Retrying | None = None,
        connections: int = 16,
        dry_run: bool = False,
    ) -> None:
        self.tenant = tenant
        self.project = project
        self.dry_run = dry_run
        self.repeated = 0
        """How many requests were sent again; for the report."""
        self._retrying = retrying or Retrying()
        self._timeout = timeout
        try:
            self._client = httpx.AsyncClient(
                base_url=server.rstrip("/"),
                headers=[authorization(api_key)],
                timeout=timeout,
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            )
        except httpx.InvalidURL as error:
            raise SyncError(f"{server} is no server address: {error}") from error
        except OSError as error:
            reason = error.strerror or str(error)
            raise SyncError(
                f"the certificates of the authorities that are trusted cannot be read: {reason}",
                hint="look at SSL_CERT_FILE and SSL_CERT_DIR",
            ) from error
        if self._client.base_url.scheme not in {"http", "https"} or not self._client.base_url.host:
            raise SyncError(f"{server} is no server address", hint="it starts with http:// or https://")

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *_problem: object) -> None:
        await self._client.aclose()

    # --- addresses -------------------------------------------------------------------------------------------------

    @property
    def server(self) -> str:
        """The base URL, without a slash at its end."""
        return str(self._client.base_url).rstrip("/")

    def path(self, *segments: str) -> str:
        """Write an address below the tenant: ``path("apikeys", "a b")`` is ``/acme/apikeys/a%20b``.

        Raises:
            SyncError: a segment is ``.`` or ``..``, which would lead to another resource.
        """
        if not {".", ".."}.isdisjoint(segments):
            raise SyncError("'.' and '..' can be no names of resources")
        return "".join(f"/{quote(segment, safe='')}" for segment in (self.tenant, *segments))

    def collection(self, state: State) -> str:
        """Name the collection of a state's documents."""
        return content_collection(self.project, state)

    def bucket(self, state: State) -> str:
        """Name the bucket of a state's binaries."""
        return files_bucket(self.project, state)

    # --- single requests -------------------------------------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """Read a resource.

        Raises:
            MissingError: there is none.
            SyncError: the server refused, or could not be reached.
        """
        return _parsed(await self._send("GET", path, params=params))

    async def exists(self, path: str) -> bool:
        """Whether a resource is there.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        try:
            await self._send("GET", path, params={"pagesize": 0, "np": ""})
        except MissingError:
            return False
        return True

    async def put(self, path: str, body: Json = None, params: Mapping[str, Any] | None = None) -> Json:
        """Create or replace a resource; gives what the answer holds, mostly nothing.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        return await self._write("PUT", path, body, params)

    async def post(self, path: str, body: Json = None, params: Mapping[str, Any] | None = None) -> Json:
        """Send an element, or several, to a collection.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        return await self._write("POST", path, body, params)

    async def patch(self, path: str, body: Json, params: Mapping[str, Any] | None = None) -> Json:
        """Change members of a resource.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        return await self._write("PATCH", path, body, params)

    async def delete(self, path: str, params: Mapping[str, Any] | None = None) -> bool:
        """Remove a resource; False if there is none.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        if self.dry_run:
            return True
        try:
            await self._send("DELETE", path, params=params)
        except MissingError:
            return False
        return True

    # --- documents -------------------------------------------------------------------------------------------------

    async def bulk_post(self, collection: str, documents: Sequence[Document | bytes]) -> BulkOutcome:
        """Create or replace documents, in one request.

        Args:
            collection: their collection.
            documents: with `_id`; as values, or as JSON.

        Raises:
            SyncError: the server refused all of them, or could not be reached.
        """
        if self.dry_run:
            return BulkOutcome(len(documents), 0)
        pieces = (piece if isinstance(piece, bytes) else orjson.dumps(piece) for piece in documents)
        body = b"[" + b",".join(pieces) + b"]"
        response = await self._send("POST", self.path(collection), params={"rep": "s"}, content=body, headers=_JSON)
        return _outcome(_parsed(response))

    async def bulk_delete(self, collection: str, condition: Document) -> int:
        """Delete the documents that meet a condition; gives their number.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        if self.dry_run:
            return self.counted(await self.get(f"{self.path(collection)}/_size", {"filter": json.dumps(condition)}))
        params = {"filter": json.dumps(condition), "rep": "s"}
        answer = _parsed(await self._send("DELETE", f"{self.path(collection)}/*", params=params))
        try:
            return int(answer["deleted"])
        except (KeyError, TypeError, ValueError) as error:
            raise self.no_server() from error

    async def list_ids(
        self,
        collection: str,
        keys: Sequence[str] = (),
        *,
        condition: Document | None = None,
        first: str = "",
        before: str | None = None,
    ) -> AsyncIterator[Document]:
        """Yield the documents of a collection whose ids are strings, in the order of their ids, with a few members.

        Each page starts after the last id of the one before, so that writes in between shift nothing. What is inserted
        meanwhile may be missing; what is there all along is yielded exactly once.

        Args:
            collection: the collection.
            keys: the members that are wanted besides ``_id``, such as ``changeInfo.revision``.
            condition: a filter that the documents meet.
            first: the lowest id that is wanted.
            before: the lowest id that is not wanted any more.

        Raises:
            MissingError: there is no such collection.
            SyncError: the server refused, or could not be reached.
        """
        bounds: Document = {"$gte": first} | ({"$lt": before} if before is not None else {})
        while True:
            page = await self._page(collection, keys, {"_id": bounds} | (condition or {}))
            for document in page:
                yield document
            if len(page) < _PAGE:
                return
            del bounds["$gt" if "$gt" in bounds else "$gte"]
            bounds["$gt"] = page[-1]["_id"]

    async def _page(self, collection: str, keys: Sequence[str], condition: Document) -> list[Document]:
        params = {
            "filter": json.dumps(condition),
            "keys": json.dumps({"_id": 1} | dict.fromkeys(keys, 1)),
            "sort": '{"_id":1}',
            "hint": '{"_id":1}',  # else the planner may choose another index, and sort every page anew
            "pagesize": _PAGE,
            "rep": "s",
            "np": "",
        }
        page = _parsed(await self._send("GET", self.path(collection), params=params))
        return self.listed(page, "_id")

    # --- files -----------------------------------------------------------------------------------------------------

    async def upload(self, bucket: str, file: MediaFile) -> None:
        """Store a file in a bucket, with its name, type and digest; an older one under its id is replaced.

        Raises:
            OSError: its bytes cannot be read, or are others than when they were measured; nothing is stored.
            SyncError: the server refused, or could not be reached.
        """
        if self.dry_run:
            return
        name = file.path.rpartition("/")[2]
        metadata = {"filename": name, "contentType": file.content_type, _DIGEST: file.digest}
        data = {"metadata": orjson.dumps(metadata).decode()}

        def body() -> tuple[dict[str, Any], BinaryIO]:
            handle = file.open()
            measured: Any = MeasuredBytes(handle, size=file.size, digest=file.digest)
            return {"data": data, "files": {"file": (name, measured, file.content_type)}}, handle

        path = self.path(bucket, file.file_id)
        attempt = 0
        while True:
            attempt += 1
            arguments, handle = await asyncio.to_thread(body)
            with handle:
                response = await self._attempt("PUT", path, attempt, arguments)
            if response is not None:
                self._check(response, f"PUT {path}")
                return

    async def delete_file(self, bucket: str, file_id: str) -> bool:
        """Remove a file from a bucket; False if there is none.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        return await self.delete(self.path(bucket, file_id))

    async def list_digests(self, bucket: str) -> AsyncIterator[tuple[str, str | None]]:
        """Yield the ids of a bucket's files with the digests that ``upload`` gave them.

        Raises:
            MissingError: there is no such bucket.
            SyncError: the server refused, or could not be reached.
        """
        async for file in self.list_ids(bucket, (f"metadata.{_DIGEST}",)):
            metadata = file.get("metadata")
            digest = metadata.get(_DIGEST) if isinstance(metadata, dict) else None
            yield file["_id"], digest if isinstance(digest, str) else None

    async def file_digests(self, bucket: str) -> dict[str, str | None]:
        """Read the ids of a bucket's files with the digests that ``upload`` gave them; empty without a bucket.

        Raises:
            SyncError: the server refused, or could not be reached.
        """
        try:
            return {file_id: digest async for file_id, digest in self.list_digests(bucket)}
        except MissingError:
            return {}

    # --- the wire --------------------------------------------------------------------------------------------------

    async def _write(self, method: str, path: str, body: Json, params: Mapping[str, Any] | None) -> Json:
        if self.dry_run:
            return None
        content = None if body is None else orjson.dumps(body)
        return _parsed(await self._send(method, path, params=params, content=content, headers=_JSON))

    async def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        attempt = 0
        while True:
            attempt += 1
            response = await self._attempt(method, path, attempt, arguments)
            if response is not None:
                return self._check(response, f"{method} {path}")

    async def _attempt(
        self, method: str, path: str, attempt: int, arguments: Mapping[str, Any]
    ) -> httpx.Response | None:
        """Send a request once; nothing if it shall be sent again, after the wait that this took."""
        last = attempt >= self._retrying.attempts
        response = None
        try:
            response = await self._client.request(method, path, **arguments)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise SyncError(f"{self.server} is no server address: {error}") from error
        except httpx.HTTPError as error:
            if last:
                silent = f"it was silent for {self._timeout:g} seconds"
                reason = silent if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
                hint = next((told for sign, told in _TLS_HINTS.items() if sign in reason), None)
                raise UnreachableError(f"cannot reach the server at {self.server}: {reason}", hint=hint) from error
        if response is not None and (last or not passing_status(response.status_code)):
            return response
        self.repeated += 1
        await asyncio.sleep(self._retrying.delay(attempt, response))
        return None

    def _check(self, response: httpx.Response, doing: str) -> httpx.Response:
        if response.is_success:
            return response
        status = response.status_code
        hint = {
            401: "the API key is unknown to this server, or to this tenant",
            403: f"the API key may not do this; it needs all methods on {self.path(self.project)}.*",
            413: "raise the server's OPENCAAS_MAX_DEFINITION_BYTES for documents, OPENCAAS_MAX_FILE_BYTES for media",
        }.get(status)
        if response.has_redirect_location:  # never followed: the key would go to whoever answers there
            hint = f"it is elsewhere: give --server the address that leads to {_target(response)}"
        kind = MissingError if status == 404 else RefusedError
        raise kind(f"{doing}: the server answered {status}{_message(response)}", answered=status, hint=hint)

    def counted(self, answer: Json) -> int:
        """Read the number out of what ``_size`` of a collection or a bucket answers.

        Raises:
            AnswerError: it holds none.
        """
        try:
            return int(answer["_size"])
        except (KeyError, TypeError, ValueError) as error:
            raise self.no_server() from error

    def listed(self, answer: Json, *members: str) -> list[Document]:
        """Make sure that an answer is a list of objects which have these members.

        Raises:
            AnswerError: it is something else.
        """
        wanted = set(members)
        if not isinstance(answer, list) or not all(isinstance(each, dict) and wanted <= each.keys() for each in answer):
            raise self.no_server()
        return answer

    def no_server(self) -> AnswerError:
        """The error for answers that no server of this kind gives."""
        return AnswerError(f"what answers at {self.server} is no CaaS server")


def _parsed(response: httpx.Response) -> Json:
    if not response.content:
        return None
    try:
        return orjson.loads(response.content)
    except ValueError as error:
        raise AnswerError(f"what answers at {response.url.host} is no CaaS server") from error


def _outcome(answer: Json) -> BulkOutcome:
    try:
        errors = {
            int(error["index"]): Failed(int(error["httpStatus"]), str(error.get("message", "")))
            for error in answer.get("errors", ())
        }
        return BulkOutcome(int(answer["inserted"]), int(answer["matched"]), errors)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError("the answer to a bulk request is not that of a CaaS server") from error


def _target(response: httpx.Response) -> str:
    """Where a redirection leads, without what else an address may hold."""
    try:
        address = response.url.join(response.headers["location"])
    except httpx.InvalidURL:
        return "another place"
    return f"{address.scheme}://{address.netloc.decode('ascii', 'replace')}{address.path}"


def _message(response: httpx.Response) -> str:
    try:
        message = response.json().get("message")
    except (ValueError, AttributeError):
        return ""
    return f": {message}" if isinstance(message, str) else ""
