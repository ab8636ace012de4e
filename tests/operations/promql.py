"""What a query of Prometheus speaks of: metrics, the labels that it compares, the labels that it groups by."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Query", "Selector", "read_query"]

_SELECTOR: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^}]*)\}")
_MATCHER: Final = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_GROUPING: Final = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_RANGE: Final = re.compile(r"\[[^\]]*\]")
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_WORDS: Final = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})
_LISTS: Final = re.compile(r"[\w.+-]+(?:\|[\w.+-]+)*")


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric with what its labels must be.

    Attributes:
        metric: its name.
        labels: label → the values that it is compared with; none where they are a pattern.
        wanted: the same for what must be there, without what must not.
    """

    metric: str
    labels: dict[str, tuple[str, ...]]
    wanted: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Query:
    """A query.

    Attributes:
        selectors: in the order of the text.
        groups: labels that it groups or joins by.
        bare: names of metrics without braces.
        text: the query itself.
    """

    selectors: tuple[Selector, ...]
    groups: frozenset[str]
    bare: tuple[str, ...]
    text: str


def read_query(text: str) -> Query:
    """Read a query; it need not be right, as promtool judges that."""
    selectors = tuple(_selectors(text))
    groups = frozenset(name for group in _GROUPING.findall(text) for name in _NAME.findall(group))
    rest = _RANGE.sub(" ", _GROUPING.sub(" ", _SELECTOR.sub(" ", text)))
    rest = re.sub(r'"(?:[^"\\]|\\.)*"', " ", rest)
    bare = tuple(
        match[0]
        for match in _NAME.finditer(rest)
        if match[0].lower() not in _WORDS
        and not rest[match.end() :].lstrip().startswith("(")
        and not re.fullmatch(r"(by|on|without|ignoring|group_left|group_right)", match[0])
        and not rest[: match.start()].endswith(tuple("0123456789."))
    )
    return Query(selectors, groups, bare, text)


def _selectors(text: str) -> Iterator[Selector]:
    for metric, inside in _SELECTOR.findall(text):
        labels, wanted = {}, {}
        for label, operator, value in _MATCHER.findall(inside):
            values = tuple(value.split("|")) if _LISTS.fullmatch(value) and ".+" not in value else ()
            labels[label] = values
            if operator in {"=", "=~"}:
                wanted[label] = values
        yield Selector(metric, labels, wanted)
