"""The few kinds of Python syntax that compiled functions are made of.

Trees are built node by node. Names and values of a plan become constants; no text is ever pasted into code.
"""

import ast
from typing import Any, Final, TypedDict

__all__ = [
    "assign",
    "attribute",
    "between",
    "both",
    "call",
    "constant",
    "differs",
    "do",
    "function",
    "give",
    "guarded",
    "is_type",
    "load",
    "loop",
    "mapping",
    "nothing",
    "pair",
    "shaped_list",
    "when",
]


class _Place(TypedDict):
    lineno: int
    col_offset: int


_LOAD: Final = ast.Load()
_STORE: Final = ast.Store()
_AT: Final[_Place] = {"lineno": 1, "col_offset": 0}
"""Where every node claims to stand: the compiler asks for a place, and setting it here saves a walk over the tree."""


def load(name: str) -> ast.expr:
    """Read a variable."""
    return ast.Name(name, _LOAD, **_AT)


def constant(value: Any) -> ast.expr:
    """Give a constant."""
    return ast.Constant(value, **_AT)


def attribute(name: str, member: str) -> ast.expr:
    """Read an attribute of a variable."""
    return ast.Attribute(load(name), member, _LOAD, **_AT)


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """Call a function."""
    return ast.Call(function, list(arguments), [], **_AT)


def pair(first: ast.expr, second: ast.expr) -> ast.expr:
    """Make a tuple of two."""
    return ast.Tuple([first, second], _LOAD, **_AT)


def mapping(entries: list[tuple[str, ast.expr]]) -> ast.expr:
    """Make a dictionary with constant keys."""
    return ast.Dict([constant(key) for key, _ in entries], [value for _, value in entries], **_AT)


def is_type(variable: str, type_name: str) -> ast.expr:
    """Ask whether a variable's value is of exactly one type."""
    return ast.Compare(call(load("type"), load(variable)), [ast.Is()], [load(type_name)], **_AT)


def differs(variable: str, *values: ast.expr) -> ast.expr:
    """Ask whether a variable's value is none of some singletons."""
    tests: list[ast.expr] = [ast.Compare(load(variable), [ast.IsNot()], [value], **_AT) for value in values]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests, **_AT)


def both(*tests: ast.expr) -> ast.expr:
    """Ask whether all of some tests hold."""
    return ast.BoolOp(ast.And(), list(tests), **_AT)


def assign(variable: str, value: ast.expr) -> ast.stmt:
    """Set a variable."""
    return ast.Assign([_store(variable)], value, **_AT)


def give(value: ast.expr) -> ast.stmt:
    """Return a value."""
    return ast.Return(value, **_AT)


def when(test: ast.expr, then: list[ast.stmt], otherwise: list[ast.stmt] | None = None) -> ast.stmt:
    """Do one thing or another."""
    return ast.If(test, then, otherwise or [], **_AT)


def guarded(body: list[ast.stmt], handler: list[ast.stmt], *, error: str) -> ast.stmt:
    """Do something, and something else with the error if it fails."""
    return ast.Try(body, [ast.ExceptHandler(load("Exception"), error, handler, **_AT)], [], [], **_AT)


def loop(variable: str, over: ast.expr, body: list[ast.stmt]) -> ast.stmt:
    """Do something for every element."""
    return ast.For(_store(variable), over, body, [], **_AT)


def shaped_list(function: str, over: str, path: str, *, root: str = "r") -> ast.expr:
    """List what a function gives for each element: ``[f(x, r, (path, i), c) for i, x in enumerate(over)]``."""
    target = ast.Tuple([_store("i"), _store("x")], _STORE, **_AT)
    generator = ast.comprehension(target, call(load("enumerate"), load(over)), [], 0)
    element = call(load(function), load("x"), load(root), pair(load(path), load("i")), load("c"))
    return ast.ListComp(element, [generator], **_AT)


def function(name: str, parameters: list[str], body: list[ast.stmt]) -> ast.stmt:
    """Define a function."""
    arguments = ast.arguments([], [ast.arg(parameter, **_AT) for parameter in parameters], None, [], [], None, [])
    return ast.FunctionDef(name, arguments, body, [], None, None, **_AT)


def do(expression: ast.expr) -> ast.stmt:
    """Evaluate something for its effect."""
    return ast.Expr(expression, **_AT)


def nothing() -> ast.stmt:
    """Do nothing."""
    return ast.Pass(**_AT)


def between(variable: str, lowest: float, highest: float) -> ast.expr:
    """Ask whether a number lies within bounds."""
    return ast.Compare(constant(lowest), [ast.LtE(), ast.LtE()], [load(variable), constant(highest)], **_AT)


def _store(name: str) -> ast.expr:
    return ast.Name(name, _STORE, **_AT)
