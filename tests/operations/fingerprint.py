"""Everything that servers keep in a MongoDB, in short, so that two states can be compared.

By hand: ``python -m tests.operations.fingerprint`` prints what differs between the MongoDBs whose URIs are in
``LEFT_MONGODB_URI`` and ``RIGHT_MONGODB_URI``, and ends with status 1 if anything does.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
from bson import json_util
from pymongo import MongoClient

from tests.operations.dump import RAW, collections_of, databases_of

__all__ = ["content_of", "differences", "seen_by_clients"]


def content_of(client: "MongoClient[Any]") -> dict[str, str]:
    """Describe every collection: type and options, indexes, number of documents, and a digest of their bytes.

    Returns:
        A text per thing, by names such as ``acme/pages documents``; databases without a collection do not exist.
    """
    found: dict[str, str] = {}
    for name in databases_of(client):
        database = client[name]
        for entry in collections_of(database):
            place = f"{name}/{entry['name']}"
            found[f"{place} is"] = _text({"type": entry["type"], "options": entry["options"]})
            if entry["type"] == "view":
                continue
            for index in database[entry["name"]].list_indexes():
                # Extended JSON, since the order of an index's fields matters.
                found[f"{place} index {index['name']}"] = json_util.dumps(index)
            digest, count = hashlib.sha256(), 0
            for document in database.get_collection(entry["name"], codec_options=RAW).find().sort("_id"):
                digest.update(document.raw)
                count += 1
            found[f"{place} documents"] = f"{count} {digest.hexdigest()}"
    return found


def seen_by_clients(client: httpx.Client) -> dict[str, str]:
    """Ask a server for all that it shows its admin: databases, collections, properties, indexes, documents, files.

    Args:
        client: for the server's address, with the admin's password.

    Returns:
        Status and a digest of the answer by the address asked; of lists the members, too, so that nothing is left out.
    """
    found: dict[str, str] = {}

    def ask(path: str) -> Any:
        answer = client.get(path)
        found[path] = f"{answer.status_code} {hashlib.sha256(answer.content).hexdigest()}"
        return answer

    for database in ask("/?rep=s&pagesize=100").json():
        for element in _pages(ask, f"/{database}"):
            collection = f"/{database}/{quote(element)}"
            ask(f"{collection}/_meta")
            ask(f"{collection}/_indexes")
            for document in _pages(ask, collection):
                if element.endswith(".files"):
                    ask(f"{collection}/{quote(document, safe='')}/binary")
    return found


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Say what is lost, new or changed, each in a line."""
    lost = [f"lost: {name}" for name in before if name not in after]
    new = [f"new: {name}" for name in after if name not in before]
    changed = [f"changed: {name}" for name in before if name in after and before[name] != after[name]]
    return sorted(lost + new + changed)


def _pages(ask: Any, path: str) -> list[str]:
    """Read a list to its end; gives the ids."""
    ids: list[str] = []
    number = 1
    while True:
        answer = ask(f"{path}?rep=s&pagesize=100&page={number}").json()
        page = answer if isinstance(answer, list) else []
        ids += [entry if isinstance(entry, str) else str(entry["_id"]) for entry in page]
        if len(page) < 100:
            return ids
        number += 1


def _text(value: Any) -> str:
    return json_util.dumps(value, sort_keys=True)


if __name__ == "__main__":
    left, right = (MongoClient[Any](os.environ[f"{side}_MONGODB_URI"]) for side in ("LEFT", "RIGHT"))
    found = differences(content_of(left), content_of(right))
    print("\n".join(found) or "nothing differs")  # noqa: T201
    sys.exit(1 if found else 0)
