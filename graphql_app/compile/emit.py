"""Writes the functions of an operation: those that shape documents into the answer, those that find what to fetch.

A function knows the documents that are as their types declare and does these alone. Whatever else is stored (another
type, a list where an object is declared, a missing value that may not be missing) goes to the positions.
"""

import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import GraphQLScalarType, get_named_type

from graphql_app.compile import syntax
from graphql_app.compile.positions import Failed, Position, Positions
from graphql_app.plan.selection import AbstractPlan, FieldPlan, LeafPlan, ObjectPlan, Selection
from graphql_app.schema.mappings import PathMapping
from graphql_app.schema.paths import compile_path

__all__ = ["Functions", "emit_functions"]

_SHAPE: Final = ["s", "r", "p", "c"]
_WALK: Final = ["s", "r", "c"]
_MOST_NESTED: Final = 8
"""Objects inside each other that one function shapes: Python allows 20 blocks in each other, and a `try` is one."""

_LARGEST_INT: Final = 2**31 - 1
_LARGEST_FLOAT: Final = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Functions:
    """The compiled functions of an operation.

    Attributes:
        shape: from a context, whose queries are all answered, to the data.
        walks: by site: from the site's value, its root document and a context to the next queries; None where there
            are none below.
    """

    shape: Callable[[Any], dict[str, Any]]
    walks: tuple[Callable[[Any, Any, Any], None] | None, ...]


def emit_functions(selection: Selection, positions: Positions) -> Functions:
    """Compile an operation.

    Args:
        selection: its tree.
        positions: complete what the functions leave.
    """
    emitter = _Emitter(positions, frozenset(map(id, selection.root.fields)))
    emitter.emit_root(selection.root)
    walks = [emitter.emit_site(site) for site in selection.sites]
    module = ast.Module(emitter.definitions, [])
    names = emitter.names
    exec(compile(module, "<operation>", "exec"), names)  # noqa: S102 - a tree that was built here, not a text
    emitter.fill_tables()
    return Functions(names["root"], tuple(names[walk] if walk else None for walk in walks))


@dataclass(slots=True)
class _Emitter:
    positions: Positions
    roots: frozenset[int]
    definitions: list[ast.stmt] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=lambda: dict(_BUILTINS))
    _numbers: dict[tuple[str, int], str] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    _tables: list[tuple[dict[str, Any], Mapping[str, ObjectPlan], str]] = field(default_factory=list)
    _variables: int = 0
    _nested: int = 0

    def emit_root(self, plan: ObjectPlan) -> None:
        """Define ``root(c)``, which gives the data."""
        body: list[ast.stmt] = []
        entries = []
        for entry in plan.fields:
            if entry.mapping is None:
                entries.append((entry.key, syntax.constant(plan.type_name)))
                continue
            variable = self._variable()
            entries.append((entry.key, syntax.load(variable)))
            path = syntax.pair(syntax.load("c"), syntax.constant(entry.key))
            answer = syntax.call(syntax.attribute("c", "answer"), syntax.constant(entry.site))
            value = answer if entry.site >= 0 else syntax.constant(None)
            body.append(syntax.assign(variable, value))
            body += self._failure(entry, variable, path)
            body += self._root_value(entry, variable, path)
        self._define("root", ["c"], [*body, syntax.give(syntax.mapping(entries))])

    def emit_site(self, site: FieldPlan) -> str | None:
        """Define the walk over what a field's query gives; None if nothing is fetched below it."""
        if not _fetches(site):
            return None
        position = self.positions.of(site)
        name, is_new = self._name("z", site)
        if is_new:
            if position.inner is not None and position.inner.inner is None:
                # Below a root field of many documents, each is the root document of what is below it.
                element = self._walk_element(site)
                under = syntax.load("r") if id(site) not in self.roots else syntax.load("x")
                body = [syntax.loop("x", syntax.load("s"), [_do(element, syntax.load("x"), under)])]
            else:
                under = syntax.load("r") if id(site) not in self.roots else syntax.load("s")
                body = [_do(self._walk_element(site), syntax.load("s"), under)]
            self._define(name, _WALK, body)
        return name

    def fill_tables(self) -> None:
        """Give the tables of types the functions that were defined for them."""
        for table, cases, kind in self._tables:
            for type_name, plan in cases.items():
                found = self._numbers.get((kind, id(plan)))
                if found is not None:
                    table[type_name] = self.names[found]

    # What shapes.

    def _root_value(self, entry: FieldPlan, variable: str, path: ast.expr) -> list[ast.stmt]:
        """Complete a root field: what it gives is the root document of everything below."""
        position = self.positions.of(entry)
        if position.inner is None and not isinstance(entry.target, LeafPlan):
            here = syntax.load(variable)
            shaped = syntax.call(syntax.load(self._shape_element(entry, position)), here, here, path, syntax.load("c"))
            return [syntax.assign(variable, shaped)]
        if position.inner is None or isinstance(entry.target, LeafPlan) or position.inner.inner is not None:
            value = self._complete(position, variable, syntax.load(variable), path)
            return [syntax.assign(variable, value)]
        element = self._shape_element(entry, position.inner)
        shaped = syntax.shaped_list(element, variable, "q", root="x")
        body = [syntax.assign("q", path), syntax.assign(variable, shaped)]
        return [
            syntax.when(
                syntax.is_type(variable, "list"),
                self._caught(position, variable, path, body, raises=not position.inner.nullable),
                [syntax.assign(variable, self._complete(position, variable, syntax.constant(None), path))],
            )
        ]

    def _object(
        self, plan: ObjectPlan, source: str, path: ast.expr, type_name: ast.expr
    ) -> tuple[list[ast.stmt], ast.expr]:
        """Write statements that complete all fields of an object, and the expression of the object itself."""
        get = f"g{source}"
        body: list[ast.stmt] = []
        if any(isinstance(entry.mapping, PathMapping) and len(entry.mapping.segments) == 1 for entry in plan.fields):
            body.append(syntax.assign(get, syntax.attribute(source, "get")))
        entries: list[tuple[str, ast.expr]] = []
        for entry in plan.fields:
            if entry.mapping is None:
                entries.append((entry.key, type_name))
                continue
            variable = self._variable()
            entries.append((entry.key, syntax.load(variable)))
            below = syntax.pair(path, syntax.constant(entry.key))
            if isinstance(entry.mapping, PathMapping):
                body.append(syntax.assign(variable, self._read(entry.mapping, source, get)))
            else:
                body.append(syntax.assign(variable, self._fetched(entry, syntax.load(source), syntax.load("r"))))
                body += self._failure(entry, variable, below)
            body.append(self._field(entry, variable, below))
        return body, syntax.mapping(entries)

    def _field(self, entry: FieldPlan, variable: str, path: ast.expr) -> ast.stmt:
        """Complete the value of a field that a variable holds."""
        position = self.positions.of(entry)
        general = [syntax.assign(variable, self._complete(position, variable, syntax.load("r"), path))]
        if position.inner is not None:
            return self._list_field(entry, position, variable, path, general)
        match entry.target:
            case ObjectPlan() as plan if self._nested < _MOST_NESTED:
                type_name = syntax.constant(get_named_type(entry.type).name)
                self._nested += 1
                body, shaped = self._object(plan, variable, path, type_name)
                self._nested -= 1
                body = self._caught(
                    position, variable, path, [*body, syntax.assign(variable, shaped)], raises=plan.raises
                )
                return syntax.when(
                    syntax.is_type(variable, "dict"), body, [self._unless_null(position, variable, general)]
                )
            case ObjectPlan() | AbstractPlan():
                element = self._shape_element(entry, position)
                shaped = syntax.call(
                    syntax.load(element), syntax.load(variable), syntax.load("r"), path, syntax.load("c")
                )
                return self._unless_null(position, variable, [syntax.assign(variable, shaped)])
            case LeafPlan(leaf):
                test = _SUITABLE.get(leaf.name) if isinstance(leaf, GraphQLScalarType) else None
                if test is None:
                    return self._unless_null(position, variable, general)
                return syntax.when(test(variable), [syntax.nothing()], [self._unless_null(position, variable, general)])
            case _:  # pragma: no cover - only __typename has no target
                raise AssertionError(entry.key)

    def _list_field(
        self, entry: FieldPlan, position: Position, variable: str, path: ast.expr, general: list[ast.stmt]
    ) -> ast.stmt:
        inner = position.inner
        if inner is None or inner.inner is not None or isinstance(entry.target, LeafPlan):
            return self._unless_null(position, variable, general)
        at = f"q{variable}"
        shaped = syntax.shaped_list(self._shape_element(entry, inner), variable, at)
        body = [syntax.assign(at, path), syntax.assign(variable, shaped)]
        body = self._caught(position, variable, path, body, raises=not inner.nullable)
        return syntax.when(syntax.is_type(variable, "list"), body, [self._unless_null(position, variable, general)])

    def _shape_element(self, entry: FieldPlan, position: Position) -> str:
        """Define what shapes a value at a position of its own, whose path holds its key already."""
        name, is_new = self._name("e", position)
        if not is_new:
            return name
        path = syntax.load("p")
        above, self._nested = self._nested, 0
        general = syntax.give(self._complete(position, "s", syntax.load("r"), path))
        match entry.target:
            case ObjectPlan() as plan:
                type_name = syntax.constant(get_named_type(entry.type).name)
                body, shaped = self._object(plan, "s", path, type_name)
                body = self._given(position, path, [*body, syntax.give(shaped)], raises=plan.raises)
                statements = [syntax.when(syntax.is_type("s", "dict"), body), general]
            case AbstractPlan() as plan:
                shape = syntax.call(syntax.load("f"), *map(syntax.load, ["s", "r", "p", "c", "t"]))
                table = self._table(plan, "o", self._shape_case)
                matched = syntax.call(
                    syntax.load(self._keep("m", self.positions.matchers[plan.name])), syntax.load("s")
                )
                found = syntax.call(syntax.attribute(table, "get"), syntax.load("t"))
                raises = any(case.raises for case in plan.cases.values())
                statements = [
                    syntax.when(syntax.differs("s", syntax.constant(None)), [
                        syntax.assign("t", matched),
                        syntax.assign("f", found),
                        syntax.when(
                            syntax.differs("f", syntax.constant(None)),
                            self._given(position, path, [syntax.give(shape)], raises=raises),
                        ),
                    ]),
                    general,
                ]  # fmt: skip
            case _:  # pragma: no cover - leaves have no functions
                raise AssertionError(entry.key)
        self._nested = above
        self._define(name, _SHAPE, statements)
        return name

    def _shape_case(self, plan: ObjectPlan) -> None:
        """Define what shapes an object type of an interface or a union."""
        name, is_new = self._name("o", plan)
        if is_new:
            body, shaped = self._object(plan, "s", syntax.load("p"), syntax.load("t"))
            whole = syntax.call(
                syntax.load(self._keep("w", self.positions.shape_object)),
                syntax.load(self._keep("k", plan)),
                *map(syntax.load, ["s", "r", "p", "c", "t"]),
            )
            usual = syntax.when(syntax.is_type("s", "dict"), [*body, syntax.give(shaped)])
            self._define(name, [*_SHAPE, "t"], [usual, syntax.give(whole)])

    # What walks.

    def _walk_element(self, entry: FieldPlan) -> str:
        """Define what asks for the queries below a value that is no list."""
        name, is_new = self._name("y", entry)
        if not is_new:
            return name
        innermost = self.positions.of(entry)
        while innermost.inner is not None:
            innermost = innermost.inner
        general = syntax.do(self._general_walk(innermost, "s"))
        match entry.target:
            case ObjectPlan() as plan:
                body = [syntax.when(syntax.is_type("s", "dict"), self._walk_object(plan, "s"), [general])]
            case AbstractPlan() as plan:
                table = self._table(plan, "v", self._walk_case)
                matched = syntax.call(
                    syntax.load(self._keep("m", self.positions.matchers[plan.name])), syntax.load("s")
                )
                found = syntax.call(syntax.attribute(table, "get"), matched)
                ask = syntax.do(syntax.call(syntax.load("f"), *map(syntax.load, _WALK)))
                body = [
                    syntax.when(syntax.differs("s", syntax.constant(None)), [
                        syntax.assign("f", found),
                        syntax.when(syntax.differs("f", syntax.constant(None)), [ask]),
                    ])
                ]  # fmt: skip
            case _:  # pragma: no cover - nothing is fetched below leaves
                raise AssertionError(entry.key)
        self._define(name, _WALK, body)
        return name

    def _walk_case(self, plan: ObjectPlan) -> None:
        if not plan.fetches:
            return
        name, is_new = self._name("v", plan)
        if is_new:
            whole = syntax.call(
                syntax.load(self._keep("w", self.positions.walk_object)),
                syntax.load(self._keep("k", plan)),
                *map(syntax.load, _WALK),
            )
            usual = syntax.when(syntax.is_type("s", "dict"), self._walk_object(plan, "s"), [syntax.do(whole)])
            self._define(name, _WALK, [usual])

    def _walk_object(self, plan: ObjectPlan, source: str) -> list[ast.stmt]:
        get = f"g{source}"
        body: list[ast.stmt] = [syntax.assign(get, syntax.attribute(source, "get"))]
        for entry in plan.fields:
            if entry.site >= 0:
                site = syntax.constant(entry.site)
                want = syntax.call(syntax.attribute("c", "want"), site, syntax.load(source), syntax.load("r"))
                body.append(syntax.do(want))
            elif entry.fetches and isinstance(entry.mapping, PathMapping):
                variable = self._variable()
                body.append(syntax.assign(variable, self._read(entry.mapping, source, get)))
                body.append(self._walk_field(entry, variable))
        return body

    def _walk_field(self, entry: FieldPlan, variable: str) -> ast.stmt:
        position = self.positions.of(entry)
        otherwise = syntax.when(
            syntax.differs(variable, syntax.constant(None)), [syntax.do(self._general_walk(position, variable))]
        )
        if position.inner is None:
            if isinstance(entry.target, ObjectPlan):
                body = self._walk_object(entry.target, variable)
                return syntax.when(syntax.is_type(variable, "dict"), body, [otherwise])
            return _do(self._walk_element(entry), syntax.load(variable), syntax.load("r"))
        if position.inner.inner is not None:
            return otherwise
        ask = _do(self._walk_element(entry), syntax.load("x"), syntax.load("r"))
        return syntax.when(
            syntax.is_type(variable, "list"), [syntax.loop("x", syntax.load(variable), [ask])], [otherwise]
        )

    # Pieces of both.

    def _read(self, mapping: PathMapping, source: str, get: str) -> ast.expr:
        if len(mapping.segments) == 1:
            return syntax.call(syntax.load(get), syntax.constant(mapping.segments[0]))
        return syntax.call(syntax.load(self._keep("d", compile_path(mapping.segments))), syntax.load(source))

    def _fetched(self, entry: FieldPlan, source: ast.expr, root: ast.expr) -> ast.expr:
        return syntax.call(syntax.attribute("c", "fetched"), syntax.constant(entry.site), source, root)

    def _failure(self, entry: FieldPlan, variable: str, path: ast.expr) -> list[ast.stmt]:
        """Write what happens if the query of a field failed."""
        if entry.site < 0:
            return []
        caught = syntax.attribute(self._keep("P", self.positions.of(entry)), "caught")
        noted = syntax.call(caught, syntax.attribute(variable, "error"), path, syntax.load("c"))
        return [syntax.when(syntax.is_type(variable, "Failed"), [syntax.assign(variable, noted)])]

    def _complete(self, position: Position, variable: str, root: ast.expr, path: ast.expr) -> ast.expr:
        complete = syntax.attribute(self._keep("P", position), "value")
        return syntax.call(complete, syntax.load(variable), root, path, syntax.load("c"))

    def _general_walk(self, position: Position, variable: str) -> ast.expr:
        walk = syntax.attribute(self._keep("P", position), "walk")
        return syntax.call(walk, syntax.load(variable), syntax.load("r"), syntax.load("c"))

    def _unless_null(self, position: Position, variable: str, general: list[ast.stmt]) -> ast.stmt:
        """Complete a value in the general way; null needs that only where it may not stand."""
        test = syntax.differs(variable, syntax.constant(None)) if position.nullable else syntax.constant(True)
        return syntax.when(test, general)

    def _caught(
        self, position: Position, variable: str, path: ast.expr, body: list[ast.stmt], *, raises: bool
    ) -> list[ast.stmt]:
        """Let null go no further than a position that may be null."""
        if not raises or not position.nullable:
            return body
        caught = syntax.attribute(self._keep("P", position), "caught")
        noted = syntax.call(caught, syntax.load("n"), path, syntax.load("c"))
        return [syntax.guarded(body, [syntax.assign(variable, noted)], error="n")]

    def _given(self, position: Position, path: ast.expr, body: list[ast.stmt], *, raises: bool) -> list[ast.stmt]:
        if not raises or not position.nullable:
            return body
        caught = syntax.attribute(self._keep("P", position), "caught")
        noted = syntax.call(caught, syntax.load("n"), path, syntax.load("c"))
        return [syntax.guarded(body, [syntax.give(noted)], error="n")]

    def _table(self, plan: AbstractPlan, kind: str, define: Callable[[ObjectPlan], None]) -> str:
        """Make the table from the names of object types to their functions."""
        table: dict[str, Any] = {}
        for case in plan.cases.values():
            define(case)
        self._tables.append((table, plan.cases, kind))
        return self._keep("T", table)

    def _define(self, name: str, parameters: list[str], body: list[ast.stmt]) -> None:
        self.definitions.append(syntax.function(name, parameters, body or [syntax.nothing()]))

    def _name(self, kind: str, owner: object) -> tuple[str, bool]:
        """Give the name of a thing's function of some kind, and whether it is new."""
        found = self._numbers.get((kind, id(owner)))
        if found is not None:
            return found, False
        name = self._numbers[kind, id(owner)] = f"{kind}{len(self._numbers)}"
        self._kept.append(owner)
        return name, True

    def _keep(self, kind: str, value: Any) -> str:
        """Make a value known to the functions, and give its name."""
        name, _ = self._name(kind, value)
        self.names[name] = value
        return name

    def _variable(self) -> str:
        self._variables += 1
        return f"a{self._variables}"


_BUILTINS: Final[Mapping[str, Any]] = {
    "__builtins__": {},
    "bool": bool,
    "Exception": Exception,
    "Failed": Failed,
    "dict": dict,
    "enumerate": enumerate,
    "float": float,
    "int": int,
    "list": list,
    "str": str,
    "type": type,
}
"""All that compiled functions can name, besides what they are given."""


def _do(function: str, source: ast.expr, root: ast.expr) -> ast.stmt:
    return syntax.do(syntax.call(syntax.load(function), source, root, syntax.load("c")))


def _fetches(site: FieldPlan) -> bool:
    return isinstance(site.target, ObjectPlan | AbstractPlan) and site.target.fetches


def _is_within(variable: str, type_name: str, largest: float) -> ast.expr:
    lowest = -largest if isinstance(largest, float) else -largest - 1
    return syntax.both(syntax.is_type(variable, type_name), syntax.between(variable, lowest, largest))


_SUITABLE: Final[Mapping[str, Callable[[str], ast.expr]]] = {
    "String": lambda variable: syntax.is_type(variable, "str"),
    "ID": lambda variable: syntax.is_type(variable, "str"),
    "Int": lambda variable: _is_within(variable, "int", _LARGEST_INT),
    "Float": lambda variable: _is_within(variable, "float", _LARGEST_FLOAT),
    "Boolean": lambda variable: syntax.is_type(variable, "bool"),
}
"""Tests of the stored values that are their own answers."""
