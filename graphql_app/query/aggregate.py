"""A database field's aggregation: optional stages, arguments and parent value become one pipeline that may run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from content_core.documents import Document
from content_core.errors import PipelineMalformedError, PipelineRefusedError
from graphql_app.query.arguments import Scope, find_argument
from graphql_app.query.errors import EmptyRelationError, FetchError
from graphql_app.query.interpolate import (
    interpolate_expression,
    interpolate_filter,
    interpolate_page,
    interpolate_value,
)
from graphql_app.query.safety import refuse_unsafe
from graphql_app.schema.constants import read_optional_stage
from graphql_app.schema.mappings import AggregationMapping, Limits
from graphql_app.schema.operators import locate_operator
from graphql_app.schema.pipelines import READING_STAGES, Violation, inspect_stages

__all__ = ["AggregateQuery", "plan_aggregate"]

_NO_DOCUMENT: Final[Document] = {"_id": {"$in": []}}
_NOTHING: Final[Document] = {"$match": _NO_DOCUMENT}
_GIVING: Final = frozenset({"$densify", "$documents", "$facet", "$unionWith"})
"""Stages that can give documents though none come in."""

_RANDOM: Final = frozenset({"$rand", "$sample", "$samplerate"})
_PAGES: Final = frozenset({"$limit", "$skip"})
_PLAIN: Final = frozenset({"$count", "$sample", "$sort", "$unset", "$unwind"})
"""Stages that take no expressions."""

_FILTERS: Final[Mapping[str, str]] = {"$geoNear": "query", "$graphLookup": "restrictSearchWithMatch"}
"""Stages with a filter among their members."""

_EXPRESSIONS: Final[Mapping[str, str]] = {"$graphLookup": "startWith", "$lookup": "let"}
"""Stages with expressions in one member only."""


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """A pipeline that is ready to run, but for the time limit.

    Attributes:
        stages: without ``$arg``, ``$fk`` and ``$ifarg``.
        allow_disk_use: whether MongoDB may use its disk where memory is short.
        is_random: two runs may differ though no document has changed.
    """

    stages: tuple[Document, ...]
    allow_disk_use: bool = False
    is_random: bool = False


def plan_aggregate(
    mapping: AggregationMapping, scope: Scope, *, limits: Limits, regex_length: int
) -> AggregateQuery | None:
    """Fill a mapping's stages in; None if there is nothing to find: no stages, or a ``$fk`` is null.

    A list gets at most ``limits.max_limit`` documents, unless the mapping itself ends in a constant ``$limit``.

    Raises:
        FetchError: the field fails, with the cause.
    """
    if not mapping.stages:
        return None
    scope = replace(scope, knows_user=True)
    for name, value in scope.arguments.items():
        _refuse_reading(value, f"argument {name}")
    templates = list(_choose(mapping.stages, scope))
    stages = _fill_pipeline(templates, scope)
    _check(mapping, stages)
    if stages[:1] == [_NOTHING] and not any(_GIVING.intersection(stage) for stage in stages):
        return None
    # What the mapping says itself was judged when it was written; only values bring further regular expressions.
    refuse_unsafe([stage for stage in stages if stage not in templates], regex_length=regex_length)
    if not mapping.plural:
        stages.append({"$limit": 1})
    elif not _is_capped(templates, stages, limits.max_limit):
        stages.append({"$limit": limits.max_limit})
    is_random = locate_operator(stages, _RANDOM) is not None
    return AggregateQuery(tuple(stages), mapping.allow_disk_use, is_random)


def _choose(stages: Iterable[Any], scope: Scope) -> Iterable[Any]:
    """Decide which of the optional stages stand in the pipeline."""
    for stage in stages:
        if not isinstance(stage, dict) or "$ifarg" not in stage:
            yield stage
            continue
        optional = read_optional_stage(stage)
        if optional is None:
            raise FetchError("invalid app definition")
        bound = all(find_argument(name, scope) is not None for name in optional.names)
        chosen = optional.then if bound else optional.otherwise
        if chosen is not None:
            yield chosen


def _fill_pipeline(templates: Iterable[Any], scope: Scope) -> list[Any]:
    """Fill stages one by one; what a null ``$fk`` lets nothing through replaces all that comes before it."""
    stages: list[Any] = []
    for template in templates:
        try:
            stages.append(_fill_stage(template, scope))
        except EmptyRelationError:
            stages = [_NOTHING]
    return stages


def _fill_stage(template: Any, scope: Scope) -> Any:
    if not isinstance(template, dict):
        return template
    if "$fk" in template or (len(template) == 1 and "$arg" in template):
        return _inserted(template, scope)
    return {name: _fill_operand(name, operand, scope) for name, operand in template.items()}


def _inserted(template: Document, scope: Scope) -> Any:
    """Give what stands in place of a whole stage or pipeline."""
    value = interpolate_value(template, scope)
    _refuse_reading(value, "a value")
    return value


def _fill_operand(name: str, operand: Any, scope: Scope) -> Any:
    if name in _PAGES:
        return interpolate_page(operand, scope)
    if name in _PLAIN or not isinstance(operand, dict):
        return interpolate_value(operand, scope)
    match name:
        case "$match":
            return interpolate_filter(operand, scope)
        case "$facet":
            return {facet: _fill_nested(stages, scope) for facet, stages in operand.items()}
        case "$geoNear" | "$graphLookup" | "$lookup" | "$unionWith":
            return {member: _fill_member(name, member, value, scope) for member, value in operand.items()}
    return interpolate_expression(operand, scope)


def _fill_member(stage: str, member: str, template: Any, scope: Scope) -> Any:
    if member == "pipeline":
        return _fill_nested(template, scope)
    if _EXPRESSIONS.get(stage) == member:
        return interpolate_expression(template, scope)
    if _FILTERS.get(stage) != member or not isinstance(template, dict):
        return interpolate_value(template, scope)
    try:
        return interpolate_filter(template, scope)
    except EmptyRelationError:
        return _NO_DOCUMENT


def _fill_nested(template: Any, scope: Scope) -> Any:
    return _fill_pipeline(template, scope) if isinstance(template, list) else _inserted(template, scope)


def _refuse_reading(value: Any, source: str) -> None:
    """Refuse stages that name collections unless they are the mapping's own."""
    if isinstance(value, dict | list) and (found := locate_operator(value, READING_STAGES)):
        reason = "Stages that name collections must be constant"
        raise _refusal(Violation("BLACKLISTED_STAGE", found[0], source + found[1], reason))


def _check(mapping: AggregationMapping, stages: list[Any]) -> None:
    inspection = inspect_stages(stages, database=mapping.db, declared=mapping.reads)
    for violation in inspection.violations:
        raise _refusal(violation)
    for fault in inspection.faults:
        raise FetchError(f"{PipelineMalformedError.prefix}{fault}", code=PipelineMalformedError.code)


def _refusal(violation: Violation) -> FetchError:
    return FetchError(f"GraphQL {PipelineRefusedError.prefix}{violation}", code=PipelineRefusedError.code)


def _is_capped(templates: list[Any], stages: list[Any], max_limit: int) -> bool:
    """Say whether a pipeline ends in a ``$limit``: any that is a constant, or one below the maximum."""
    if not stages or "$limit" not in stages[-1]:
        return False
    limit = stages[-1]["$limit"]
    if not isinstance(limit, int | float) or isinstance(limit, bool):
        return True  # MongoDB refuses it
    return templates[-1] == stages[-1] or limit <= max_limit
