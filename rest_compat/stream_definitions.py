"""The change streams that a collection's metadata define, made ready for MongoDB: variables, security, the token."""

from collections.abc import Mapping
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import PipelineMalformedError
from content_core.pipelines import inspect_pipeline
from rest_compat.pipeline_variables import fill_stages
from rest_compat.query_safety import refuse_unsafe
from rest_compat.stream_rules import check_stream_stages

__all__ = ["STREAMS", "fill_definition", "find_definition"]

STREAMS: Final = "streams"
"""The member of a collection's metadata that holds the definitions."""


def find_definition(properties: Document, uri: str) -> Document | None:
    """Find a stream by its name in a collection's metadata."""
    defined = properties.get(STREAMS)
    for definition in defined if isinstance(defined, list) else ():
        if isinstance(definition, dict) and definition.get("uri") == uri:
            return definition
    return None


def fill_definition(
    definition: Document, variables: Mapping[str, Any], *, max_regex_length: int
) -> tuple[Document, ...]:
    """Give the stages of a stream with values in the places of its variables.

    Raises:
        RequestError: a variable is not bound, or a regular expression is over the limit.
        PipelineRefusedError: the stages run code, show the server, or are none that a change stream can have.
    """
    stages = definition.get("stages", [])
    if not isinstance(stages, list):
        raise PipelineMalformedError("stages is not an array", location="pipeline")
    filled = fill_stages(stages, variables)
    touches = inspect_pipeline(filled)
    if touches:
        first = touches[0]
        reason = f"{first.stage} of '{first.collection}' cannot stand in a change stream"
        raise PipelineMalformedError(reason, location=first.location)
    refuse_unsafe(filled, parameter="avars", max_regex_length=max_regex_length)
    check_stream_stages(filled)
    return tuple(filled)
