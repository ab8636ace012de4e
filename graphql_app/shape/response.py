"""Response bodies as bytes, and the status that goes with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from content_core.documents import Json
from content_core.extended_json import dumps
from graphql_app.plan.types import LimitExceededError
from graphql_app.shape.errors import render_field_error, render_service_error

__all__ = ["Answer", "bound_answer", "extend_answer", "shape_errors", "shape_outcome"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished response.

    Attributes:
        status: for HTTP.
        body: the JSON text.
        compiled: whether a compiled function gave the data; else graphql-core did, or there are none.
        calls: database calls.
        documents: documents that they read.
        statistics: what data loaders would have counted, if that was wanted.
    """

    status: int
    body: bytes
    compiled: bool = False
    calls: int = 0
    documents: int = 0
    statistics: Mapping[str, int | float] | None = None

    @property
    def has_data(self) -> bool:
        """Whether there is a member ``data``, null or not: it is the first one wherever it is."""
        return self.body.startswith(b'{"data":')


def shape_outcome(data: dict[str, Any] | None, errors: Sequence[Any], **known: Any) -> Answer:
    """Shape what an execution gave: 200 while there is data, 400 when a null reached the root.

    Args:
        data: the response's data.
        errors: the errors of its fields, as graphql-core gives them.
        known: more attributes of the answer.
    """
    body: dict[str, Json] = {"data": data}
    if errors:
        body["errors"] = [render_field_error(error) for error in errors]
    return Answer(400 if data is None else 200, _write(body), **known)


def shape_errors(status: int, errors: Sequence[Json]) -> Answer:
    """Shape the answer to a request that was not executed, or whose data were dropped."""
    return Answer(status, _write({"errors": list(errors)}))


def extend_answer(answer: Answer, extensions: Json) -> Answer:
    """Give the same answer with a member ``extensions``, which no answer has otherwise; its data are not read again."""
    return replace(answer, body=answer.body[:-1] + b',"extensions":' + orjson.dumps(extensions) + b"}")


def bound_answer(answer: Answer, *, max_bytes: int) -> Answer:
    """Give an answer, or the refusal of one that is larger than answers may be: 400 without data."""
    size = len(answer.body)
    if size <= max_bytes:
        return answer
    message = (
        f"The answer has {size} bytes, the limit is {max_bytes} (max_response_bytes);"
        " select less, or take a smaller limit and skip"
    )
    entry = render_service_error(message, code=LimitExceededError.code)
    entry["extensions"] |= {"limit": "max_response_bytes", "allowed": max_bytes, "counted": size}
    refusal = shape_errors(400, [entry])
    return replace(refusal, calls=answer.calls, documents=answer.documents)


def _write(body: dict[str, Json]) -> bytes:
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # a value that only the longer way can write
        return dumps(body)
