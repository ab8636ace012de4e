"""The store's reads on Motor and on PyMongo's own async client: 16 list queries of 20 pages at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvloop

from benchmarks.content import COLLECTION, TENANT, Size
from benchmarks.rates import Ask, Contestant, Open, Rate, measure_rates
from benchmarks.servers import Mongo, served_content
from content_core.store import FindQuery, Store
from content_core.store.drivers import DriverName

__all__ = ["main"]

_CLIENTS: Final = 16
_ROUNDS: Final = 3
_PAGES: Final = 20
_DRIVERS: Final[tuple[DriverName, ...]] = ("motor", "pymongo")
_LIST: Final = FindQuery(filter={"fsType": "PageRef", "locale.language": "en"}, sort=(("_id", 1),), limit=_PAGES)


def main(size: Size, seconds: float) -> None:
    with served_content(size) as mongo:
        motor, pymongo = uvloop.run(_measure(mongo, seconds))
    print(f"{'':10} {'queries/s':>10} {'(slowest)':>9} {'CPU ms':>7} {'mongod ms':>9}")
    for label, rate in (("Motor", motor), ("PyMongo", pymongo)):
        print(f"{label:10} {rate.per_second:10.1f} {rate.slowest:9.1f} {rate.cpu_ms:7.2f} {rate.mongod_ms:9.2f}")
    print(
        f"PyMongo to Motor: {pymongo.per_second / motor.per_second:.2f} times the queries, "
        f"{pymongo.cpu_ms / motor.cpu_ms:.2f} times the CPU"
    )


async def _measure(mongo: Mongo, seconds: float) -> list[Rate]:
    contestants = [Contestant(driver, _lists(mongo, driver)) for driver in _DRIVERS]
    return await measure_rates(contestants, mongod=mongo.pid, clients=_CLIENTS, rounds=_ROUNDS, seconds=seconds)


def _lists(mongo: Mongo, driver: DriverName) -> Open:
    @asynccontextmanager
    async def opened(clients: int) -> AsyncIterator[list[Ask]]:
        store = Store.open(mongo.uri, driver=driver)

        async def ask() -> object:
            pages = await store.find(TENANT, COLLECTION, _LIST)
            if len(pages) != _PAGES:
                raise SystemExit(f"{len(pages)} pages instead of {_PAGES}")
            return pages

        try:
            yield [ask] * clients
        finally:
            await store.close()

    return opened
