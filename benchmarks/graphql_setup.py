"""Installing applications over HTTP, as a deploy job does: the admin stores the definition and a key that may read."""

import secrets
import time
from collections.abc import Iterable
from typing import Final

import httpx

from benchmarks.content import TENANT
from benchmarks.graphql_content import DEFINITION, PATH
from benchmarks.servers import ADMIN_LOGIN, Server
from content_core.documents import Document
from content_core.names import APIKEYS, GQL_APPS

__all__ = ["GRAPHQL_KEY", "install_application", "put_definitions", "put_key"]

GRAPHQL_KEY: Final = secrets.token_hex(16)
"""A key that may ask the measured applications, and nothing else."""

_PATIENCE_SECONDS: Final = 10.0


def install_application(server: Server) -> None:
    """Store the measured application and its key, and wait until it answers."""
    put_definitions(server, [DEFINITION])
    put_key(server, [DEFINITION["descriptor"]["uri"]])
    headers = {"Authorization": f"Bearer {GRAPHQL_KEY}"}
    with _client(server) as client:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (response := client.post(PATH, json={"query": "{ __typename }"}, headers=headers)).is_error:
            if time.monotonic() > deadline:
                raise SystemExit(f"{PATH}: {response.status_code} {response.text[:500]}")
            time.sleep(0.05)


def put_key(server: Server, applications: Iterable[str]) -> None:
    """Store the key that may ask some applications."""
    permissions = [{"url": uri, "permissionMode": "GRAPHQL", "methods": ["POST"]} for uri in applications]
    key = {"_id": GRAPHQL_KEY, "key": GRAPHQL_KEY, "name": "GraphQL measurements", "permissions": permissions}
    with _client(server) as client:
        client.put(f"/{TENANT}/{APIKEYS}/{GRAPHQL_KEY}", json=key, auth=ADMIN_LOGIN).raise_for_status()


def put_definitions(server: Server, definitions: Iterable[Document]) -> None:
    """Store definitions in the measured tenant."""
    with _client(server) as client:
        for definition in definitions:
            path = f"/{TENANT}/{GQL_APPS}/{definition['_id']}"
            response = client.put(path, json=definition, auth=ADMIN_LOGIN)
            if response.is_error:
                raise SystemExit(f"{path}: {response.status_code} {response.text[:500]}")


def _client(server: Server) -> httpx.Client:
    return httpx.Client(base_url=f"http://{server.host}:{server.port}", timeout=120)
