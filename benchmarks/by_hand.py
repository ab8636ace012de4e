"""The nested query's documents read with Motor by hand: the least that any program which wants them has to do."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import orjson
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

from benchmarks.content import COLLECTION, LANGUAGES, TENANT
from content_core.documents import Document

__all__ = ["opened_collection", "read_levels", "write_levels"]

_COUNTRIES: Final = {language.language: language.country for language in LANGUAGES}
_KINDS: Final[dict[str, Any]] = {"picture": {"$in": ["PageRef", "Media"]}, "product": "Dataset"}

_Wanted: TypeAlias = dict[tuple[str, str], dict[str, None]]
"""Identifiers by kind and language, each once."""


@asynccontextmanager
async def opened_collection(uri: str) -> "AsyncIterator[AsyncIOMotorCollection[Document]]":
    """Open the content with Motor as it comes."""
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(uri)
    try:
        yield client[TENANT][COLLECTION]
    finally:
        client.close()


async def read_levels(collection: "AsyncIOMotorCollection[Document]", limit: int) -> list[list[Document]]:
    """Read pages, then their pictures and products, then the products' pictures: three finds."""
    pages = await collection.find({"fsType": "PageRef"}, sort=[("_id", 1)], limit=limit).to_list(None)
    first: _Wanted = {}
    for page in pages:
        for section in page["page"]["children"][0]["children"]:
            form = section["formData"]
            _want(first, "picture", page, form["st_image"]["value"])
            if "st_item" in form:
                _want(first, "product", page, form["st_item"]["value"]["target"])
    targets = await _find(collection, first)
    second: _Wanted = {}
    for product in targets:
        if product["fsType"] == "Dataset":
            _want(second, "picture", product, product["formData"]["tt_photo"]["value"])
    for place, identifiers in second.items():  # what the first level brought need not come again
        for identifier in first[place].keys() & identifiers.keys():
            del identifiers[identifier]
    return [pages, targets, await _find(collection, second)]


def write_levels(levels: Sequence[Sequence[Document]]) -> bytes:
    """Write the documents as JSON, as they are."""
    return orjson.dumps(levels)


def _want(wanted: _Wanted, kind: str, owner: Document, reference: Document) -> None:
    wanted.setdefault((kind, owner["locale"]["language"]), {})[reference["identifier"]] = None


async def _find(collection: "AsyncIOMotorCollection[Document]", wanted: _Wanted) -> list[Document]:
    return await collection.find({"$or": list(_branches(wanted))}).to_list(None)


def _branches(wanted: _Wanted) -> Iterator[Document]:
    for (kind, language), identifiers in wanted.items():
        yield {
            "identifier": {"$in": list(identifiers)},
            "fsType": _KINDS[kind],
            "locale.language": language,
            "locale.country": _COUNTRIES[language],
        }
