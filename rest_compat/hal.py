"""The counters of a list in HAL, in the order that readers know."""

import math

from content_core.documents import Document

__all__ = ["counters"]


def counters(*, size: int | None, page_size: int, returned: int) -> Document:
    """Say how many there are.

    Args:
        size: on all pages, if it was asked for.
        page_size: on a full page; 0 leaves the number of pages out.
        returned: in this answer.
    """
    body: Document = {}
    if size is not None:
        body["_size"] = size
        if page_size:
            body["_total_pages"] = math.ceil(size / page_size)
    body["_returned"] = returned
    return body
