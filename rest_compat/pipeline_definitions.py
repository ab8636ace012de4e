"""The aggregations and change streams that the metadata of a collection defines: checked when written, found when run.

Metadata is unescaped here: ``$match``, not ``_$match``.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import NotFoundError, PipelineMalformedError, PipelineRefusedError, RequestError
from content_core.pipelines import Touch, inspect_pipeline
from rest_compat.pipeline_access import check_names
from rest_compat.pipeline_variables import PLACEHOLDERS, check_variables
from rest_compat.stream_rules import check_stream_stages

__all__ = ["AGGREGATIONS", "STREAMS", "Aggregation", "check_definitions", "find_aggregation"]

AGGREGATIONS: Final = "aggrs"
STREAMS: Final = "streams"

_PIPELINE: Final = "pipeline"
_PIPELINE_TYPES: Final = frozenset({
    "AGGREGATION_PIPELINE",
    "aggregate",
    "aggregation",
    "aggregation pipeline",
    "aggregation-pipeline",
    "aggregationPipeline",
    "ap",
    _PIPELINE,
})  # fmt: skip
_MAP_REDUCE: Final = "mapreduce"
_MAX_DEFINITIONS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Aggregation:
    """An aggregation as it is defined.

    Args:
        stages: the pipeline, with places for variables.
        allow_disk_use: whether MongoDB may use its disk where memory is short.
    """

    stages: Sequence[Document]
    allow_disk_use: bool


def find_aggregation(properties: Document, uri: str) -> Aggregation:
    """Find an aggregation in a collection's metadata, which somebody else may have written.

    Raises:
        NotFoundError: there is none with this uri.
        PipelineRefusedError: it runs JavaScript.
        PipelineMalformedError: it is not made as it has to be.
    """
    defined = properties.get(AGGREGATIONS)
    for definition in defined if isinstance(defined, list) else ():
        if isinstance(definition, dict) and definition.get("uri") == uri:
            return _read_aggregation(definition)
    raise NotFoundError("query does not exist")


def check_definitions(properties: Document, *, database: str) -> None:
    """Check the aggregations and change streams in metadata that is about to be stored.

    Args:
        properties: the metadata.
        database: of the collection.

    Raises:
        RequestError: one is not made as it has to be, or holds what may not be run.
    """
    if AGGREGATIONS in properties:
        check = partial(_check_aggregation, database=database)
        _check_all(AGGREGATIONS, properties[AGGREGATIONS], check)
    if STREAMS in properties:
        _check_all(STREAMS, properties[STREAMS], _check_stream)


def _check_all(member: str, definitions: Any, check: Callable[[Document], None]) -> None:
    if not isinstance(definitions, list) or len(definitions) > _MAX_DEFINITIONS:
        raise RequestError(f"'{member}' must be an array of at most {_MAX_DEFINITIONS} objects")
    uris: Counter[str] = Counter()
    for index, definition in enumerate(definitions):
        place = f"{member}[{index}]"
        uri = definition.get("uri") if isinstance(definition, dict) else None
        if not isinstance(uri, str) or not uri:
            raise RequestError(f"'{place}' must be an object with 'uri', a string that is not empty")
        uris[uri] += 1
        if uris[uri] > 1:
            raise RequestError(f"'{place}' has the same uri as another one: '{uri[:100]}'")
        try:
            check(definition)
        except (PipelineRefusedError, RequestError) as error:
            raise RequestError(f"'{place}' ({uri[:100]}): {error.message}", details=error.details) from error


def _check_aggregation(definition: Document, database: str) -> None:
    aggregation = _read_aggregation(definition)
    check_names(_inspect_template(aggregation.stages), database=database)


def _check_stream(definition: Document) -> None:
    stages = _read_stages(definition)
    touches = _inspect_template(stages)
    if touches:
        location = touches[0].location
        raise PipelineMalformedError(
            f"{touches[0].stage} at {location} cannot stand in a change stream", location=location
        )
    check_stream_stages(stages)


def _inspect_template(stages: Sequence[Document]) -> tuple[Touch, ...]:
    touches = inspect_pipeline(stages, placeholders=PLACEHOLDERS)
    check_variables(stages)
    return touches


def _read_aggregation(definition: Mapping[str, Any]) -> Aggregation:
    kind = definition.get("type", _PIPELINE)
    if isinstance(kind, str) and kind.lower().replace("-", "").replace("_", "") == _MAP_REDUCE:
        raise PipelineRefusedError("mapReduce runs JavaScript", location="type")
    if not isinstance(kind, str) or kind not in _PIPELINE_TYPES:
        raise PipelineMalformedError("'type' is 'pipeline' or left out", location="type")
    allow_disk_use = definition.get("allowDiskUse", False)
    if not isinstance(allow_disk_use, bool):
        raise PipelineMalformedError("'allowDiskUse' is true or false", location="allowDiskUse")
    return Aggregation(_read_stages(definition), allow_disk_use)


def _read_stages(definition: Mapping[str, Any]) -> list[Document]:
    stages = definition.get("stages")
    if not isinstance(stages, list):
        raise PipelineMalformedError("'stages' is no array of objects", location="stages")
    return stages
