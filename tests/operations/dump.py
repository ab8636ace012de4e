"""A dump of all that servers keep in a MongoDB, in the layout of mongodump, and putting it back as mongorestore does.

``DIRECTORY/DATABASE/COLLECTION.bson`` has the documents one behind the other, ``COLLECTION.metadata.json`` the options
and the indexes as Extended JSON. As mongodump without ``--oplog`` leaves MongoDB's own databases alone if told to, so
does this: users and passwords belong to the cluster, not to its contents. Unlike it, the documents of all collections
are those of one moment, also while others write (a session of read concern "snapshot").
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from bson import decode_file_iter, json_util
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database

__all__ = ["RAW", "collections_of", "databases_of", "restore_dump", "wipe", "write_dump"]

RAW: Final[CodecOptions[Any]] = CodecOptions(document_class=RawBSONDocument)
_OF_MONGODB: Final = frozenset({"admin", "config", "local"})
_BATCH_BYTES: Final = 12_000_000
_CHARACTERS: Final = "!#&()+,;=@[]^_`{}~"
"""What may stand in a file's name as it is; the rest is percent-encoded."""


def databases_of(client: "MongoClient[Any]") -> list[str]:
    """Name the databases that are not MongoDB's own."""
    return sorted(set(client.list_database_names()) - _OF_MONGODB)


def collections_of(database: "Database[Any]") -> list[dict[str, Any]]:
    """Describe a database's collections and views, without MongoDB's own."""
    found = (dict(entry) for entry in database.list_collections() if not entry["name"].startswith("system."))
    return sorted(found, key=lambda entry: str(entry["name"]))


def write_dump(client: "MongoClient[Any]", directory: Path) -> int:
    """Write everything into a directory that is not there yet; gives the number of documents.

    Half a dump is never taken for a whole one: the directory gets its name when all of it is written.

    Raises:
        FileExistsError: the directory is there.
    """
    if directory.exists():
        raise FileExistsError(directory)
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)  # it holds API keys
    documents = 0
    with client.start_session(snapshot=True) as session:
        for name in databases_of(client):
            database = client[name]
            (unfinished / name).mkdir()
            for entry in collections_of(database):
                documents += _write_collection(database, entry, unfinished / name, session)
    unfinished.rename(directory)
    return documents


def _write_collection(database: "Database[Any]", entry: dict[str, Any], folder: Path, session: ClientSession) -> int:
    name, written = entry["name"], 0
    collection = database.get_collection(name, codec_options=RAW)
    view = entry["type"] == "view"
    indexes = [] if view else [dict(index) for index in database[name].list_indexes()]
    described = {"options": entry["options"], "indexes": indexes, "collectionName": name, "type": entry["type"]}
    text = json_util.dumps(described, json_options=json_util.CANONICAL_JSON_OPTIONS)
    (folder / f"{quote(name, safe=_CHARACTERS)}.metadata.json").write_text(text, encoding="utf-8")
    if view:
        return 0
    with (folder / f"{quote(name, safe=_CHARACTERS)}.bson").open("wb") as file:
        # Capped collections, of which a server makes none, know no moments.
        for document in collection.find({}, session=None if entry["options"].get("capped") else session):
            file.write(document.raw)
            written += 1
    return written


def restore_dump(client: "MongoClient[Any]", directory: Path) -> int:
    """Put everything back into a MongoDB that has none of it; gives the number of documents.

    Documents are acknowledged by the majority, as acknowledged ones are everywhere else.

    Raises:
        pymongo.errors.CollectionInvalid: a collection is there already.
    """
    documents = 0
    for folder in sorted(path for path in directory.iterdir() if path.is_dir()):
        database = client[folder.name]
        described = [json_util.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*.metadata.json"))]
        # Views last: what they show has to be there.
        for entry in sorted(described, key=lambda entry: str(entry["type"]) == "view"):
            database.create_collection(entry["collectionName"], **entry["options"])
            if entry["type"] == "view":
                continue
            collection: Collection[Any] = database.get_collection(entry["collectionName"], codec_options=RAW)
            file = folder / f"{quote(entry['collectionName'], safe=_CHARACTERS)}.bson"
            for batch in _batches(file):
                collection.insert_many(batch, bypass_document_validation=True)
                documents += len(batch)
            indexes = [index for index in entry["indexes"] if index["name"] != "_id_"]
            if indexes:
                database.command("createIndexes", collection.name, indexes=indexes)
    return documents


def wipe(client: "MongoClient[Any]") -> None:
    """Drop every database that is not MongoDB's own."""
    for name in databases_of(client):
        client.drop_database(name)


def _batches(file: Path) -> Iterator[list[RawBSONDocument]]:
    batch: list[RawBSONDocument] = []
    size = 0
    with file.open("rb") as stream:
        for document in decode_file_iter(stream, RAW):
            if size + len(document.raw) > _BATCH_BYTES and batch:
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += len(document.raw)
    if batch:
        yield batch
