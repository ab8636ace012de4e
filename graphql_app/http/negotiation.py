"""Media types: which form a request's body has, and which type and which rules its answer gets."""

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Literal

from graphql_app.shape import Answer

__all__ = [
    "GRAPHQL_RESPONSE",
    "JSON_RESPONSE",
    "AnswerForm",
    "BodyForm",
    "choose_form",
    "prefers_html",
    "read_body_form",
]

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


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """How a request is answered.

    Attributes:
        media_type: of the body.
        standard: whether GraphQL over HTTP rules, or what the original does.
    """

    media_type: str
    standard: bool

    def status(self, answer: Answer) -> int:
        """Give the status of what the engine answered.

        In the original, and with its media type in the standard, 400 says that a query was refused. The standard keeps
        200 for what has a member ``data``, be it null, and for all that is plain JSON: there, other statuses come from
        servers that know nothing of GraphQL.
        """
        if not self.standard or answer.status != 400:
            return answer.status
        return 200 if self.media_type == JSON_RESPONSE or answer.has_data else 400


@lru_cache(maxsize=256)
def choose_form(accept: str | None, http: Literal["compat", "standard"]) -> AnswerForm | None:
    """Choose by the ``Accept`` of a request and the setting; None if nothing that there is would be accepted.

    The original answers with the GraphQL type, whatever is accepted; plain JSON, and with it the standard, is for those
    who accept it and not the GraphQL type. The standard takes what is preferred, and plain JSON where nothing is.
    """
    graphql, json = _quality(accept or "*/*", GRAPHQL_RESPONSE), _quality(accept or "*/*", "application/json")
    if http == "compat":
        alone = json[0] > 0 and graphql[0] == 0
        return AnswerForm(JSON_RESPONSE, standard=True) if alone else AnswerForm(GRAPHQL_RESPONSE, standard=False)
    if not graphql[0] and not json[0]:
        return None
    named = graphql[1] == _NAMED
    preferred = graphql > json or (named and graphql == json)
    return AnswerForm(f"{GRAPHQL_RESPONSE}; charset=utf-8" if preferred else JSON_RESPONSE, standard=True)


def prefers_html(accept: str | None) -> bool:
    """Tell a browser's address line from a program: it names HTML, programs send ``*/*`` or JSON."""
    return any(name == "text/html" and quality > 0 for name, quality in _read_accept(accept or ""))


_NAMED = 2
"""How specific a range is that names a type; then come ``type/*`` and ``*/*``."""


def _quality(accept: str, media_type: str) -> tuple[float, int]:
    """Give the weight of a type, and how specific the range is that decides it."""
    ranges = dict(_read_accept(accept))
    general = media_type.partition("/")[0] + "/*"
    for specific, name in ((_NAMED, media_type), (1, general), (0, "*/*")):
        if name in ranges:
            return ranges[name], specific
    return 0.0, 0


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
