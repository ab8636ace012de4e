"""What never reaches the database in a query parameter: operators that run code, and overlong patterns."""

from typing import Any, Final

from bson import Regex

from content_core.errors import OperatorRefusedError, RequestError

__all__ = ["refuse_unsafe"]

_JAVASCRIPT: Final = frozenset({"$where", "$function", "$accumulator"})
_INTERNAL: Final = "$_internal"
_PATTERNS: Final = frozenset({"$regex", "$regexFind", "$regexFindAll", "$regexMatch"})


def refuse_unsafe(value: Any, *, parameter: str, max_regex_length: int) -> None:
    """Check a filter or a projection, at any depth.

    Raises:
        OperatorRefusedError: an operator in it runs JavaScript, or is MongoDB's own affair.
        RequestError: a regular expression is over the limit.
    """
    pending = [value]
    for current in pending:  # grows while it is read
        if isinstance(current, dict):
            for key, item in current.items():
                if key in _JAVASCRIPT or key.startswith(_INTERNAL):
                    raise OperatorRefusedError(f"{parameter}: operator '{key[:40]}' not allowed")
                if key in _PATTERNS:
                    _check_length(item.get("regex") if isinstance(item, dict) else item, max_regex_length)
                if isinstance(item, dict | list | Regex):
                    pending.append(item)
        elif isinstance(current, list):
            pending += [item for item in current if isinstance(item, dict | list | Regex)]
        else:
            _check_length(current, max_regex_length)


def _check_length(pattern: Any, limit: int) -> None:
    text = pattern.pattern if isinstance(pattern, Regex) else pattern
    if isinstance(text, str | bytes) and len(text) > limit:
        raise RequestError(f"a regular expression cannot be longer than {limit} characters")
