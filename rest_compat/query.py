"""The query parameters of reads as one value: what to find, what to show, in which order and form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from content_core.documents import Document
from content_core.errors import RequestError
from content_core.json_modes import JsonMode
from content_core.relaxed_json import parse_relaxed
from content_core.store.values import Hint
from rest_compat.query_safety import refuse_unsafe
from rest_compat.request import Page, Request
from rest_compat.settings import RestSettings

__all__ = ["Count", "Query", "Rep", "parse_filter", "parse_query"]

Rep: TypeAlias = Literal["hal", "plain", "standard"]
Count: TypeAlias = Literal["no", "exact", "estimated"]
Sort: TypeAlias = tuple[tuple[str, Any], ...]

_REPS: Final[Mapping[str, Rep]] = {
    "hal": "hal",
    "pj": "plain",
    "plain_json": "plain",
    "shal": "plain",
    "s": "standard",
    "standard": "standard",
}
_HAL_MODES: Final = frozenset({"c", "compact", "f", "full"})
_JSON_MODES: Final[Mapping[str, JsonMode]] = {"extended": "EXTENDED", "relaxed": "RELAXED", "strict": "STRICT"}
_NEWEST_FIRST: Final[Sort] = (("_id", -1),)
_MAX_DIGITS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What a request asks of a list or a document.

    Args:
        filter: the conditions, all of which must hold; None without any.
        keys: the projection, None for whole documents.
        sort: pairs of field and direction; none for the order of storage.
        page: which part of the list.
        count: whether and how the matches are counted.
        np: whether the list's own properties are left out.
        hint: the index to use: its name, or its keys.
        rep: the form of lists.
        json_mode: how types are written.
        resolve_refs: the paths of references to resolve, as they were written; None without the parameter.
        warnings: what the answer should say about the question.
    """

    filter: Document | None = None
    keys: Document | None = None
    sort: Sort = _NEWEST_FIRST
    page: Page
    count: Count = "no"
    np: bool = False
    hint: Hint | None = None
    rep: Rep = "hal"
    json_mode: JsonMode = "default"
    resolve_refs: tuple[str, ...] | None = None
    warnings: tuple[str, ...] = ()


def parse_query(request: Request, settings: RestSettings) -> Query:
    """Read the parameters of a read.

    Raises:
        RequestError: a value is not what the parameter takes.
        OperatorRefusedError: an operator in it would run code.
    """
    parameters = request.query
    found = parse_filter(request, settings)
    rep_name = _first(parameters, "rep", "hal")
    rep = _REPS.get(rep_name.lower())
    _check_hal(parameters)
    return Query(
        filter=found,
        keys=_parse_keys(parameters, settings),
        sort=_parse_sort(parameters),
        page=_parse_page(parameters, settings),
        count=_parse_count(parameters),
        np="np" in parameters or (found is not None and settings.no_properties_with_filter),
        hint=_parse_hint(parameters),
        rep=rep or "hal",
        json_mode=_JSON_MODES.get(_first(parameters, "jsonMode", "").lower(), "default"),
        resolve_refs=parameters.get("resolveRef") if settings.resolve_refs else None,
        warnings=() if rep else (f"unknown rep '{rep_name[:40]}', the answer is in HAL",),
    )


def parse_filter(request: Request, settings: RestSettings) -> Document | None:
    """Read the ``filter`` parameters as one condition, for reads and as what a write must find; None without any.

    Raises:
        RequestError: one of them is no JSON object with a member.
        OperatorRefusedError: an operator in it would run code.
    """
    values = request.query.get("filter")
    if values is None:
        return None
    filters = [_parse_object(value, "filter") for value in values]
    for one in filters:
        refuse_unsafe(one, parameter="filter", max_regex_length=settings.max_regex_length)
    return filters[0] if len(filters) == 1 else {"$and": filters}


def _first(parameters: Mapping[str, tuple[str, ...]], name: str, default: str) -> str:
    return parameters.get(name, (default,))[0]


def _parse_object(value: str, name: str) -> Document:
    if not value.strip():
        raise RequestError(f"illegal {name} parameter (empty)")
    try:
        parsed = parse_relaxed(value)
    except RequestError as error:
        raise RequestError(f"illegal {name} parameter: {error.message}", details=error.details) from error
    if not isinstance(parsed, dict):
        raise RequestError(f"illegal {name} parameter, it is not a json object")
    if not parsed:
        raise RequestError(f"illegal {name} parameter (empty json object)")
    return parsed


def _parse_keys(parameters: Mapping[str, tuple[str, ...]], settings: RestSettings) -> Document | None:
    if "keys" not in parameters:
        return None
    merged: Document = {}
    for value in parameters["keys"]:
        merged |= _parse_object(value, "keys")
    refuse_unsafe(merged, parameter="keys", max_regex_length=settings.max_regex_length)
    return merged


def _parse_sort(parameters: Mapping[str, tuple[str, ...]]) -> Sort:
    values = parameters.get("sort_by", parameters.get("sort"))
    if values is None:
        return _NEWEST_FIRST
    merged: Document = {}
    for value in values:
        merged |= _parse_sort_object(value) if value.lstrip().startswith("{") else dict([_parse_signed(value, "sort")])
    return tuple(merged.items())


def _parse_sort_object(value: str) -> Document:
    try:
        parsed = parse_relaxed(value)
    except RequestError as error:
        raise RequestError(f"Illegal sort parameter: {error.message}", details=error.details) from error
    if not isinstance(parsed, dict) or not all(map(_is_direction, parsed.values())):
        raise RequestError("Illegal sort parameter: the direction of a field is 1, -1 or {'$meta': …}")
    return {field: order if isinstance(order, dict) else int(order) for field, order in parsed.items()}


def _is_direction(order: Any) -> bool:
    if isinstance(order, dict):
        return list(order) == ["$meta"] and isinstance(order["$meta"], str)
    return isinstance(order, int | float) and not isinstance(order, bool) and order in {1, -1}


def _parse_signed(value: str, name: str) -> tuple[str, int]:
    """Read ``field``, ``+field`` (the plus may arrive as a blank) or ``-field``."""
    text = value.strip()
    field = text[1:].strip() if text[:1] in {"+", "-"} else text
    if not field:
        raise RequestError(f"Illegal {name} parameter: the name of a field is missing")
    return field, -1 if text[0] == "-" else 1


def _parse_page(parameters: Mapping[str, tuple[str, ...]], settings: RestSettings) -> Page:
    number = _parse_integer(_first(parameters, "page", "1"))
    if number is None or number < 1:
        raise RequestError("illegal page parameter, it must be > 0")
    limit = settings.max_page_size
    size = _parse_integer(_first(parameters, "pagesize", str(settings.default_page_size)))
    if size is None or not 0 <= size <= limit:
        raise RequestError(f"illegal pagesize parameter, pagesize must be >= 0 and <= {limit}")
    return Page(number, size)


def _parse_integer(text: str) -> int | None:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _MAX_DIGITS:
        return None
    return int(text)


def _parse_count(parameters: Mapping[str, tuple[str, ...]]) -> Count:
    if "count" not in parameters:
        return "no"
    return "estimated" if _first(parameters, "count", "").lower() == "estimated" else "exact"


def _parse_hint(parameters: Mapping[str, tuple[str, ...]]) -> Hint | None:
    values = parameters.get("hint")
    if values is None:
        return None
    keys: Document = {}
    names = []
    for value in values:
        if value.lstrip().startswith("{"):
            keys |= _parse_object(value, "hint")
        elif value[:1] in {"+", "-", " "}:
            keys |= dict([_parse_signed(value, "hint")])
        else:
            names.append(value)
    if keys and not names:
        return tuple(keys.items())
    if len(names) == 1 and names[0] and not keys:
        return names[0]
    raise RequestError("illegal hint parameter, it takes one name of an index, or its keys")


def _check_hal(parameters: Mapping[str, tuple[str, ...]]) -> None:
    if _first(parameters, "hal", "c").lower() not in _HAL_MODES:
        raise RequestError("illegal hal parameter, it is f, full, c or compact")
