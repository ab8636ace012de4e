"""20 pages in two languages with pictures, products and the products' pictures: what GraphQL adds to reading them.

The measure is Motor reading the same documents with three finds, as one would write it by hand. "In process" is the
whole application, key check and log line included, without a socket; the server is a process with one worker.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import orjson
import uvloop

from benchmarks.application import CallCount, discarded_log, opened_application
from benchmarks.asking import ask_in_process, ask_over_socket
from benchmarks.by_hand import opened_collection, read_levels, write_levels
from benchmarks.content import Size
from benchmarks.rates import Ask, Contestant, Open, Rate, cpu_of, measure_rates
from benchmarks.servers import Mongo, Server, served_content, started_server
from content_core.documents import Document
from content_core.store.drivers import DriverName

__all__ = ["BODY", "PAGES", "main"]

PAGES: Final = 40
"""20 pages, each in two languages: a page's documents follow each other in the order of their ids."""

QUERY: Final = """
query Journal($limit: Int) {
  pageRefs(limit: $limit) {
    _id displayName route locale { language country }
    page {
      name
      ... on JournalPage { formData { pt_title { value } } }
      children { name children { ... on StorySection {
        identifier displayName
        formData {
          st_title { value }
          st_body { value }
          st_image { value { ...picture } }
          st_item { value { target { ... on Catalogue_itemDataset {
            _id displayName route
            formData { tt_title { value } tt_summary { value } tt_photo { value { ...picture } } }
          } } } }
        } } } }
    } } }
fragment picture on Media {
  _id fileName description
  resolutionsMetaData { ORIGINAL { url width height } Teaser { url width height } }
}
"""
BODY: Final = orjson.dumps({"query": QUERY, "variables": {"limit": PAGES}})

_CLIENTS: Final = 8
_ROUNDS: Final = 3


def main(size: Size, seconds: float) -> None:
    with served_content(size) as mongo, started_server(mongo) as server, discarded_log():
        uvloop.run(_measure(mongo, server, seconds))


async def _measure(mongo: Mongo, server: Server, seconds: float) -> None:
    await _describe(mongo, server)
    contestants = [
        Contestant("Motor by hand, three finds", _by_hand(mongo, write=False)),
        Contestant("the same and orjson", _by_hand(mongo, write=True)),
        Contestant("application in process", _in_process(mongo, "motor")),
        Contestant("the same on PyMongo's client", _in_process(mongo, "pymongo")),
        Contestant("server process", _over_socket(server), cpu_of(server.pid)),
    ]
    rates = await measure_rates(contestants, mongod=mongo.pid, clients=_CLIENTS, rounds=_ROUNDS, seconds=seconds)
    _report(contestants, rates)


def _by_hand(mongo: Mongo, *, write: bool) -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        async with opened_collection(mongo.uri) as collection:

            async def ask() -> object:
                levels = await read_levels(collection, PAGES)
                return write_levels(levels) if write else levels

            yield [ask] * clients

    return opened


def _in_process(mongo: Mongo, driver: DriverName) -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        async with opened_application(mongo.uri, driver=driver) as app:
            yield [ask_in_process(app, BODY)] * clients

    return opened


def _over_socket(server: Server) -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(ask_over_socket(server, BODY)) for _ in range(clients)]

    return opened


async def _describe(mongo: Mongo, server: Server) -> None:
    """Say what is asked and answered, once it is sure that all give the same."""
    async with opened_collection(mongo.uri) as collection:
        levels = await read_levels(collection, PAGES)
    count = CallCount()
    async with opened_application(mongo.uri, count=count) as app:
        answer = await ask_in_process(app, BODY)()
    async with opened_application(mongo.uri, driver="pymongo") as app, ask_over_socket(server, BODY) as ask:
        if answer != await ask_in_process(app, BODY)() or answer != await ask():
            raise SystemExit("the answers differ")
    _check(orjson.loads(answer), levels)
    read = " + ".join(str(len(level)) for level in levels)
    print(f"{mongo.documents} documents stored; the query reads {read} of them, its answer has {len(answer)} bytes")
    print(f"database calls per request: {count.calls} by the application, {len(levels)} by hand", flush=True)


def _check(answer: Any, levels: Sequence[Sequence[Document]]) -> None:
    """Every reference leads to the document that was read by hand, and every document was needed."""
    found: set[str] = set()
    for page in answer["data"]["pageRefs"]:
        found.add(page["_id"])
        for section in page["page"]["children"][0]["children"]:
            form = section["formData"]
            found.add(form["st_image"]["value"]["_id"])
            if form["st_item"] is not None:
                product = form["st_item"]["value"]["target"]
                found |= {product["_id"], product["formData"]["tt_photo"]["value"]["_id"]}
    if "errors" in answer or found != {document["_id"] for level in levels for document in level}:
        raise SystemExit("the answer holds other documents than those that were read by hand")


def _report(contestants: Sequence[Contestant], rates: Sequence[Rate]) -> None:
    print(f"{'':28} {'requests/s':>10} {'(slowest)':>9} {'CPU ms':>7} {'ratio':>6} {'mongod ms':>9}")
    for contestant, rate in zip(contestants, rates, strict=True):
        print(
            f"{contestant.label:28} {rate.per_second:10.1f} {rate.slowest:9.1f} {rate.cpu_ms:7.2f} "
            f"{rate.cpu_ms / rates[0].cpu_ms:6.2f} {rate.mongod_ms:9.2f}"
        )
    print(f"{_CLIENTS} requests at a time; CPU ms per request of the process that answers; ratio of CPU to the first")
