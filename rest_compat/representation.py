"""Answers to reads in the form that was asked for: HAL, plain JSON or standard, with types in one of the JSON modes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from content_core.documents import Document
from content_core.json_modes import write
from rest_compat.hal import counters
from rest_compat.query import Query
from rest_compat.reply import HAL, JSON, Reply

__all__ = ["Listing", "document_reply", "json_reply", "list_reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of a list, before it has a form.

    Args:
        properties: the list's own properties, ``_id`` first.
        groups: the elements by the relation under which HAL embeds them, in order; none of them empty.
        size: how many there are on all pages, if it was asked for.
        page_size: how many fit on a page; 0 leaves the number of pages out.
        links: relation to address.
        appended: one more element, at the end, that does not count.
        names_only: whether the standard form is a list of names.
    """

    properties: Document
    groups: Mapping[str, Sequence[Document]]
    size: int | None = None
    page_size: int = 0
    links: Mapping[str, str] = field(default_factory=dict)
    appended: Document | None = None
    names_only: bool = False


def list_reply(listing: Listing, query: Query, headers: Mapping[str, str]) -> Reply:
    """Write a list."""
    if query.rep == "standard":
        elements = _all_elements(listing)
        body: Any = [element["_id"] for element in elements] if listing.names_only else elements
    elif query.rep == "plain" and query.np:
        body = _all_elements(listing)
    else:
        body = _members(listing, query)
    media_type = HAL if query.rep == "hal" else JSON
    return Reply(status=200, body=write(body, query.json_mode), media_type=media_type, headers=headers)


def document_reply(document: Document, query: Query, headers: Mapping[str, str]) -> Reply:
    """Write a single document, which looks alike in all forms."""
    body = {**document, "_warnings": list(query.warnings)} if query.warnings else document
    media_type = HAL if query.rep == "hal" else JSON
    return Reply(status=200, body=write(body, query.json_mode), media_type=media_type, headers=headers)


def json_reply(body: Document, query: Query, headers: Mapping[str, str]) -> Reply:
    """Write what is no HAL in any form: sizes and metadata."""
    return Reply(status=200, body=write(body, query.json_mode), headers=headers)


def _members(listing: Listing, query: Query) -> Document:
    returned = sum(map(len, listing.groups.values()))
    counted = counters(size=listing.size, page_size=listing.page_size, returned=returned)
    body = counted if query.np else {**listing.properties, **counted}
    if query.rep == "plain":
        body["_embedded"] = _all_elements(listing)
    elif embedded := _embedded(listing):
        body["_embedded"] = embedded
    if listing.links:
        body["_links"] = {relation: {"href": address} for relation, address in listing.links.items()}
    if query.warnings:
        body["_warnings"] = list(query.warnings)
    return body


def _embedded(listing: Listing) -> Mapping[str, Sequence[Document]]:
    if listing.appended is None:
        return listing.groups
    *others, last = listing.groups.items() or [("rh:doc", [])]
    return dict([*others, (last[0], [*last[1], listing.appended])])


def _all_elements(listing: Listing) -> list[Document]:
    elements = [element for group in listing.groups.values() for element in group]
    return elements if listing.appended is None else [*elements, listing.appended]
