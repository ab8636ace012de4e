"""Random operations that are valid for an application: aliases, fragments, directives, variables, merged fields."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tests.graphql_app.equality.dice import Dice
from tests.graphql_app.equality.model import AppModel, Argument, FieldModel, named_type
from tests.graphql_app.equality.values import ARGUMENTS, MISSING

__all__ = ["Query", "draw_query"]

_LEVELS: Final = 6
_LOADS: Final = 3
"""Fields that ask the database below each other; every level multiplies the answer."""

Scope: TypeAlias = dict[str, tuple[str, "Scope"]]
"""What a selection holds by response name: the field with its arguments and type, and what is selected of it."""


@dataclass(frozen=True, slots=True)
class Query:
    """An operation with the values of its variables."""

    text: str
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Variable:
    declaration: str
    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Fragment:
    type: str
    text: str
    scope: Scope


def draw_query(dice: Dice, app: AppModel) -> Query:
    """Draw an operation."""
    return _Drawing(dice, app).query()


class _Drawing:
    """One operation on its way."""

    def __init__(self, dice: Dice, app: AppModel) -> None:
        self._dice = dice
        self._app = app
        self._variables: dict[str, _Variable] = {}
        self._fragments: dict[str, _Fragment] = {}
        self._aliases = 0
        self._budget = dice.pick((30, 60, 12))

    def query(self) -> Query:
        body = self._selection("Query", {}, _LEVELS, _LOADS)
        fragments = self._used_fragments(body)
        text = body + "".join(fragments)
        used = {name: one for name, one in self._variables.items() if re.search(rf"\${name}\b", text)}
        declarations = ", ".join(one.declaration for one in used.values())
        head = f"query Q({declarations}) " if used else self._dice.pick(("", "query Q "))
        values = {name: one.value for name, one in used.items() if one.value is not MISSING}
        return Query("\n".join([head + body, *fragments]), values)

    def _used_fragments(self, body: str) -> list[str]:
        used: dict[str, str] = {}
        pending = [body]
        for text in pending:  # grows while it is read
            for name in re.findall(r"\.\.\.(F\d+)", text):
                if name not in used:
                    one = self._fragments[name]
                    used[name] = f"fragment {name} on {one.type} {one.text}"
                    pending.append(one.text)
        return list(used.values())

    # --- selections --------------------------------------------------------------------------------------------------

    def _selection(self, type_: str, scope: Scope, levels: int, loads: int) -> str:
        wanted = self._dice.pick((2, 3, 1, 4, 2, 3, 6))
        drawn = (self._part(type_, scope, levels, loads) for _ in range(wanted))
        parts = [part for part in drawn if part is not None]
        return f"{{ {' '.join(parts or [self._least_part(type_, scope)])} }}"

    def _least_part(self, type_: str, scope: Scope) -> str:
        leaves = [one for one in self._app.types[type_].fields.values() if named_type(one.type) not in self._app.types]
        plain = [one for one in leaves if one.path is not None and not one.arguments]
        part = self._field(self._dice.pick(plain), scope, 0, 0) if plain else None
        return part or "__typename"

    def _part(self, type_: str, scope: Scope, levels: int, loads: int) -> str | None:
        kind = self._dice.number(0, 9)
        fields = self._app.types[type_].fields
        if kind == 7 and self._dice.chance(40):
            return "__typename" + self._directive()
        if type_ == "Query" and self._dice.chance(1):
            return self._dice.pick(('__type(name: "T0") { kind fields { name } }', "__schema { queryType { name } }"))
        if levels and (kind > (8 if type_ == "Query" else 7) or not fields):
            return self._fragment(type_, scope, levels - 1, loads)
        return self._field(self._dice.pick(self._choices(type_)), scope, levels, loads) if fields else None

    def _choices(self, type_: str) -> tuple[FieldModel, ...]:
        """Let fields that have more below them come more often."""
        fields = tuple(self._app.types[type_].fields.values())
        deep = tuple(one for one in fields if named_type(one.type) in self._app.types)
        return (*deep, *fields, *deep)

    def _field(self, one: FieldModel, scope: Scope, levels: int, loads: int) -> str | None:
        inner = named_type(one.type)
        composite = inner in self._app.types
        loads -= one.path is None
        self._budget -= 1
        if (composite and (not levels or self._budget < 0)) or loads < 0:
            return None
        arguments = self._arguments(one)
        name = self._name(one, arguments, scope)
        below: Scope = scope.setdefault(name, (self._signature(one, arguments), {}))[1]
        called = one.name if name == one.name else f"{name}: {one.name}"
        selection = f" {self._selection(inner, below, levels - 1, loads)}" if composite else ""
        return f"{called}{arguments}{self._directive()}{selection}"

    def _signature(self, one: FieldModel, arguments: str) -> str:
        return f"{one.name}{arguments}: {one.type}"

    def _name(self, one: FieldModel, arguments: str, scope: Scope) -> str:
        """Choose the field's own name or another that is free; what fits is merged with what is there."""
        wanted = one.name if not self._dice.chance(15) else self._dice.pick(("x", "y", "f0", "_id", "q0"))
        there = scope.get(wanted)
        if there is None or there[0] == self._signature(one, arguments):
            return wanted
        self._aliases += 1
        return f"z{self._aliases}"

    def _fragment(self, type_: str, scope: Scope, levels: int, loads: int) -> str | None:
        on = self._dice.pick(self._conditions(type_))
        if self._dice.chance(35):
            return self._named_fragment(on, scope, levels, loads)
        condition = "" if on == type_ and self._dice.chance(30) else f" on {on}"
        return f"...{condition}{self._directive()} {self._selection(on, scope, levels, loads)}"

    def _named_fragment(self, on: str, scope: Scope, levels: int, loads: int) -> str | None:
        """Spread a fragment, an older one if there is one for the type, where it can be merged with what is there."""
        known = [name for name, one in self._fragments.items() if one.type == on]
        if known and self._dice.chance(50):
            name = self._dice.pick(known)
        else:
            own: Scope = {}
            text = self._selection(on, own, min(levels, 2), min(loads, 1))
            name = f"F{len(self._fragments)}"
            self._fragments[name] = _Fragment(on, text, own)
        if not _fits(self._fragments[name].scope, scope):
            return None
        _merge(self._fragments[name].scope, scope)
        return f"...{name}{self._directive()}"

    def _conditions(self, type_: str) -> tuple[str, ...]:
        """Name the types that a fragment inside a type may be about."""
        objects = set(self._app.objects_of(type_))
        others = [
            name
            for name, one in self._app.types.items()
            if name not in {type_, "Query"} and objects & set(self._app.objects_of(name))
        ]
        own = self._app.types[type_]
        return (*own.members, *([type_] if own.fields else []), *others) or (type_,)

    # --- arguments, directives, variables ----------------------------------------------------------------------------

    def _arguments(self, one: FieldModel) -> str:
        given = []
        for argument in one.arguments:
            required = argument.type.endswith("!") and argument.default is None
            if required or self._dice.chance(40):
                given.append(f"{argument.name}: {self._argument(argument)}")
        return f"({', '.join(given)})" if given else ""

    def _argument(self, argument: Argument) -> str:
        nullable = not argument.type.endswith("!")
        literal, value = self._dice.likely(self._pool(argument.pool))
        kind = self._dice.number(0, 9)
        if kind == 9 and nullable:
            return "null"
        if kind <= 4:
            return literal
        if argument.pool == "BsonDocument" and self._dice.chance(20):
            return f"{{k: {self._variable('Int', 'Int', 1)}}}"
        if argument.pool == "Options" and self._dice.chance(30):
            return f"{{limit: {self._variable('Int', 'Int', 2)}, keys: [1, {self._variable('Int', 'Int', 2)}]}}"
        loose = argument.default is not None and self._dice.chance(30)
        type_ = argument.type.rstrip("!") if loose else argument.type
        return self._variable(type_, argument.pool, value)

    def _pool(self, name: str) -> tuple[tuple[str, Any], ...]:
        if name in self._app.enums:
            return tuple((value, value) for value in self._app.enums[name])
        return ARGUMENTS[name]

    def _variable(self, type_: str, pool: str, value: Any) -> str:
        known = [name for name, one in self._variables.items() if one.type == type_]
        if known and self._dice.chance(40):
            return f"${self._dice.pick(known)}"
        if not type_.endswith("!") and self._dice.chance(15):
            type_ += "!"
        name = f"v{len(self._variables)}"
        declaration = f"${name}: {type_}"
        kind = self._dice.number(0, 9)
        has_default = self._dice.chance(30)
        if has_default:
            declaration += f" = {self._dice.likely(self._pool(pool))[0]}"
        nullable = not type_.endswith("!")
        if kind == 8 and (nullable or has_default):
            value = MISSING
        elif kind == 9 and nullable:
            value = None
        elif self._dice.chance(1):
            value = [{"no": "such value"}]
        self._variables[name] = _Variable(declaration, type_, value)
        return f"${name}"

    def _directive(self) -> str:
        if not self._dice.chance(12):
            return ""
        kind = self._dice.pick(("include", "skip"))
        if self._dice.chance(40):
            return f" @{kind}(if: {self._dice.pick(('true', 'false'))})"
        value = self._dice.pick((True, False))
        if self._dice.chance(2):  # null is allowed by the default, and refused when the selection is collected
            name = f"v{len(self._variables)}"
            self._variables[name] = _Variable(f"${name}: Boolean = true", "-", self._dice.pick((None, MISSING, True)))
            return f" @{kind}(if: ${name})"
        both = f" @{'skip' if kind == 'include' else 'include'}(if: true)" if self._dice.chance(10) else ""
        return f" @{kind}(if: {self._variable('Boolean!', 'Boolean', value)}){both}"


def _fits(own: Scope, other: Scope) -> bool:
    return all(
        name not in other or (other[name][0] == signature and _fits(below, other[name][1]))
        for name, (signature, below) in own.items()
    )


def _merge(own: Scope, other: Scope) -> None:
    for name, (signature, below) in own.items():
        _merge(below, other.setdefault(name, (signature, {}))[1])
