"""Results of pipelines within a bound: what is too large is given up on the way, not when it fills the memory."""

from typing import Any, Final

from bson import encode

from content_core.documents import Document
from content_core.errors import ResultTooLargeError
from content_core.store.drivers import Driver

__all__ = ["read_bounded"]

_ONE_BATCH: Final = 17 * 1024 * 1024
"""MongoDB answers with 16 MB at most, and what goes around them."""


async def read_bounded(
    driver: Driver, collection: Any, pipeline: list[Document], options: dict[str, Any], *, max_bytes: int
) -> list[Document]:
    """Run a pipeline and read its result. What fits into one answer of MongoDB costs no more than without a bound.

    Args:
        driver: whose collection it is.
        collection: the collection.
        pipeline: the stages.
        options: those of the driver.
        max_bytes: how large the result may be, as BSON.

    Raises:
        ResultTooLargeError: it is larger.
    """
    cursor = await driver.open_cursor(collection, pipeline, options)
    try:
        documents: list[Document] = await cursor.to_list(1)
        if not cursor.cursor_id and max_bytes >= _ONE_BATCH:  # all of it is here already
            return [*documents, *await cursor.to_list(None)]
        left = max_bytes - sum(map(_size, documents))
        while left >= 0 and (document := await anext(cursor, None)) is not None:
            left -= _size(document)
            documents.append(document)
    finally:
        await cursor.close()
    if left < 0:
        raise ResultTooLargeError(
            f"the result of the pipeline is larger than the limit of {max_bytes} bytes",
            hint="$limit and $skip give it in parts, $project leaves out what is not wanted",
        )
    return documents


def _size(document: Document) -> int:
    return len(encode(document))
