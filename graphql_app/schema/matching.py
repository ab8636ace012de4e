"""Evaluates type predicates: plainly one by one, and for a whole ``$typeResolver`` with memory.

Generated definitions have hundreds of predicates per resolver, the last of them a conjunction of hundreds of terms.
What all of them together say about a value depends on few fields only, and of each field only on which of the tested
constants it equals. :class:`TypeMatcher` therefore remembers the answer per combination of these.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from graphql_app.schema.canonical import canonical
from graphql_app.schema.predicate_paths import (
    MISSING,
    PredicatePath,
    compile_predicate_path,
    parse_predicate_path,
)
from graphql_app.schema.predicates import (
    AllOf,
    AnyOf,
    Constant,
    FieldEquals,
    FieldsExist,
    Not,
    Predicate,
    ValueEquals,
)

__all__ = ["Test", "TypeMatcher", "compile_predicate", "first_match"]

Test: TypeAlias = Callable[[Any], bool]

_WHOLE_VALUE: Final = ""
"""The name under which a matcher keeps what ``value-eq`` tests; no path is empty."""

_MOST_FIELDS: Final = 8
"""With more fields than this, reading all of them costs more than it saves."""

_MOST_ANSWERS: Final = 20_000
_ABSENT: Final = ("absent",)
_OTHER: Final = ("other",)
_CONTAINERS: Final = (dict, list)


def compile_predicate(predicate: Predicate) -> Test:
    """Make a function that says whether a predicate holds for a value."""
    match predicate:
        case Constant(value):
            return lambda _: value
        case FieldsExist(fields):
            finders = tuple(compile_predicate_path(parse_predicate_path(field)) for field in fields)
            return lambda value: all(find(value) is not MISSING for find in finders)
        case FieldEquals(field, expected):
            return _compile_field_equals(field, expected)
        case ValueEquals(expected):
            wanted = canonical(expected)
            return lambda value: canonical(value) == wanted
        case Not(term):
            test = compile_predicate(term)
            return lambda value: not test(value)
        case AllOf(terms) | AnyOf(terms):
            tests = tuple(map(compile_predicate, terms))
            combine = all if isinstance(predicate, AllOf) else any
            return lambda value: combine(test(value) for test in tests)


def _compile_field_equals(field: str, expected: Any) -> Test:
    find = compile_predicate_path(parse_predicate_path(field))
    wanted = canonical(expected)

    def test(value: Any) -> bool:
        found = find(value)
        return found is not MISSING and (found if type(found) is str else canonical(found)) == wanted

    return test


def first_match(tests: Iterable[tuple[str, Test]], value: Any) -> str | None:
    """Give the first type whose test holds, in the order written."""
    return next((name for name, test in tests if test(value)), None)


class TypeMatcher:
    """Finds the concrete type of values by the predicates of one ``$typeResolver``.

    Args:
        predicates: concrete types with their predicates; the first that holds wins.
    """

    def __init__(self, predicates: Iterable[tuple[str, Predicate]]) -> None:
        entries = tuple(predicates)
        self._tests = tuple((name, compile_predicate(predicate)) for name, predicate in entries)
        constants: dict[str, set[Hashable]] = {}
        for _, predicate in entries:
            for field, tested in _read_tests(predicate):
                constants.setdefault(field, set()).update(tested)
        self._classifiers = tuple(_compile_classifier(field, tested) for field, tested in constants.items())
        self._answers: dict[Hashable, str | None] = {}
        self.paths: tuple[PredicatePath, ...] = tuple(
            () if field == _WHOLE_VALUE else parse_predicate_path(field) for field in constants
        )
        """What the predicates look at; an empty path is the whole value."""

    def __call__(self, value: Any) -> str | None:
        """Give the name of the value's type, or None if no predicate holds."""
        if len(self._classifiers) > _MOST_FIELDS:
            return first_match(self._tests, value)
        key = tuple(classify(value) for classify in self._classifiers)
        try:
            return self._answers[key]
        except KeyError:
            answer = first_match(self._tests, value)
            if len(self._answers) < _MOST_ANSWERS:
                self._answers[key] = answer
            return answer


def _read_tests(predicate: Predicate) -> Iterator[tuple[str, tuple[Hashable, ...]]]:
    """List the fields that a predicate looks at, each with the constants it is compared with."""
    match predicate:
        case FieldEquals(field, value):
            yield field, (canonical(value),)
        case ValueEquals(value):
            yield _WHOLE_VALUE, (canonical(value),)
        case FieldsExist(fields):
            yield from ((field, ()) for field in fields)
        case Not(term):
            yield from _read_tests(term)
        case AllOf(terms) | AnyOf(terms):
            for term in terms:
                yield from _read_tests(term)
        case Constant():
            pass


def _compile_classifier(field: str, tested: set[Hashable]) -> Callable[[Any], Hashable]:
    """Make a function that tells which of the tested constants a value's field equals, if any."""
    constants = frozenset(tested)
    tests_containers = any(isinstance(form, tuple) and form[0] in {"document", "array"} for form in constants)
    find = compile_predicate_path(() if field == _WHOLE_VALUE else parse_predicate_path(field))

    def classify(value: Any) -> Hashable:
        found = find(value)
        if found is MISSING:
            return _ABSENT
        if isinstance(found, _CONTAINERS) and not tests_containers:
            return _OTHER
        form = found if type(found) is str else canonical(found)
        return form if form in constants else _OTHER

    return classify
