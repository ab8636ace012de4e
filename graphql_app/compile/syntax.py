"""The few kinds of Python syntax that compiled functions are made of.

Trees are built node by node. Names and values of a plan become constants; no text is ever pasted into code.
"""

import ast
from typing import Any

__all__ = [
    "assign",
    "attribute",
    "both",
    "call",
    "constant",
    "differs",
    "function",
    "give",
    "guarded",
    "is_type",
    "load",
    "loop",
    "mapping",
    "pair",
    "shaped_list",
    "when",
]


def load(name: str) -> ast.expr:
    """Read a variable."""
    return ast.Name(name, ast.Load())


def constant(value: Any) -> ast.expr:
    """Give a constant."""
    return ast.Constant(value)


def attribute(name: str, member: str) -> ast.expr:
    """Read an attribute of a variable."""
    return ast.Attribute(load(name), member, ast.Load())


def call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    """Call a function."""
    return ast.Call(function, list(arguments), [])


def pair(first: ast.expr, second: ast.expr) -> ast.expr:
    """Make a tuple of two."""
    return ast.Tuple([first, second], ast.Load())


def mapping(entries: list[tuple[str, ast.expr]]) -> ast.expr:
    """Make a dictionary with constant keys."""
    return ast.Dict([constant(key) for key, _ in entries], [value for _, value in entries])


def is_type(variable: str, type_name: str) -> ast.expr:
    """Ask whether a variable's value is of exactly one type."""
    return ast.Compare(call(load("type"), load(variable)), [ast.Is()], [load(type_name)])


def differs(variable: str, *values: ast.expr) -> ast.expr:
    """Ask whether a variable's value is none of some singletons."""
    tests: list[ast.expr] = [ast.Compare(load(variable), [ast.IsNot()], [value]) for value in values]
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def both(*tests: ast.expr) -> ast.expr:
    """Ask whether all of some tests hold."""
    return ast.BoolOp(ast.And(), list(tests))


def assign(variable: str, value: ast.expr) -> ast.stmt:
    """Set a variable."""
    return ast.Assign([ast.Name(variable, ast.Store())], value)


def give(value: ast.expr) -> ast.stmt:
    """Return a value."""
    return ast.Return(value)


def when(test: ast.expr, then: list[ast.stmt], otherwise: list[ast.stmt] | None = None) -> ast.stmt:
    """Do one thing or another."""
    return ast.If(test, then, otherwise or [])


def guarded(body: list[ast.stmt], handler: list[ast.stmt], *, error: str) -> ast.stmt:
    """Do something, and something else with the error if it fails."""
    return ast.Try(body, [ast.ExceptHandler(load("Exception"), error, handler)], [], [])


def loop(variable: str, over: ast.expr, body: list[ast.stmt]) -> ast.stmt:
    """Do something for every element."""
    return ast.For(ast.Name(variable, ast.Store()), over, body, [])


def shaped_list(function: str, over: str, path: str) -> ast.expr:
    """List what a function gives for each element: ``[f(x, r, (path, i), c) for i, x in enumerate(over)]``."""
    target = ast.Tuple([ast.Name("i", ast.Store()), ast.Name("x", ast.Store())], ast.Store())
    generator = ast.comprehension(target, call(load("enumerate"), load(over)), [], 0)
    element = call(load(function), load("x"), load("r"), pair(load(path), load("i")), load("c"))
    return ast.ListComp(element, [generator])


def function(name: str, parameters: list[str], body: list[ast.stmt]) -> ast.stmt:
    """Define a function."""
    arguments = ast.arguments([], [ast.arg(parameter) for parameter in parameters], None, [], [], None, [])
    return ast.FunctionDef(name, arguments, body, [], None, None)
