"""Aggregation stages of mappings: what may run, which collections they read, and what a refusal says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from content_core.errors import PipelineMalformedError, PipelineNameError, PipelineRefusedError
from content_core.names import APIKEYS, GQL_APPS
from content_core.pipelines import Touch, inspect_pipeline
from graphql_app.schema.operators import FORBIDDEN_OPERATORS, locate_operator

__all__ = ["PLACEHOLDERS", "READING_STAGES", "Inspection", "Violation", "inspect_stages", "is_reserved"]

PLACEHOLDERS: Final = ("$arg", "$fk", "$ifarg")
"""What gives way to values before a pipeline runs."""

READING_STAGES: Final = frozenset({"$graphlookup", "$lookup", "$unionwith"})
"""Stages that name collections to read, in lower case; they stand in mappings only, never in values."""

_JAVASCRIPT: Final = frozenset({"$accumulator", "$function", "$where"})
_RESERVED: Final = frozenset({APIKEYS, GQL_APPS})

_Kind: TypeAlias = Literal[
    "BLACKLISTED_STAGE",
    "BLACKLISTED_OPERATOR",
    "CROSS_DATABASE_ACCESS",
    "RESERVED_COLLECTION",
    "UNDECLARED_COLLECTION",
    "VARIABLE_COLLECTION",
]


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a pipeline may not run; as text it reads as the original's refusals do."""

    kind: _Kind
    operator: str
    location: str
    reason: str

    def __str__(self) -> str:
        return f"Security violation: {self.kind} operator '{self.operator}' at {self.location} - {self.reason}"


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the stages of a pipeline do.

    Attributes:
        reads: the collections that they name, as pairs of database and collection.
        violations: what may not run.
        faults: what MongoDB would not understand.
    """

    reads: frozenset[tuple[str, str]]
    violations: tuple[Violation, ...]
    faults: tuple[str, ...]


def inspect_stages(
    stages: Sequence[Any], *, database: str, declared: frozenset[tuple[str, str]] | None = None
) -> Inspection:
    """Look into a pipeline, nested ones included.

    Args:
        stages: the pipeline; with ``$arg``, ``$fk`` and ``$ifarg`` still in it, or filled.
        database: the one that it runs in, and the only one that it may read.
        declared: the collections that the mapping reads; None while ``stages`` are the mapping's own, unfilled.
    """
    reads: list[tuple[str, str]] = []
    violations: list[Violation] = []
    faults: list[str] = []
    placeholders = PLACEHOLDERS if declared is None else ()
    for index, stage in enumerate(stages):  # one by one: a fault of one must not hide what the next one reads
        place = f"pipeline[{index}]"
        if forbidden := locate_operator(stage, FORBIDDEN_OPERATORS):
            violations.append(_forbidden_operator(*forbidden, place=place))
            continue
        try:
            touches = inspect_pipeline([stage], placeholders=placeholders)
        except PipelineMalformedError as error:
            faults.append(_moved(error.what, place))
        except PipelineRefusedError as error:
            violations.append(_refused(error, place))
        else:
            violations.extend(_check_touches(touches, place, database, declared))
            reads.extend((touch.database or database, touch.collection) for touch in touches)
    return Inspection(frozenset(reads), tuple(violations), tuple(faults))


def is_reserved(collection: str) -> bool:
    """Say whether a collection is the server's own, so that no application reads it."""
    return collection in _RESERVED or not collection or collection.startswith(("system.", "_"))


def _forbidden_operator(operator: str, location: str, *, place: str) -> Violation:
    if operator.lower() in _JAVASCRIPT:
        reason = "Operator is in security blacklist"
        return Violation("BLACKLISTED_OPERATOR", operator, place + location, reason)
    return Violation("BLACKLISTED_STAGE", operator, place + location, "Pipeline stage is in security blacklist")


def _refused(error: PipelineRefusedError, place: str) -> Violation:
    holder, _, operator = error.location.rpartition(".")
    if isinstance(error, PipelineNameError):
        reason = "Collection and database names must be constant"
        return Violation("VARIABLE_COLLECTION", operator, _moved(holder or error.location, place), reason)
    return Violation("BLACKLISTED_STAGE", operator, _moved(holder, place), "Pipeline stage is in security blacklist")


def _check_touches(
    touches: Sequence[Touch], place: str, database: str, declared: frozenset[tuple[str, str]] | None
) -> Iterator[Violation]:
    for touch in touches:
        location = _moved(touch.location.removesuffix(f".{touch.stage}"), place)
        if touch.access != "read":
            reason = "Pipeline stage is in security blacklist"
            yield Violation("BLACKLISTED_STAGE", touch.stage, location, reason)
        elif touch.database not in {None, database}:
            reason = f"Access to the database '{touch.database}' is not allowed"
            yield Violation("CROSS_DATABASE_ACCESS", touch.stage, location, reason)
        elif is_reserved(touch.collection):
            reason = f"The collection '{touch.collection}' is reserved"
            yield Violation("RESERVED_COLLECTION", touch.stage, location, reason)
        elif declared is not None and (database, touch.collection) not in declared:
            reason = f"The collection '{touch.collection}' is not named in the mapping"
            yield Violation("UNDECLARED_COLLECTION", touch.stage, location, reason)


def _moved(text: str, place: str) -> str:
    """Put a stage's place in its pipeline where it was inspected as the only one."""
    return text.replace("pipeline[0]", place, 1)
