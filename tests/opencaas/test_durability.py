"""What the server has acknowledged survives ``kill -9``, and no document is ever there by halves."""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.live import LiveServer, live_server, wait_until_gone

_WRITERS = 16
_EACH = 625
_BATCH = 25
_SECOND_VERSIONS = 9
"""Every ninth document is replaced by a second version."""

_COLLECTION = "/acme/ledger"


def _document(document_id: str, version: int) -> dict[str, Any]:
    """Build a document of about 2 kB that tells whether it is whole."""
    source = random.Random(f"{document_id} {version}")
    parts = [source.randbytes(source.randint(20, 200)).hex() for _ in range(10)]
    return {"_id": document_id, "version": version, "parts": parts, "checksum": _checksum(document_id, version, parts)}


def _checksum(document_id: str, version: int, parts: list[str]) -> str:
    return hashlib.sha256(" ".join([document_id, str(version), *parts]).encode()).hexdigest()


def _is_whole(document: dict[str, Any]) -> bool:
    expected = _checksum(document["_id"], document["version"], document["parts"])
    return set(document) == {"_id", "version", "parts", "checksum", "_etag"} and expected == document["checksum"]


@dataclass(slots=True)
class _Writer:
    """Writes its documents in bulk and by turns one at a time, and remembers what was acknowledged."""

    number: int
    acknowledged: dict[str, int] = field(default_factory=dict)
    left: list[list[dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = [f"w{self.number}-{place}" for place in range(_EACH)]
        for start in range(0, _EACH, _BATCH):
            batch = [_document(document_id, 1) for document_id in ids[start : start + _BATCH]]
            self.left += [batch] if start // _BATCH % 4 else [[document] for document in batch]
            self.left += [[_document(document_id, 2)] for document_id in ids[start : start + _BATCH : _SECOND_VERSIONS]]

    def run(self, url: str, auth: tuple[str, str]) -> None:
        """Write until all is written or the server is gone."""
        with httpx.Client(base_url=url, auth=auth, timeout=30) as client:
            while self.left:
                documents = self.left[0]
                try:
                    answer = _send(client, documents)
                except httpx.TransportError:
                    return
                if answer.status_code not in {200, 201}:
                    assert answer.status_code >= 500, answer.text
                    return
                self.acknowledged |= {document["_id"]: document["version"] for document in documents}
                del self.left[0]


def _send(client: httpx.Client, documents: list[dict[str, Any]]) -> httpx.Response:
    if len(documents) > 1:
        return client.post(_COLLECTION, json=documents)
    return client.put(f"{_COLLECTION}/{documents[0]['_id']}", json=documents[0])


def _stored(server: LiveServer) -> dict[str, dict[str, Any]]:
    def pages(client: httpx.Client) -> Iterator[dict[str, Any]]:
        for page in range(1, _WRITERS * _EACH):
            query: dict[str, str | int] = {"page": page, "pagesize": 100, "sort": '{"_id": 1}', "rep": "s"}
            documents = client.get(_COLLECTION, params=query).raise_for_status().json()
            if not documents:
                return
            yield from documents

    with server.client(auth=server.admin) as client:
        return {document["_id"]: document for document in pages(client)}


def _assert_kept(stored: dict[str, dict[str, Any]], writers: list[_Writer]) -> None:
    assert [] == [document for document in stored.values() if not _is_whole(document)]
    lost = [
        document_id
        for writer in writers
        for document_id, version in writer.acknowledged.items()
        if document_id not in stored or stored[document_id]["version"] < version
    ]
    assert [] == lost


def _kill_main(server: LiveServer) -> None:
    server.process.kill()


def _kill_all(server: LiveServer) -> None:
    """Kill it with its workers and its database, which has no chance to put its files in order."""
    for process in server.family():
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


@pytest.mark.parametrize("kill", [_kill_main, _kill_all], ids=["main process", "all processes"])
def test_acknowledged_documents_survive_kill_9(tmp_path: Path, kill: Callable[[LiveServer], None]) -> None:
    writers = [_Writer(number) for number in range(_WRITERS)]
    data_dir = tmp_path / "data"
    with live_server(data_dir, "--workers", "2") as server, ThreadPoolExecutor(_WRITERS) as threads:
        with server.client(auth=server.admin) as admin:
            assert [201, 201] == [admin.put(path).status_code for path in ("/acme", _COLLECTION)]
        running = [threads.submit(writer.run, server.url, server.admin) for writer in writers]
        while sum(len(writer.acknowledged) for writer in writers) < _WRITERS * _EACH // 2:
            assert not any(future.done() for future in running)
            time.sleep(0.01)
        family = server.family()
        kill(server)
        for future in running:
            future.result()
        assert [] == wait_until_gone(family)
    assert all(writer.left for writer in writers), "killed too late to interrupt anybody"

    with live_server(data_dir, "--workers", "2") as server, ThreadPoolExecutor(_WRITERS) as threads:
        _assert_kept(_stored(server), writers)
        for future in [threads.submit(writer.run, server.url, server.admin) for writer in writers]:
            future.result()
        stored = _stored(server)

    assert [] == [writer.number for writer in writers if writer.left]
    assert len(stored) == _WRITERS * _EACH
    _assert_kept(stored, writers)
