"""The peer: graphql-core with its default resolvers over documents that are in memory already, references followed.

What it takes is the least that walking a query field by field costs; nothing is read and nothing is parsed.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from graphql import build_schema, execute_sync, parse
from pymongo import MongoClient

from benchmarks.content import COLLECTION, TENANT
from benchmarks.graphql_content import PAGE, QUERY_TEXTS, SDL, QueryName
from content_core.documents import Document

__all__ = ["answer_from_memory", "read_everything"]

_LIMITS: Final[Mapping[QueryName, int]] = {"flat": 20, "nested": 20, "refs": 10, "page": 1}


def read_everything(uri: str) -> Mapping[QueryName, list[Document]]:
    """Read the documents that each query begins with; those that they refer to stand in the references' places."""
    client: MongoClient[Document] = MongoClient(uri)
    with client:
        content = client[TENANT][COLLECTION]
        english = {document["identifier"]: document for document in content.find({"locale.language": "en"})}
        pages = {"fsType": "PageRef", "locale.language": "en"}
        roots: dict[QueryName, list[Document]] = {
            name: list(content.find(PAGE.filter if name == "page" else pages, sort=[("_id", 1)], limit=limit))
            for name, limit in _LIMITS.items()
        }
    for document in roots["refs"]:
        for section in document["page"]["children"][0]["children"]:
            _follow(section["formData"], english)
    return roots


def answer_from_memory(name: QueryName, roots: list[Document]) -> Callable[[], bytes]:
    """Make a function that executes a query, parsed once, and writes the answer."""
    schema, document = build_schema(SDL), parse(QUERY_TEXTS[name])
    root: dict[str, Any] = {"page" if name == "page" else "pages": lambda _info, **_arguments: roots}

    def answer() -> bytes:
        result = execute_sync(schema, document, root)
        return orjson.dumps({"data": result.data} if not result.errors else {"errors": result.errors})

    return answer


def _follow(form: Document, documents: Mapping[str, Document]) -> None:
    picture = form["st_image"]
    picture["value"] = documents[picture["value"]["identifier"]]
    if "st_item" in form:
        reference = form["st_item"]["value"]
        item = reference["target"] = documents[reference["target"]["identifier"]]
        photo = item["formData"]["tt_photo"]
        photo["value"] = documents.get(photo["value"]["identifier"], photo["value"])
