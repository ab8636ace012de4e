"""The HAL forms of lists and bulk writes, with members in the order that readers know."""

import math
from collections.abc import Sequence

from content_core.documents import Document, Json

__all__ = ["counters", "shape_bulk", "shape_list"]


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


def shape_list(
    properties: Document,
    elements: Sequence[Document],
    *,
    rel: str,
    size: int | None = None,
    page_size: int = 0,
) -> Document:
    """Shape a page of a list.

    Args:
        properties: the list's own properties, ``_id`` first.
        elements: what is on the page.
        rel: the name under which they are embedded.
        size: how many there are on all pages, if it was asked for.
        page_size: how many fit on a page; 0 leaves the number of pages out.
    """
    body = {**properties, **counters(size=size, page_size=page_size, returned=len(elements))}
    if elements:
        body["_embedded"] = {rel: list(elements)}
    return body


def shape_bulk(*, inserted: int, modified: int, links: Sequence[str]) -> Json:
    """Shape the result of writing several documents at once; ``links`` are the paths of the new ones."""
    result: dict[str, Json] = {"inserted": inserted, "deleted": 0, "modified": modified, "matched": modified}
    if links:
        result["_links"] = {"rh:newdoc": [{"href": link} for link in links]}
    return {"_embedded": {"rh:result": [result]}}
