"""The price of an operation as a value: known numbers, and terms that stay open until the variables are there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql_app.plan.values import count_json

__all__ = ["Cost", "Price", "Sum", "Term"]

_Variables: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation costs at most.

    Attributes:
        points: the price of its fields by the rule of spec 9.2.
        values: values of arguments, as often as a field reads them.
    """

    points: int = 0
    values: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.points + other.points, self.values + other.values)


@dataclass(frozen=True, slots=True)
class Term:
    """One field, or several that merge: its own cost, and that of its entries as often as there may be any.

    Attributes:
        own: what each read of the field costs.
        variables: those in its arguments.
        times: entries of its value.
        inner: what is selected of an entry.
    """

    own: Cost
    variables: tuple[str, ...] = ()
    times: int | Callable[[_Variables], int] = 1
    inner: "Sum | None" = None

    def fixed(self) -> bool:
        """Tell whether the cost is known without variables."""
        return not self.variables and isinstance(self.times, int) and (self.inner is None or self.inner.fixed())

    def cost(self, variables: _Variables, sizes: Mapping[str, int]) -> Cost:
        """Give the cost, with the variables and the number of values in each."""
        points = self.own.points
        values = self.own.values + sum(sizes.get(name, 0) for name in self.variables)
        if self.inner is not None:
            times = self.times if isinstance(self.times, int) else self.times(variables)
            below = self.inner.cost(variables, sizes)
            points += times * below.points
            values += times * below.values
        return Cost(points, values)


@dataclass(frozen=True, slots=True)
class Sum:
    """What is selected of one value.

    Attributes:
        base: what is known of it.
        open: terms that are not.
        by_type: what is selected for some object types only, and not known.
    """

    base: Cost = field(default_factory=Cost)
    open: tuple[Term, ...] = ()
    by_type: Mapping[str, "Sum"] = field(default_factory=dict)

    def fixed(self) -> bool:
        """Tell whether all of it is known without variables."""
        return not self.open and not self.by_type

    def cost(self, variables: _Variables, sizes: Mapping[str, int]) -> Cost:
        """Give the cost, with the variables and the number of values in each; the costliest type counts."""
        total = self.base
        for term in self.open:
            total += term.cost(variables, sizes)
        if self.by_type:
            each = [part.cost(variables, sizes) for part in self.by_type.values()]
            total += Cost(max(cost.points for cost in each), max(cost.values for cost in each))
        return total


@dataclass(frozen=True, slots=True)
class Price:
    """The price of an operation; :meth:`of` gives it for values of the variables."""

    terms: Sum
    defaults: Mapping[str, Any]

    def of(self, variables: _Variables) -> Cost:
        """Give the cost for the values of variables, as they came."""
        if self.terms.fixed():
            return self.terms.base
        given = {**self.defaults, **variables}
        return self.terms.cost(given, {name: count_json(value) for name, value in given.items()})
