"""Results of pipelines within a bound: what is too large is given up on the way, not when it fills the memory."""

from typing import Any

from bson import decode_all

from content_core.documents import Document
from content_core.errors import ResultTooLargeError
from content_core.store.drivers import Driver

__all__ = ["read_bounded"]


async def read_bounded(
    driver: Driver, collection: Any, pipeline: list[Document], options: dict[str, Any], *, max_bytes: int
) -> list[Document]:
    """Run a pipeline and read its result batch by batch.

    Args:
        driver: whose collection it is.
        collection: the collection.
        pipeline: the stages.
        options: those of the driver.
        max_bytes: how large the result may be, as BSON.

    Raises:
        ResultTooLargeError: it is larger.
    """
    documents: list[Document] = []
    left = max_bytes
    cursor = await driver.open_raw(collection, pipeline, options)
    try:
        async for batch in cursor:
            left -= len(batch)
            if left < 0:
                raise ResultTooLargeError(
                    f"the result of the pipeline is larger than the limit of {max_bytes} bytes",
                    hint="$limit and $skip give it in parts, $project leaves out what is not wanted",
                )
            documents += decode_all(batch, collection.codec_options)
    finally:
        await cursor.close()
    return documents
