"""Reads and checks the field mappings of object types."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bson import Decimal128

from content_core.errors import RequestError
from content_core.extended_json import from_json
from graphql_app.schema.bson_types import type_name
from graphql_app.schema.checks import Check, Findings
from graphql_app.schema.constants import (
    ROOT_DOCUMENT,
    USER,
    ArgumentUse,
    ForeignKeyUse,
    Malformed,
    read_stage_uses,
    read_uses,
)
from graphql_app.schema.mappings import (
    AggregationMapping,
    FieldMapping,
    Limits,
    LoaderOptions,
    PathMapping,
    QueryMapping,
)
from graphql_app.schema.operators import find_forbidden_operator, locate_operator
from graphql_app.schema.pipelines import inspect_stages, is_reserved
from graphql_app.schema.sdl import ROOT_TYPES, FieldShape, Sdl

__all__ = ["read_field_mappings"]

_OPTIONAL: Final = frozenset({"$ifarg"})
_INT32: Final = range(-(2**31), 2**31)


@dataclass(frozen=True, slots=True)
class _Place:
    """One field mapping on its way: where it stands and what it is checked against."""

    type_name: str
    field_name: str
    shape: FieldShape | None
    tenant: str
    limits: Limits
    findings: Findings

    @property
    def label(self) -> str:
        return f"The mapping for {self.type_name}.{self.field_name}"

    def refuse(self, check: Check, reason: str) -> None:
        self.findings.refuse(check, f"{self.label} {reason}")

    def refuse_type(self, check: Check, member: str, expected: str, value: Any) -> None:
        reason = f"requires the property '{member}' to be a {expected} but it is a {type_name(value)}"
        self.refuse(check, reason)


def read_field_mappings(
    mappings: Mapping[str, Any], *, sdl: Sdl, tenant: str, limits: Limits, findings: Findings
) -> dict[str, dict[str, FieldMapping]]:
    """Read the entries of ``mappings`` that name object types; what is wrong goes to ``findings``."""
    result: dict[str, dict[str, FieldMapping]] = {}
    for name, entry in mappings.items():
        if name not in sdl.objects:
            continue
        if not isinstance(entry, Mapping):
            reason = f"Error with mappings of type: {name}. Type mappings must be of type Object but was "
            findings.refuse(Check.TYPE_ENTRY, reason + type_name(entry))
            continue
        fields = sdl.objects[name]
        read = result.setdefault(name, {})
        for field_name, value in entry.items():
            place = _Place(name, field_name, fields.get(field_name), tenant, limits, findings)
            mapping = _read_mapping(value, place)
            if place.shape is None:
                findings.warn(f"{place.label} is not used: type {name} has no field {field_name}")
            elif mapping is not None:
                read[field_name] = mapping
    return result


def _read_mapping(value: Any, place: _Place) -> FieldMapping | None:
    if isinstance(value, str):
        return PathMapping.of(value)
    if not isinstance(value, Mapping):
        place.refuse(Check.FIELD_ENTRY, f"must be a String or a Document, but it is a {type_name(value)}")
        return None
    located = _check_location(value, place)
    read = _read_aggregation if "stages" in value else _read_query
    mapping = read(value, place)
    return mapping if located else None


def _check_location(value: Mapping[str, Any], place: _Place) -> bool:
    found = True
    for member in ("db", "collection"):
        if member not in value:
            place.refuse(Check.PLACE_MISSING, f"does not specify the property '{member}'")
            found = False
        elif not isinstance(value[member], str):
            place.refuse_type(Check.PLACE_TYPE, member, "string", value[member])
            found = False
    if found and value["db"] != place.tenant:
        place.refuse(Check.DATABASE, f"reads the database '{value['db']}'; it may only read '{place.tenant}'")
    if found and is_reserved(value["collection"]):
        place.refuse(Check.COLLECTION, f"reads the collection '{value['collection']}', which is reserved")
    return found


def _read_aggregation(value: Mapping[str, Any], place: _Place) -> AggregationMapping:
    stages = value["stages"]
    if not isinstance(stages, list):
        # The text names 'db', as the documented one does; clients compare it.
        place.refuse_type(Check.STAGES_TYPE, "db", "ARRAY", stages)
        stages = []
    _check_objects(value, ("dataLoader",), place)
    database = str(value.get("db"))
    stages = _read_stages(stages, place)
    inspection = inspect_stages(stages, database=database)
    for violation in inspection.violations:
        place.refuse(Check.OPERATOR, f"has stages that are not allowed: {violation}")
    for fault in inspection.faults:
        place.findings.warn(f"{place.label} has stages that always fail: {fault}")
    return AggregationMapping(
        type_name=place.type_name,
        field_name=place.field_name,
        db=database,
        collection=str(value.get("collection")),
        stages=tuple(stages),
        reads=inspection.reads | {(database, str(value.get("collection")))},
        allow_disk_use=value.get("allowDiskUse") is True,
        loader=_read_loader(value.get("dataLoader")),
        plural=place.shape is not None and place.shape.plural,
    )


def _read_stages(stages: list[Any], place: _Place) -> list[Any]:
    """Turn Extended JSON into BSON values and check what gives way to values."""
    try:
        read: list[Any] = from_json(stages)
    except RequestError as error:
        place.refuse(Check.EXTENDED_JSON, f"has 'stages' that cannot be read: {error.message}")
        return []
    for stage in read:
        for use in read_stage_uses(stage):
            _check_use(use, place, predefined=True)
        if locate_operator(list(stage.values()) if isinstance(stage, dict) else stage, _OPTIONAL):
            place.findings.warn(f"{place.label} has an $ifarg inside a stage, where it is not read")
    return read


def _read_query(value: Mapping[str, Any], place: _Place) -> QueryMapping:
    _check_objects(value, ("find", "sort", "dataLoader"), place)
    if "limit" in value:
        _check_limit(value["limit"], place)
    if "skip" in value and not _is_document_or_number(value["skip"]):
        place.refuse_type(Check.SKIP_TYPE, "skip", "Object", value["skip"])
    parts = {member: _read_part(member, value[member], place) for member in _PARTS if member in value}
    return QueryMapping(
        type_name=place.type_name,
        field_name=place.field_name,
        db=str(value.get("db")),
        collection=str(value.get("collection")),
        loader=_read_loader(value.get("dataLoader")),
        plural=place.shape is not None and place.shape.plural,
        **parts,
    )


_PARTS: Final = ("find", "sort", "skip", "limit")


def _check_objects(value: Mapping[str, Any], members: tuple[str, ...], place: _Place) -> None:
    for member in members:
        if member in value and not isinstance(value[member], Mapping):
            place.refuse_type(Check.MEMBER_TYPE, member, "Object", value[member])


def _check_limit(limit: Any, place: _Place) -> None:
    if isinstance(limit, Mapping):
        return
    if not isinstance(limit, int) or isinstance(limit, bool) or limit not in _INT32:
        place.refuse_type(Check.LIMIT_TYPE, "limit", "Object", limit)
    elif limit > place.limits.max_limit:
        reason = f"Error with field 'limit' of type {place.type_name}, value cannot be grater than "
        place.findings.refuse(Check.LIMIT_VALUE, f"{reason}{place.limits.max_limit}")


def _is_document_or_number(value: Any) -> bool:
    return isinstance(value, Mapping | int | float | Decimal128) and not isinstance(value, bool)


def _read_part(member: str, value: Any, place: _Place) -> Any:
    """Turn Extended JSON into BSON values and check what stands where a query may be put together."""
    try:
        part = from_json(value)
    except RequestError as error:
        place.refuse(Check.EXTENDED_JSON, f"has a '{member}' that cannot be read: {error.message}")
        return value
    if operator := find_forbidden_operator(part):
        place.refuse(Check.OPERATOR, f"uses the operator '{operator}' in '{member}', which is not allowed")
    uses = list(read_uses(part))
    for use in uses:
        _check_use(use, place)
    if member in {"skip", "limit"} and isinstance(part, dict) and not {"$arg", "$fk"} & set(part):
        place.findings.warn(f"{place.label} has a '{member}' that is no number, $arg or $fk: the field always fails")
    return part


def _check_use(use: ArgumentUse | ForeignKeyUse | Malformed, place: _Place, *, predefined: bool = False) -> None:
    """Check one ``$arg``, ``$fk`` or ``$ifarg``; ``predefined``: there is also ``@user``."""
    parentless = place.type_name in ROOT_TYPES
    match use:
        case Malformed(operator, text):
            place.refuse(Check.ARGUMENT, f"has a malformed {operator}: {text}")
        case ForeignKeyUse(path) if parentless:
            place.refuse(Check.NO_PARENT, f"uses $fk '{path}', but fields of {place.type_name} have no parent")
        case ArgumentUse(name, has_default) if use.head == ROOT_DOCUMENT:
            if parentless and not has_default:
                reason = f"uses '{name}' without a default, but fields of {place.type_name} have no root document"
                place.refuse(Check.NO_PARENT, reason)
        case ArgumentUse() if predefined and use.head == USER:
            pass
        case ArgumentUse(name) if place.shape is not None and not {name, use.head} & place.shape.arguments:
            place.findings.warn(f"{place.label} takes '{name}' from an argument that the field does not declare")
        case _:
            pass


def _read_loader(value: Any) -> LoaderOptions:
    """Read the ``dataLoader``; members of a wrong type count as absent, as does a batch size without batching."""
    if not isinstance(value, Mapping):
        return LoaderOptions()
    batching, caching = value.get("batching"), value.get("caching")
    size = _read_batch_size(value.get("maxBatchSize")) if isinstance(batching, bool) else 0
    return LoaderOptions(batching=batching is True, caching=caching is True, max_batch_size=size)


def _read_batch_size(value: Any) -> int:
    is_size = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**31
    return int(value) if is_size else 0
