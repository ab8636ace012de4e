"""Memory of one worker with 20 applications of 200 types each: as it starts, with them, and after queries to all.

RSS counts the pages of libraries that other processes share, USS only those that would be free without this one.
"""

from collections.abc import Sequence
from typing import Final

import httpx
import psutil

from benchmarks.content import TENANT, Size
from benchmarks.graphql_setup import GRAPHQL_KEY, put_definitions, put_key
from benchmarks.graphql_synthetic import count_types, make_definition, make_query
from benchmarks.servers import Mongo, Server, served_content, started_server
from content_core.documents import Document

__all__ = ["main"]

_APPLICATIONS: Final = 20
_TYPES: Final = 200
_QUERIES: Final = 30
"""Different queries of each application; all of them stay in its plan cache."""

_SIZE: Final = Size(pages=1, datasets=1, media=1)
_MEBIBYTE: Final = 2**20


def main(_size: Size, _seconds: float) -> None:
    """Print mebibytes of the worker; the content does not matter."""
    definitions = [make_definition(number, types=_TYPES) for number in range(_APPLICATIONS)]
    types = sum(map(count_types, definitions)) / len(definitions)
    print(f"{len(definitions)} applications of {types:.0f} types; wanted with them: below 150 MiB")
    print(f"  {'':44} {'RSS':>7} {'USS':>7}")
    with served_content(_SIZE) as mongo:
        _grow(mongo, definitions)
        with started_server(mongo) as server:
            _report("another worker that found them at its start", server)


def _grow(mongo: Mongo, definitions: Sequence[Document]) -> None:
    with started_server(mongo) as server:
        _report("a worker without them", server)
        put_key(server, [definition["descriptor"]["uri"] for definition in definitions])
        put_definitions(server, definitions)
        _report("after they were stored one by one", server)
        for number, definition in enumerate(definitions):
            _ask(server, number, definition)
        _report(f"after {_QUERIES} different queries to each", server)


def _ask(server: Server, number: int, definition: Document) -> None:
    base = f"http://{server.host}:{server.port}/graphql/{definition['descriptor']['uri']}"
    with httpx.Client(headers={"Authorization": f"Bearer {GRAPHQL_KEY}"}) as client:
        for templates in range(1, _QUERIES + 1):
            response = client.post(base, json={"query": make_query(number, templates=templates)})
            if response.is_error or "errors" in response.json():
                raise SystemExit(f"{TENANT}: {response.status_code} {response.text[:500]}")


def _report(label: str, server: Server) -> None:
    (worker,) = psutil.Process(server.pid).children()
    facts = worker.memory_full_info()
    print(f"  {label:44} {facts.rss / _MEBIBYTE:7.0f} {facts.uss / _MEBIBYTE:7.0f}", flush=True)
