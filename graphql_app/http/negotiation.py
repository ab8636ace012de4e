"""Media types: which form a request's body has, and which type its answer gets."""

from enum import Enum

__all__ = ["GRAPHQL_RESPONSE", "JSON_RESPONSE", "BodyForm", "choose_response_type", "prefers_html", "read_body_form"]

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON_RESPONSE = "application/json; charset=utf-8"


class BodyForm(Enum):
    """The two forms of a request."""

    JSON = "json"
    RAW = "raw"


def read_body_form(content_type: str | None) -> BodyForm | None:
    """Tell the form by the media type, in any case and with any parameters; None for every other type."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return {"application/json": BodyForm.JSON, "application/graphql": BodyForm.RAW}.get(media_type)


def choose_response_type(accept: str | None) -> str:
    """Answer with plain JSON to those who take it and exclude the GraphQL type; to everybody else with the latter."""
    if accept and _quality(accept, "application/json") > 0 and _quality(accept, GRAPHQL_RESPONSE) == 0:
        return JSON_RESPONSE
    return GRAPHQL_RESPONSE


def prefers_html(accept: str | None) -> bool:
    """Tell a browser's address line from a program: it names HTML, programs send ``*/*`` or JSON."""
    return any(name == "text/html" and quality > 0 for name, quality in _read_accept(accept or ""))


def _quality(accept: str, media_type: str) -> float:
    """Give the weight of a type; the most specific range that covers it decides."""
    ranges = dict(_read_accept(accept))
    general = media_type.partition("/")[0] + "/*"
    for name in (media_type, general, "*/*"):
        if name in ranges:
            return ranges[name]
    return 0.0


def _read_accept(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((_read_quality(text[2:]) for text in parameters if text.startswith("q=")), 1.0)
        ranges.append((name, quality))
    return ranges


def _read_quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
