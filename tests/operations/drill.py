"""The backup drill: a server with all kinds of content is dumped, wiped and restored, and is to be what it was.

By hand: ``python -m tests.operations.drill`` prints each step with its time and what differs; its status is 1 then.
It uses a server and a MongoDB of its own, never one that is there already.
"""

import secrets
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.live import LiveServer, eventually, live_server
from tests.operations.dump import restore_dump, wipe, write_dump
from tests.operations.fingerprint import content_of, differences, seen_by_clients

__all__ = ["Drill", "fill", "run_drill"]

QUERY = "{ __schema { queryType { fields { name } } } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What a drill found.

    Attributes:
        documents: how many were dumped.
        restored: how many were put back.
        wiped: what clients saw in between: the databases, a key's status, an application's; empty if still something.
        lost: what differs in MongoDB.
        seen: what differs for clients of the server, which ran all the time.
        things: how many things were compared.
        refused: what the user who dumps was not allowed to do.
    """

    documents: int
    restored: int
    wiped: dict[str, Any]
    lost: list[str]
    seen: list[str]
    things: int
    refused: list[str]


def run_drill(server: LiveServer, home: Path, *, say: Callable[[str], None] = lambda _line: None) -> Drill:
    """Dump, wipe, restore and compare a demo server, with the rights that the documentation names and no others."""
    clock = _Clock(say)
    root = _login(server, "root", (server.data_dir / "secrets/mongodb-root").read_text("utf-8").strip())
    passwords = {role: secrets.token_hex(16) for role in ("backup", "restore")}
    for role, password in passwords.items():
        root.admin.command("createUser", f"drill-{role}", pwd=password, roles=[role])
    dumper, restorer = (_login(server, f"drill-{role}", password) for role, password in passwords.items())
    with server.client(auth=server.admin) as admin:
        fill(server, admin)
        clock.tick("content of all kinds made")
        before, shown = content_of(root), seen_by_clients(admin) | _applications(server)
        clock.tick(f"{len(before)} things in MongoDB and {len(shown)} answers noted")
        documents = write_dump(dumper, home / "dump")
        clock.tick(f"{documents} documents dumped")
        wipe(root)
        wiped = eventually(lambda: _emptied(server, admin)) or {}
        clock.tick("everything dropped")
        restored = restore_dump(restorer, home / "dump")
        clock.tick(f"{restored} documents restored")
        after = content_of(root)
        # Servers hear of keys and applications by the change feed.
        eventually(lambda: not differences(shown, seen_by_clients(admin) | _applications(server)))
        seen = differences(shown, seen_by_clients(admin) | _applications(server))
        clock.tick("compared")
        refused = _refused({"insert": lambda: dumper["demo"]["drill"].insert_one({}), "drop": lambda: wipe(dumper)})
    for client in (root, dumper, restorer):
        client.close()
    return Drill(
        documents=documents,
        restored=restored,
        wiped=wiped,
        lost=differences(before, after),
        seen=seen,
        things=len(before) + len(shown),
        refused=refused,
    )


def fill(server: LiveServer, admin: httpx.Client) -> None:
    """Add to the demo's content what it lacks: properties, indexes, a schema, a bucket, a global key, all of BSON."""
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    index = {"keys": {"title": 1, "seen": -1}, "ops": {"unique": True, "partialFilterExpression": {"seen": {"$gt": 1}}}}
    values = {
        "title": "ünï", "seen": 5, "long": {"$numberLong": "5"}, "double": 5.0, "decimal": {"$numberDecimal": "5.10"},
        "when": {"$date": 1_700_000_000_000}, "bytes": {"$binary": {"base64": "AAECAw==", "subType": "00"}},
        "nested": {"b": 1, "a": [None, True, {"$oid": "5f5f5f5f5f5f5f5f5f5f5f5f"}]},
    }  # fmt: skip
    key = str(uuid.uuid4())
    rights = {"url": "/", "permissionMode": "PREFIX", "methods": ["GET"]}
    for path, body in {
        "/acme": {"description": "Acme"},
        "/acme/_schemas/note": schema,
        "/acme/notes": {"description": "what we must not forget", "jsonSchema": {"schemaId": "note"}},
        "/acme/notes/_indexes/by_title": index,
        "/acme/notes/one": values,
        "/acme/empty": {},
        "/acme/with space & ünï": {"description": "its name is encoded"},
        "/acme/with space & ünï/one": {"title": "One"},
        "/acme/album.files": {},
        f"/caas_admin/apikeys/{key}": {"_id": key, "key": key, "name": "global", "permissions": [rights]},
    }.items():
        admin.put(path, json=body).raise_for_status()
    large = secrets.token_bytes(3_000_000)  # several chunks of GridFS
    metadata = {"metadata": '{"_id": "large", "alt": "Noise"}'}
    admin.post("/acme/album.files", data=metadata, files={"file": ("noise.bin", large)}).raise_for_status()
    facts = server.facts
    assert _asked(server, facts["graphql_preview"], facts["api_key"]).status_code == 200


def _applications(server: LiveServer) -> dict[str, str]:
    """Ask the applications by GraphQL, and the content, with the demo's keys."""
    facts = server.facts
    found = {}
    for name in ("graphql_preview", "graphql_release"):
        for key in ("api_key", "read_api_key"):
            answer = _asked(server, facts[name], facts[key])
            found[f"{name} as {key}"] = f"{answer.status_code} {answer.text}"
    return found


def _asked(server: LiveServer, address: str, key: str) -> httpx.Response:
    with server.client(headers={"Authorization": f"Bearer {key}"}) as client:
        return client.post(address, json={"query": QUERY})


def _emptied(server: LiveServer, admin: httpx.Client) -> dict[str, Any] | None:
    """Tell what clients see when all is gone; None while they still see something."""
    facts = server.facts
    with server.client(headers={"Authorization": f"Bearer {facts['api_key']}"}) as holder:
        statuses = {
            "databases": [name for name in admin.get("/?rep=s").json() if name != "caas_admin"],
            "key": holder.get("/demo/apikeys").status_code,
            "application": _asked(server, facts["graphql_preview"], facts["api_key"]).status_code,
        }
    gone = {"databases": [], "key": 401, "application": 401}
    return statuses if statuses == gone else None


def _login(server: LiveServer, user: str, password: str) -> "MongoClient[Any]":
    port = int((server.data_dir / "mongod.port").read_text("utf-8"))
    return MongoClient(
        "127.0.0.1", port, username=user, password=password, authSource="admin", replicaSet="opencaas", w="majority"
    )


def _refused(acts: dict[str, Callable[[], object]]) -> list[str]:
    refused = []
    for name, act in acts.items():
        try:
            act()
        except OperationFailure as error:
            if error.code == 13:  # Unauthorized
                refused.append(name)
    return refused


class _Clock:
    """Says what is behind, with the seconds that it took."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._then = time.monotonic()

    def tick(self, text: str) -> None:
        now = time.monotonic()
        self._say(f"{now - self._then:6.2f} s  {text}")
        self._then = now


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        with live_server(here / "data", command="demo", seconds=180) as running:
            drilled = run_drill(running, here, say=print)
    told = [*drilled.lost, *drilled.seen]
    print("\n".join(told) or f"nothing differs of {drilled.things} things")  # noqa: T201
    sys.exit(1 if told else 0)
