"""Counts the values in literals and in variables: what reading arguments takes grows with them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from graphql import ArgumentNode, ListValueNode, ObjectValueNode, StringValueNode, ValueNode, VariableNode

__all__ = ["count_arguments", "count_json", "count_literal"]

_TEXT: Final = 100
"""So many characters of a text count as one more value: they are copied wherever the value is read."""


def count_arguments(arguments: Iterable[ArgumentNode]) -> tuple[int, tuple[str, ...]]:
    """Count the values of arguments, and name the variables in them."""
    counted = [count_literal(argument.value) for argument in arguments]
    return sum(size for size, _ in counted), tuple(name for _, names in counted for name in names)


def count_literal(value: ValueNode) -> tuple[int, tuple[str, ...]]:
    """Count the values of a literal, and name the variables in it."""
    size = 0
    names: list[str] = []
    stack = [value]
    while stack:
        node = stack.pop()
        size += 1
        if isinstance(node, VariableNode):
            names.append(node.name.value)
        elif isinstance(node, ListValueNode):
            stack.extend(node.values)
        elif isinstance(node, ObjectValueNode):
            stack.extend(entry.value for entry in node.fields)
        elif isinstance(node, StringValueNode):
            size += len(node.value) // _TEXT
    return size, tuple(names)


def count_json(value: Any) -> int:
    """Count the values of JSON alike; the keys of objects count, too."""
    size = 0
    stack = [value]
    while stack:
        each = stack.pop()
        size += 1
        if isinstance(each, Mapping):
            stack.extend(each.values())
            stack.extend(each)
        elif isinstance(each, list | tuple):
            stack.extend(each)
        elif isinstance(each, str):
            size += len(each) // _TEXT
    return size
