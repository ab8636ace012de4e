"""JSON Schema, draft 4, such that no schema can stop the server: patterns run in linear time, nothing is fetched."""

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from itertools import islice
from typing import Any, Final
from urllib.parse import urldefrag, urljoin

import orjson
from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT4

from content_core.access.pattern import PatternError, compile_pattern
from content_core.documents import Json
from content_core.errors import RequestError, ServiceError

__all__ = ["DRAFT", "SchemaCheck", "check_schema", "references"]

DRAFT: Final = "http://json-schema.org/draft-04/schema#"

_ANYTHING: Final = "[\\s\\S]*"
_MAX_REASONS: Final = 10
_MAX_REASON: Final = 300
_MAX_STEPS: Final = 100_000
_steps: ContextVar[list[int]] = ContextVar("schema_steps")
"""How many references the check of one document has followed; schemas can multiply them without end."""


class SchemaCheck:
    """Checks values against a schema.

    Args:
        name: what messages call the schema.
        address: its address.
        schemas: the schema and those that it refers to, by address.
    """

    def __init__(self, name: str, address: str, schemas: Mapping[str, Json]) -> None:
        self._name = name
        known = {urldefrag(DRAFT).url: Draft4Validator.META_SCHEMA, **schemas}
        resources = [(place, DRAFT4.create_resource(_without_dialect(schema))) for place, schema in known.items()]
        # Nothing is ever fetched: what is not in here cannot be referred to.
        registry: Registry[Json] = Registry().with_resources(resources)
        # Looked up rather than given: a schema that is nothing but a reference would not know its own address.
        self._validator = _Validator({"$ref": address}, registry=registry)

    def check(self, value: Json) -> None:
        """Check a value.

        Raises:
            RequestError: it does not fit, with the first reasons.
            ServiceError: the schema refers to something that is not stored, or is no schema.
        """
        _steps.set([_MAX_STEPS])
        try:
            errors = list(islice(self._validator.iter_errors(value), _MAX_REASONS))
        except RecursionError:
            raise RequestError(f"the schema '{self._name}' or the document is nested too deeply") from None
        except Unresolvable as error:
            raise ServiceError(f"the schema '{self._name}' refers to a schema that is not stored") from error
        except (SchemaError, PatternError, TypeError, KeyError, AttributeError, ValueError) as error:
            raise ServiceError(f"the stored schema '{self._name}' is not usable") from error
        if errors:
            reasons = "; ".join(_describe(error) for error in errors)
            raise RequestError(f"Request content violates schema '{self._name}': {reasons}")


def check_schema(schema: Json) -> None:
    """Check a schema before it is stored.

    Raises:
        RequestError: it is not valid, or has a pattern that cannot be matched in linear time.
    """
    try:
        errors = list(islice(Draft4Validator(Draft4Validator.META_SCHEMA).iter_errors(schema), _MAX_REASONS))
    except RecursionError:
        raise RequestError("the schema is nested too deeply") from None
    reasons = [_describe(error) for error in errors] or [*_pattern_problems(schema)]
    if reasons:
        raise RequestError(f"Request content violates JSON Schema meta schema: {'; '.join(reasons[:_MAX_REASONS])}")


def references(schema: Json, address: str) -> set[str]:
    """Give the addresses, without fragments, that a schema refers to."""
    found: set[str] = set()
    pending = [(schema, address)]
    for value, above in pending:  # grows while it is read
        if isinstance(value, list):
            pending.extend((item, above) for item in value)
        elif isinstance(value, dict):
            own, target = value.get("id"), value.get("$ref")
            base = _join(above, own) if isinstance(own, str) else above
            if isinstance(target, str):
                found.add(urldefrag(_join(base, target)).url)
            pending.extend((item, base) for item in value.values())
    return found


def _without_dialect(schema: Json) -> Json:
    """Leave ``$schema`` out: where the library reads it, it goes on with rules of its own instead of ours."""
    if isinstance(schema, Mapping):
        return {
            name: _without_dialect(value)
            for name, value in schema.items()
            if name != "$schema" or not isinstance(value, str)
        }
    return [_without_dialect(value) for value in schema] if isinstance(schema, list) else schema


def _join(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:  # a bracket that opens no IPv6 address
        return base


def _describe(error: ValidationError) -> str:
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    reason = f"{place}: {error.message}" if place else str(error.message)
    return reason if len(reason) <= _MAX_REASON else reason[:_MAX_REASON] + "…"


# --- patterns ------------------------------------------------------------------------------------------------------


def _contains(pattern: str, text: str) -> bool:
    return compile_pattern(_search_form(pattern)).matches(text)


def _search_form(pattern: str) -> str:
    """Rewrite a pattern that is searched for as one that matches the whole text."""
    return "|".join(_whole(option) for option in _options(pattern))


def _whole(option: str) -> str:
    begins, ends = option.startswith("^"), _ends(option)
    inner = option[1 if begins else 0 : -1 if ends else None]
    return f"{'' if begins else _ANYTHING}(?:{inner}){'' if ends else _ANYTHING}"


def _ends(option: str) -> bool:
    escapes = len(option) - 1 - len(option[:-1].rstrip("\\"))
    return option.endswith("$") and escapes % 2 == 0


def _options(pattern: str) -> Iterator[str]:
    """Split at the outermost bars."""
    depth, in_class, start, at = 0, False, 0, 0
    while at < len(pattern):
        character = pattern[at]
        if character == "\\":
            at += 1
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and not depth:
            yield pattern[start:at]
            start = at + 1
        at += 1
    yield pattern[start:]


def _pattern_problems(schema: Json) -> Iterator[str]:
    pending = [schema]
    for value in pending:  # grows while it is read
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value.values())
            given = [value.get("pattern"), *_names(value.get("patternProperties"))]
            for pattern in given:
                if isinstance(pattern, str) and (problem := _problem(pattern)):
                    yield f"the pattern '{pattern[:100]}' is not read here: {problem}"


def _names(value: Json) -> Iterable[str]:
    return value if isinstance(value, dict) else ()


def _problem(pattern: str) -> str:
    try:
        compile_pattern(_search_form(pattern))
    except PatternError as error:
        return str(error)
    return ""


# --- keywords that the library would answer in other than linear time ----------------------------------------------


def _pattern(validator: Any, pattern: str, instance: Json, _schema: Json) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _contains(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, rules: Json, instance: Json, _schema: Json) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    for pattern, rule in rules.items():
        for name, value in instance.items():
            if _contains(pattern, name):
                yield from validator.descend(value, rule, path=name, schema_path=pattern)


def _additional_properties(validator: Any, rule: Json, instance: Json, schema: Json) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [name for name in instance if name not in known and not any(_contains(each, name) for each in patterns)]
    if validator.is_type(rule, "object"):
        for name in extra:
            yield from validator.descend(instance[name], rule, path=name)
    elif not rule and extra:
        yield ValidationError(f"additional properties are not allowed: {', '.join(map(repr, extra[:_MAX_REASONS]))}")


def _unique_items(validator: Any, wanted: bool, instance: Json, _schema: Json) -> Iterator[ValidationError]:
    if wanted and validator.is_type(instance, "array"):
        forms = {orjson.dumps(_comparable(item), option=orjson.OPT_SORT_KEYS) for item in instance}
        if len(forms) < len(instance):
            yield ValidationError("the array holds an item twice")


def _comparable(value: Json) -> Json:
    """Write numbers that are equal in the same way."""
    if isinstance(value, dict):
        return {name: _comparable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value


def _reference(validator: Any, target: str, instance: Json, schema: Json) -> Iterator[ValidationError]:
    left = _steps.get()
    left[0] -= 1
    if left[0] < 0:
        raise RequestError("the schema takes too long to check: its references multiply")
    yield from Draft4Validator.VALIDATORS["$ref"](validator, target, instance, schema)


_Validator: Final[type[Any]] = extend(  # type: ignore[no-untyped-call]
    Draft4Validator,
    {
        "$ref": _reference,
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "uniqueItems": _unique_items,
    },
)
