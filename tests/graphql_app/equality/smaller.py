"""Makes a case smaller as long as it still fails: fewer operations, documents, members, selections, variables."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from graphql import Node, SelectionSetNode, parse, print_ast

from tests.graphql_app.equality.case import Case
from tests.graphql_app.equality.queries import Query

__all__ = ["make_smaller"]

_LISTS = ("selections", "arguments", "directives", "definitions", "variable_definitions")


async def make_smaller(case: Case, fails: Callable[[Case], Awaitable[bool]], *, attempts: int = 3000) -> Case:
    """Take away whatever can be taken away.

    Args:
        case: a case that fails.
        fails: says whether a smaller one still does; one that makes no sense does not.
        attempts: how often that is asked at most.
    """
    for query in case.queries:
        if await fails(replace(case, queries=[query])):
            case = replace(case, queries=[query])
            break
    changed = True
    while changed and attempts > 0:
        changed = False
        for smaller in _smaller_cases(case):
            attempts -= 1
            if attempts > 0 and await fails(smaller):
                case, changed = smaller, True
                break
    return case


def _smaller_cases(case: Case) -> Iterator[Case]:
    """Give cases with one thing less, those that lose most first."""
    for name, documents in case.documents.items():
        for position in range(len(documents)):
            left = [*documents[:position], *documents[position + 1 :]]
            yield replace(case, documents={**case.documents, name: left})
    for query in case.queries:
        for text in _smaller_texts(query.text):
            yield replace(case, queries=[Query(text, _used(text, query.variables))])
    for name, documents in case.documents.items():
        for position, document in enumerate(documents):
            for path in _paths(document):
                if path != ("_id",):
                    less = deepcopy(document)
                    _remove(less, path)
                    left = [*documents[:position], less, *documents[position + 1 :]]
                    yield replace(case, documents={**case.documents, name: left})


def _used(text: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in variables.items() if f"${name}" in text}


def _smaller_texts(text: str) -> Iterator[str]:
    """Give the operation without one of its parts; the result may be invalid."""
    for number in range(_count(parse(text))):
        document = parse(text)
        holder, name, position = _places(document)[number]
        kept = [one for at, one in enumerate(getattr(holder, name)) if at != position]
        if not kept and name in {"selections", "definitions"}:
            continue
        object.__setattr__(holder, name, tuple(kept))
        yield print_ast(document)


def _count(document: Node) -> int:
    return len(_places(document))


def _places(node: Node) -> list[tuple[Node, str, int]]:
    found: list[tuple[Node, str, int]] = []
    pending: list[Node] = [node]
    for one in pending:  # grows while it is read
        for name in _LISTS:
            parts = getattr(one, name, None) or ()
            found.extend((one, name, position) for position in range(len(parts)))
            pending.extend(parts)
        inner = getattr(one, "selection_set", None)
        if isinstance(inner, SelectionSetNode):
            pending.append(inner)
    return found


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        yield (*path, key)
        yield from _paths(item, (*path, key))


def _remove(document: Any, path: tuple[Any, ...]) -> None:
    for key in path[:-1]:
        document = document[key]
    del document[path[-1]]
