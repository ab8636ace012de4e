"""The store: the only code that speaks to MongoDB's drivers."""

from content_core.store.bucket import FileCheck, chunks_of
from content_core.store.feed import ChangeEvent, ChangeFeed
from content_core.store.file_upload import FileUpload
from content_core.store.files import FileBucket, shown_file
from content_core.store.store import Store
from content_core.store.streams import ChangeStreams
from content_core.store.upstream import Ending, StreamSource
from content_core.store.values import (
    BulkError,
    BulkInsert,
    BulkOperation,
    BulkOutcome,
    BulkReplace,
    BulkReport,
    BulkUpdate,
    FindQuery,
    Hint,
    StoreHealth,
    Update,
    WriteMode,
    WriteOutcome,
)

__all__ = [
    "BulkError",
    "BulkInsert",
    "BulkOperation",
    "BulkOutcome",
    "BulkReplace",
    "BulkReport",
    "BulkUpdate",
    "ChangeEvent",
    "ChangeFeed",
    "ChangeStreams",
    "Ending",
    "FileBucket",
    "FileCheck",
    "FileUpload",
    "FindQuery",
    "Hint",
    "Store",
    "StoreHealth",
    "StreamSource",
    "Update",
    "WriteMode",
    "WriteOutcome",
    "chunks_of",
    "shown_file",
]
