"""The HAL forms of lists and bulk writes, with members in the order that readers know."""

import math
from collections.abc import Sequence

from content_core.documents import Document, Json
from content_core.extended_json import to_json

__all__ = ["shape_bulk", "shape_list"]


def shape_list(
    properties: Document, elements: Sequence[Document], *, rel: str, size: int | None = None, page_size: int = 0
) -> Json:
    """Shape a page of a list.

    Args:
        properties: the list's own properties, ``_id`` first.
        elements: what is on the page.
        rel: the name under which they are embedded.
        size: how many there are on all pages, if it was asked for.
        page_size: how many fit on a page; 0 leaves the number of pages out.
    """
    body: dict[str, Json] = dict(properties)
    if size is not None:
        body["_size"] = size
        if page_size:
            body["_total_pages"] = math.ceil(size / page_size)
    body["_returned"] = len(elements)
    if elements:
        body["_embedded"] = {rel: list(elements)}
    return to_json(body)


def shape_bulk(*, inserted: int, modified: int, links: Sequence[str]) -> Json:
    """Shape the result of writing several documents at once; ``links`` are the paths of the new ones."""
    result: dict[str, Json] = {"inserted": inserted, "deleted": 0, "modified": modified, "matched": modified}
    if links:
        result["_links"] = {"rh:newdoc": [{"href": link} for link in links]}
    return {"_embedded": {"rh:result": [result]}}
