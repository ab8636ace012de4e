"""The lenient reader of the CaaS platform: JSON as people type it into addresses and bodies, with types of MongoDB.

Beyond JSON it takes bare keys, single quotes, a trailing comma, NaN and Infinity, regular expression literals and the
constructors of the shell; Extended JSON is applied to the result. Text that is strict JSON goes straight to ``orjson``.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

import orjson
from bson import Binary, MaxKey, MinKey, ObjectId, Timestamp

from content_core.documents import Json
from content_core.errors import RequestError
from content_core.extended_json import MAX_DEPTH, from_epoch_milliseconds, from_json, parse_json

__all__ = ["parse_relaxed"]

_BLANK: Final = re.compile(r"\s*+")
_KEY: Final = re.compile(r"[$_A-Za-z][$_A-Za-z0-9]*+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?P<real>(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)(?![\w.$])")
_STRINGS: Final = {
    '"': re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL),
    "'": re.compile(r"'((?:[^'\\]++|\\.)*+)'", re.DOTALL),
}
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES: Final = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PATTERN: Final = re.compile(r"/((?:[^/\\\n]++|\\.)++)/([A-Za-z]*+)")
_PATTERN_OPTIONS: Final = frozenset("imxs")
_INT64: Final = range(-(2**63), 2**63)
_LONGEST_INTEGER: Final = 20
_EXTENDED: Final = re.compile(r'"(?:\$|[^"\\]*\\u0024)')
_WORDS: Final[Mapping[str, Any]] = {
    "null": None,
    "undefined": None,
    "true": True,
    "false": False,
    "NaN": float("nan"),
    "Infinity": float("inf"),
}
_NO_ARGUMENTS_NEEDED: Final = frozenset({"MinKey", "MaxKey"})


def parse_relaxed(text: str, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read a value; what it gives holds BSON values.

    Args:
        text: the text.
        max_depth: how many brackets may stand around a value.

    Raises:
        RequestError: the text cannot be read (with line and column), a type of MongoDB is malformed, an integer needs
            more than 64 bits, or the nesting is too deep.
    """
    try:
        value = parse_json(text)
    except RequestError as error:
        if not isinstance(error.__cause__, orjson.JSONDecodeError):
            raise
        return from_json(_Reader(text, max_depth).read())
    _check_depth(value, max_depth)
    return from_json(value) if _EXTENDED.search(text) else value


def _check_depth(value: Json, max_depth: int) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        if not level:
            return
        level = [
            item
            for container in level
            for item in (container.values() if type(container) is dict else container)
            if type(item) is dict or type(item) is list
        ]
    if level:
        raise RequestError(_too_deep(max_depth))


def _too_deep(max_depth: int) -> str:
    return f"the value is nested more than {max_depth} levels deep"


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str, max_depth: int) -> None:
        self._text = text
        self._max_depth = max_depth
        self._at = 0

    def read(self) -> Any:
        """Read the whole text as one value."""
        value = self._value(0)
        if self._peek():
            self._fail("there is something after the value")
        return value

    def _value(self, depth: int) -> Any:
        sign = self._peek()
        if sign == "{":
            return self._object(depth + 1)
        if sign == "[":
            return self._list("]", depth + 1)
        if sign in _STRINGS:
            return self._string()
        if sign == "/":
            return self._regex()
        if sign == "-" or sign.isdigit():
            return self._number()
        return self._word(depth)

    def _object(self, depth: int) -> dict[str, Any]:
        self._enter(depth)
        members: dict[str, Any] = {}
        while self._peek() != "}":
            key = self._key()
            if not self._take(":"):
                self._fail(
                    "a colon is missing after the key" + (", keys with a dot need quotes" if self._dot() else "")
                )
            members[key] = self._value(depth)
            if not self._take(",") and self._peek() != "}":
                self._fail("a comma or a closing brace is missing")
        self._at += 1
        return members

    def _list(self, end: str, depth: int) -> list[Any]:
        self._enter(depth)
        items: list[Any] = []
        while self._peek() != end:
            items.append(self._value(depth))
            if not self._take(",") and self._peek() != end:
                self._fail(f"a comma or '{end}' is missing")
        self._at += 1
        return items

    def _enter(self, depth: int) -> None:
        if depth > self._max_depth:
            raise RequestError(_too_deep(self._max_depth))
        self._at += 1

    def _key(self) -> str:
        if self._peek() in _STRINGS:
            return self._string()
        found = _KEY.match(self._text, self._at)
        if found is None:
            self._fail("a key is missing" if self._at < len(self._text) else "the text ends too early")
        self._at = found.end()
        return found[0]

    def _string(self) -> str:
        found = _STRINGS[self._text[self._at]].match(self._text, self._at)
        if found is None:
            self._fail("the string has no end")
        text = found[1]
        if "\\" in text:
            text = _ESCAPE.sub(self._unescape, text)
            try:  # two escapes may make one character; a half alone is none
                text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            except UnicodeDecodeError:
                self._fail("the string holds half a character")
        self._at = found.end()
        return text

    def _unescape(self, found: "re.Match[str]") -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] not in _ESCAPES:
            self._fail("the string holds an unknown escape")
        return _ESCAPES[found[2]]

    def _number(self) -> Any:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            if self._text.startswith("-Infinity", self._at):
                self._at += len("-Infinity")
                return float("-inf")
            self._fail("this is no number")
        number: int | float = float(found[0]) if found["real"] else self._integer(found[0])
        if number in {float("inf"), float("-inf")}:
            self._fail("the number is too large")
        self._at = found.end()
        return number

    def _integer(self, digits: str) -> int:
        if len(digits) > _LONGEST_INTEGER or int(digits) not in _INT64:
            self._fail(f"the integer {digits[:40]} does not fit into 64 bits")
        return int(digits)

    def _regex(self) -> Any:
        found = _PATTERN.match(self._text, self._at)
        if found is None or found[1].startswith("*"):
            self._fail("this is no regular expression, and comments are not read")
        if not _PATTERN_OPTIONS.issuperset(found[2]):
            self._fail("the flags of a regular expression are i, m, x and s")
        self._at = found.end()
        return _make_regex(found[1], found[2])

    def _word(self, depth: int) -> Any:
        found = _KEY.match(self._text, self._at)
        if found is None:
            self._fail("a value is missing" if self._at < len(self._text) else "the text ends too early")
        start, word = self._at, found[0]
        if word in _WORDS:
            self._at = found.end()
            return _WORDS[word]
        self._at = found.end()
        if word == "new":
            self._peek()
            found = _KEY.match(self._text, self._at)
            word = found[0] if found else ""
            self._at = found.end() if found else self._at
        if word not in _CONSTRUCTORS:
            self._fail("a text needs quotes", start)
        arguments = self._list(")", depth + 1) if self._peek() == "(" else None
        if arguments is None and word not in _NO_ARGUMENTS_NEEDED:
            self._fail(f"{word} needs parentheses", start)
        try:
            return _CONSTRUCTORS[word](*(arguments or ()))
        except (RequestError, TypeError, ValueError, ArithmeticError):
            self._fail(f"{word} cannot be made of this", start)

    def _take(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _peek(self) -> str:
        """Go to the next sign that is no blank and give it; empty at the end."""
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _dot(self) -> bool:
        return self._text.startswith(".", self._at)

    def _fail(self, reason: str, at: int | None = None) -> NoReturn:
        at = self._at if at is None else at
        line = self._text.count("\n", 0, at) + 1
        column = at - self._text.rfind("\n", 0, at)
        place = {"line": line, "column": column}
        raise RequestError(f"not valid JSON, line {line} column {column}: {reason}", details=place)


# --- constructors --------------------------------------------------------------------------------------------------


def _wrapped(key: str) -> Callable[[Any], Any]:
    """Make a constructor that reads what Extended JSON has under a key."""
    return lambda value: from_json({key: value})


def _make_regex(pattern: str, options: str = "") -> Any:
    return from_json({"$regularExpression": {"pattern": pattern, "options": options}})


def _make_object_id(text: str | None = None) -> ObjectId:
    return ObjectId() if text is None else _wrapped("$oid")(text)


def _make_date(value: str | int | None = None) -> Any:
    if value is None:
        return from_epoch_milliseconds(int(datetime.now(UTC).timestamp() * 1000))
    return from_json({"$date": value})


def _make_data(subtype: int, text: str) -> Any:
    return from_json({"$binary": {"base64": text, "subType": f"{int(subtype):02x}"}})


def _make_hex_data(subtype: int, text: str) -> Any:
    return Binary(bytes.fromhex(text), int(subtype))


def _make_timestamp(seconds: int = 0, increment: int = 0) -> Timestamp:
    made: Timestamp = from_json({"$timestamp": {"t": seconds, "i": increment}})
    return made


_CONSTRUCTORS: Final[Mapping[str, Callable[..., Any]]] = {
    "ObjectId": _make_object_id,
    "ISODate": _make_date,
    "Date": _make_date,
    "NumberInt": _wrapped("$numberInt"),
    "NumberLong": _wrapped("$numberLong"),
    "NumberDecimal": _wrapped("$numberDecimal"),
    "BinData": _make_data,
    "HexData": _make_hex_data,
    "UUID": _wrapped("$uuid"),
    "Timestamp": _make_timestamp,
    "RegExp": _make_regex,
    "MinKey": MinKey,
    "MaxKey": MaxKey,
}
