"""What tests of sync jobs share: a source made of values, a tenant of a test's own, and a look at what is stored."""

import hashlib
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from content_core.names import content_collection, files_bucket
from content_sync.model import Document, MediaFile, Portion, Skipped, State
from schema_gen.model import Resolution
from tests.live import LiveServer

LOCALES = (("de", "DE"), ("en", "GB"))


@dataclass(slots=True)
class ValueSource:
    """A source that holds what a test puts into it."""

    content: dict[State, list[Document]]
    files: dict[State, list[MediaFile]] = field(default_factory=dict)
    left_out: tuple[Skipped, ...] = ()
    project: str | None = None

    def states(self) -> tuple[State, ...]:
        return tuple(self.content)

    def documents(self, state: State) -> Iterator[Document]:
        yield from json.loads(json.dumps(self.content[state]))

    def portions(self, state: State) -> Iterator[Portion]:
        yield Portion(partial(self.documents, state))

    def media(self, state: State) -> Iterator[MediaFile]:
        yield from self.files.get(state, ())

    def resolutions(self) -> tuple[Resolution, ...]:
        return ()

    def skipped(self) -> tuple[Skipped, ...]:
        return self.left_out


def gid(number: int) -> str:
    """An id like those of elements: spread over all ranges, always the same."""
    return str(uuid.UUID(bytes=hashlib.sha256(str(number).encode()).digest()[:16]))


def page(number: int, *, revision: int | None = 1, kind: str = "PageRef", **more: Any) -> list[Document]:
    """A page in every language."""
    information = {} if revision is None else {"changeInfo": {"date": "2025-02-03T08:15Z", "revision": revision}}
    return [
        {
            "_id": f"{gid(number)}.{language}_{country}",
            "fsType": kind,
            "identifier": gid(number),
            "uid": f"page_{number}",
            "locale": {"identifier": language.upper(), "language": language, "country": country},
            **more,
            **information,
        }
        for language, country in LOCALES
    ]


def pages(count: int, **more: Any) -> list[Document]:
    return [document for number in range(count) for document in page(number, **more)]


def medium(number: int, data: bytes) -> tuple[list[Document], MediaFile]:
    """A file in every language, with one binary for all of them."""
    documents = page(number, kind="Media", mediaType="FILE", fileName=f"file_{number}", url=None)
    file = MediaFile(
        file_id=gid(number),
        document_id=documents[0]["_id"],
        resolution=None,
        language=None,
        path=f"Files/file_{number}.txt",
        content_type="text/plain",
        open=lambda: io.BytesIO(data),
        size=len(data),
        digest=hashlib.sha256(data).hexdigest(),
    )
    return documents, file


@dataclass(frozen=True, slots=True)
class Place:
    """A project of a test's own on a server, and the admin who sees all of it."""

    url: str
    tenant: str
    project: str
    admin: tuple[str, str]
    key: str

    @classmethod
    def on(cls, server: LiveServer) -> "Place":
        place = cls(server.url, f"t{uuid.uuid4().hex[:10]}", str(uuid.uuid4()), server.admin, str(uuid.uuid4()))
        methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
        place.request("PUT", "")
        key = {"_id": place.key, "key": place.key, "permissions": [{"url": f"/{place.project}.", "methods": methods}]}
        place.request("PUT", f"/apikeys/{place.key}", key)
        return place

    def request(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        response = httpx.request(
            method, f"{self.url}/{self.tenant}{path}", auth=self.admin, json=body, params=params, timeout=30
        )
        response.raise_for_status()
        return response.json() if response.content else None

    def stored(self, state: State = "preview") -> dict[str, Document]:
        """Every document, by id."""
        return self._all(f"/{content_collection(self.project, state)}")

    def files(self, state: State = "preview") -> dict[str, Document]:
        """Every file of the bucket, by id."""
        return self._all(f"/{files_bucket(self.project, state)}")

    def _all(self, path: str) -> dict[str, Document]:
        found: dict[str, Document] = {}
        number = 0
        while True:
            number += 1
            listed = self.request("GET", path, rep="s", pagesize=100, page=number, sort="_id")
            found |= {str(document["_id"]): document for document in listed}
            if len(listed) < 100:
                return found


def bare(documents: Sequence[Document] | Mapping[str, Document]) -> dict[str, Document]:
    """Documents by id, without what the server and a job put into them."""
    values = documents.values() if isinstance(documents, Mapping) else documents
    found = {}
    for document in values:
        rest = {name: value for name, value in document.items() if name not in {"_etag", "changeInfo"}}
        information = {name: value for name, value in document.get("changeInfo", {}).items() if name != "lastSynced"}
        found[document["_id"]] = rest | {"changeInfo": information}
    return found
