"""Wait until MongoDB has a primary that lets the server's user in: a new replica set takes a minute or two for that."""

# ruff: noqa: INP001 - a program for a container, not part of a package
import os
import sys
import time

from pymongo import MongoClient
from pymongo.errors import PyMongoError


def main() -> int:
    """Ask once a second, for as long as WAIT_SECONDS says; messages never hold the password."""
    deadline = time.monotonic() + float(os.environ["WAIT_SECONDS"])
    try:
        client: MongoClient[dict[str, object]] = MongoClient(
            os.environ["OPENCAAS_MONGODB_URI"], serverSelectionTimeoutMS=2_000, connectTimeoutMS=2_000
        )
    except (PyMongoError, ValueError) as error:
        sys.stderr.write(f"the URI of MongoDB is wrong ({type(error).__name__})\n")
        return 1
    with client:
        while True:
            try:
                client.admin.command("ping")
            except PyMongoError as error:
                sys.stderr.write(f"MongoDB is not ready: {str(error)[:300]}\n")
            else:
                sys.stderr.write("MongoDB is ready\n")
                return 0
            if time.monotonic() > deadline:
                return 1
            time.sleep(1)


sys.exit(main())
