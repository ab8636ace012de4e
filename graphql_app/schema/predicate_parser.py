"""Reads the text of type predicates: words, operators and the two kinds of brackets of Undertow's language."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from content_core.errors import RequestError
from content_core.extended_json import from_json, parse_json
from graphql_app.schema.predicate_paths import parse_predicate_path
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

__all__ = ["PredicateSyntaxError", "parse_predicate"]

_MAX_DEPTH: Final = 100
_KEYWORDS: Final = frozenset({"and", "or", "not", "true", "false"})
_CONNECTIVES: Final = frozenset({"and", "or", "not"})
_CLOSING: Final = {"(": ")", "[": "]"}
_TOKEN: Final = re.compile(
    r"""
      (?P<skip>   (?:^\#[^\n]*|[ \t\r\n])+ )
    | (?P<word>   [^\s(),=\[\]{};'"]+ )
    | (?P<mark>   [(),=\[\]{}] )
    | '(?P<single> (?:\\'|[^'])* )'
    | "(?P<double> (?:\\"|[^"])* )"
    """,
    re.VERBOSE | re.MULTILINE,
)


class PredicateSyntaxError(ValueError):
    """The text of a predicate cannot be read."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int


def parse_predicate(text: str) -> Predicate:
    """Read a predicate.

    Raises:
        PredicateSyntaxError: with what was expected and where.
    """
    parser = _Parser(_tokenize(text))
    predicate = parser.parse_or(0)
    parser.expect_end()
    return predicate


def _tokenize(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise PredicateSyntaxError(f"unexpected {text[position]!r} at position {position}")
        kind = str(match.lastgroup)
        if kind in {"single", "double"}:
            if tokens and tokens[-1].kind == "word" and text[position - 1] not in " \t\r\n":
                raise PredicateSyntaxError(f"a quote in the middle of a word at position {position}")
            quote = text[position]
            tokens.append(_Token("quoted", match[kind].replace(f"\\{quote}", quote), position))
        elif kind != "skip":
            tokens.append(_Token(kind, match[kind], position))
        position = match.end()
    tokens.append(_Token("end", "the end", len(text)))
    return tokens


@dataclass(slots=True)
class _Parser:
    tokens: list[_Token]
    at: int = field(default=0)

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def fail(self, expected: str) -> NoReturn:
        raise PredicateSyntaxError(f"expected {expected} at position {self.token.position}, found {self.token.text}")

    def is_word(self, text: str) -> bool:
        return self.token.kind == "word" and self.token.text == text

    def is_mark(self, text: str) -> bool:
        return self.token.kind == "mark" and self.token.text == text

    def take_mark(self, text: str) -> None:
        if not self.is_mark(text):
            self.fail(f"'{text}'")
        self.at += 1

    def expect_end(self) -> None:
        if self.token.kind != "end":
            self.fail("'and', 'or' or the end")

    def parse_or(self, depth: int) -> Predicate:
        terms = self._parse_terms("or", lambda: self.parse_and(depth))
        return terms[0] if len(terms) == 1 else AnyOf(terms)

    def parse_and(self, depth: int) -> Predicate:
        terms = self._parse_terms("and", lambda: self.parse_not(depth))
        return terms[0] if len(terms) == 1 else AllOf(terms)

    def _parse_terms(self, connective: str, parse_term: Callable[[], Predicate]) -> tuple[Predicate, ...]:
        terms = [parse_term()]
        while self.is_word(connective):
            self.at += 1
            terms.append(parse_term())
        return tuple(terms)

    def parse_not(self, depth: int) -> Predicate:
        if depth > _MAX_DEPTH:
            raise PredicateSyntaxError(f"nested more than {_MAX_DEPTH} levels deep")
        if self.is_word("not"):
            self.at += 1
            return Not(self.parse_not(depth + 1))
        return self.parse_primary(depth)

    def parse_primary(self, depth: int) -> Predicate:
        if self.is_mark("("):
            self.at += 1
            inner = self.parse_or(depth + 1)
            self.take_mark(")")
            return inner
        if self.token.kind != "word" or self.token.text in _CONNECTIVES:
            self.fail("a predicate")
        name = self.take()
        if name.text in {"true", "false"}:
            return Constant(name.text == "true")
        return self.parse_call(name)

    def parse_call(self, name: _Token) -> Predicate:
        build = _PREDICATES.get(name.text)
        if build is None:
            known = ", ".join(sorted(_PREDICATES))
            raise PredicateSyntaxError(f"unknown predicate {name.text} at position {name.position}; known: {known}")
        if not (self.is_mark("(") or self.is_mark("[")):
            self.fail(f"'(' after {name.text}")
        closing = _CLOSING[self.take().text]
        arguments = self.parse_arguments(closing)
        try:
            return build(arguments)
        except (ValueError, RequestError) as error:
            raise PredicateSyntaxError(f"{name.text} at position {name.position}: {error}") from error

    def parse_arguments(self, closing: str) -> "_Arguments":
        """Read what stands between the brackets: unnamed values, or named ones."""
        named: dict[str, tuple[str, ...]] = {}
        unnamed: list[str] = []
        while True:
            if self.is_mark("{"):
                unnamed.extend(self.parse_list())
            else:
                text, is_name = self.parse_value()
                if is_name and self.is_mark("="):
                    self.at += 1
                    if text in named:
                        raise PredicateSyntaxError(f"the parameter {text} is given twice")
                    named[text] = self.parse_list() if self.is_mark("{") else (self.parse_value()[0],)
                else:
                    unnamed.append(text)
            if not self.is_mark(","):
                break
            self.at += 1
        self.take_mark(closing)
        if named and unnamed:
            raise PredicateSyntaxError("named and unnamed parameters do not mix")
        return _Arguments(named, tuple(unnamed))

    def parse_list(self) -> tuple[str, ...]:
        self.take_mark("{")
        values = [self.parse_value()[0]]
        while self.is_mark(","):
            self.at += 1
            values.append(self.parse_value()[0])
        self.take_mark("}")
        return tuple(values)

    def parse_value(self) -> tuple[str, bool]:
        """Read one value; the flag says that it is a bare word, so that it may be a parameter's name."""
        if self.token.kind == "quoted":
            return self.take().text, False
        if self.token.kind != "word" or self.token.text in _CONNECTIVES:
            self.fail("a value")
        text = self.take().text
        return text, text not in _KEYWORDS


@dataclass(frozen=True, slots=True)
class _Arguments:
    named: Mapping[str, tuple[str, ...]]
    unnamed: tuple[str, ...]

    def bind(self, *, default: str | None, required: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
        """Give the parameters by name, unnamed values under the default one."""
        if self.unnamed and default is None:
            raise ValueError(f"takes the parameters {', '.join(sorted(required))} by name")
        given = {default: self.unnamed} if self.unnamed and default is not None else self.named
        if unknown := set(given) - required:
            raise ValueError(f"has no parameter {', '.join(sorted(unknown))}")
        if missing := required - set(given):
            raise ValueError(f"needs the parameter {', '.join(sorted(missing))}")
        return given


def _build_field_exists(arguments: _Arguments) -> Predicate:
    fields = arguments.bind(default="fields", required=frozenset({"fields"}))["fields"]
    for path in fields:
        parse_predicate_path(path)
    return FieldsExist(fields)


def _build_field_eq(arguments: _Arguments) -> Predicate:
    given = arguments.bind(default=None, required=frozenset({"field", "value"}))
    path = _single("field", given["field"])
    parse_predicate_path(path)
    return FieldEquals(path, _read_json(_single("value", given["value"])))


def _build_value_eq(arguments: _Arguments) -> Predicate:
    given = arguments.bind(default="value", required=frozenset({"value"}))
    return ValueEquals(_read_json(_single("value", given["value"])))


def _single(name: str, values: tuple[str, ...]) -> str:
    if len(values) != 1:
        raise ValueError(f"takes one {name}, not {len(values)}")
    return values[0]


def _read_json(text: str) -> Any:
    try:
        return from_json(parse_json(text))
    except RequestError as error:
        raise ValueError(f"the value {text[:60]} is not JSON; a string takes quotes within quotes") from error


_PREDICATES: Final[Mapping[str, Callable[[_Arguments], Predicate]]] = {
    "field-eq": _build_field_eq,
    "field-exists": _build_field_exists,
    "value-eq": _build_value_eq,
}
