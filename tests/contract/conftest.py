"""A server of its own with two workers, strict limits, and something to collide with."""

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from tests.live import LiveServer, live_server

ROUNDS: Final = int(os.environ.get("CONTRACT_ROUNDS", "1"))
"""How many times more examples than usual generated requests get."""

CANARY: Final = "canary-8c1d2f5e-key-that-nobody-may-see"
READER: Final = "canary-reader-5b0e-key-that-may-read-things"
BODY_LIMIT: Final = 1_000_000
TIME_LIMIT_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Contract:
    """The server and the two who speak to it."""

    server: LiveServer = field(repr=False)
    admin: httpx.Client = field(repr=False)
    reader: httpx.Client = field(repr=False)

    @property
    def credentials(self) -> tuple[str, str]:
        """What the two show in the header ``Authorization``: the admin, the reader."""
        password = base64.b64encode(":".join(self.server.admin).encode()).decode()
        return f"Basic {password}", f"Bearer {READER}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer may show."""
        folder = self.server.data_dir / "secrets"
        kept = [path.read_text(encoding="utf-8").strip() for path in folder.iterdir() if path.is_file()]
        return (CANARY, READER, *[secret for secret in kept if secret])


@pytest.fixture(scope="session")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contract]:
    limits = {
        "OPENCAAS_MAX_DEFINITION_BYTES": str(BODY_LIMIT),
        "OPENCAAS_QUERY_TIME_LIMIT_MS": str(TIME_LIMIT_MS),
    }
    data = tmp_path_factory.mktemp("contract") / "data"
    with (
        live_server(data, "--workers", "2", env=limits) as server,
        server.client(auth=server.admin) as admin,
        server.client(headers={"Authorization": f"Bearer {READER}"}) as reader,
    ):
        _fill(admin)
        yield Contract(server, admin, reader)


def _fill(admin: httpx.Client) -> None:
    _put(admin, "/acme")
    _put(admin, "/acme/apikeys/" + CANARY, _key(CANARY, "/none/", "GET"))
    _put(admin, "/acme/apikeys/" + READER, _key(READER, "/things/", "GET"))
    _put(admin, "/acme/things")
    _put(admin, "/acme/many")
    for number, name in enumerate(("a", "b", "c")):
        _put(admin, f"/acme/things/{name}", {"n": number, "text": "a" * 50})
    _put(admin, "/acme/things/_indexes/only", {"keys": {"n": 1}, "ops": {"unique": True, "sparse": True}})
    _put(admin, "/acme/_schemas/note", {"type": "object", "required": ["title"]})
    _put(admin, "/acme/notes", {"jsonSchema": {"schemaId": "note"}})
    _put(admin, "/acme/orphans", {"jsonSchema": {"schemaId": "gone"}})
    bound = {"uri": "bound", "stages": [{"$match": {"n": {"$var": "n"}}}]}
    wrong = {"uri": "wrong", "stages": [{"$limit": 0}]}
    checked = {"uri": "checked", "stages": [{"$out": "notes"}]}
    _put(admin, "/acme/pipes", {"aggrs": [bound, wrong, checked]})
    _put(admin, "/bare")
    _put(admin, "/bare/things")
    _put(admin, "/bare/things/a", {})
    assert 204 == admin.delete("/bare/_schemas/apikeys").status_code


def _put(admin: httpx.Client, path: str, body: dict[str, Any] | None = None) -> None:
    response = admin.put(path, json=body) if body is not None else admin.put(path)
    assert 201 == response.status_code, (path, response.text)


def _key(name: str, url: str, *methods: str) -> dict[str, Any]:
    return {"_id": name, "key": name, "permissions": [{"url": url, "methods": list(methods)}]}
