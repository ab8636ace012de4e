"""What a bulk write answers: how many documents it touched, and where the new ones are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content_core.documents import Json
from content_core.extended_json import dumps
from rest_compat.call import Call
from rest_compat.query import parse_query
from rest_compat.reply import HAL, JSON, Reply
from rest_compat.settings import RestSettings

__all__ = ["BulkCounts", "bulk_reply", "flat_result", "hal_result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkCounts:
    """How many documents were made, deleted, changed and found."""

    inserted: int = 0
    deleted: int = 0
    modified: int = 0
    matched: int = 0


def bulk_reply(
    call: Call,
    settings: RestSettings,
    counts: BulkCounts,
    *,
    links: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Answer a bulk write that went well, in the representation that was asked for."""
    if parse_query(call.request, settings).rep != "hal":
        return Reply(status=200, body=dumps(flat_result(counts, links)), media_type=JSON, headers=headers or {})
    return Reply(status=200, body=dumps(hal_result(counts, links)), media_type=HAL, headers=headers or {})


def hal_result(counts: BulkCounts, links: Sequence[str]) -> Json:
    """Shape a result in HAL; ``links`` are the paths of the new documents."""
    result: dict[str, Json] = flat_result(counts, ())
    if links:
        result["_links"] = {"rh:newdoc": [{"href": link} for link in links]}
    return {"_embedded": {"rh:result": [result]}}


def flat_result(counts: BulkCounts, links: Sequence[str]) -> dict[str, Json]:
    """Shape a result without HAL."""
    return {
        "inserted": counts.inserted,
        **({"links": list(links)} if links else {}),
        "deleted": counts.deleted,
        "modified": counts.modified,
        "matched": counts.matched,
    }
