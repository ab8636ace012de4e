"""The values of planning: a document that is valid for one schema, the operation chosen from it, and the refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from graphql import DocumentNode, FragmentDefinitionNode, GraphQLError, GraphQLSchema, Node, OperationDefinitionNode

from content_core.errors import PlanError
from graphql_app.plan.price import Price

__all__ = ["Compiled", "LimitExceededError", "Operations", "Plan", "PlanRefusedError", "Refusal"]


class Refusal(Enum):
    """Why an operation does not run; the value is the classification that clients see."""

    SYNTAX = "InvalidSyntax"
    VALIDATION = "ValidationError"
    UNSUPPORTED = "OperationNotSupported"
    BAD_FAITH = "BadFaithIntrospection"


class PlanRefusedError(PlanError):
    """The operation is not run: its text, its choice or its variables are wrong.

    Args:
        refusal: the kind.
        errors: every error found.
    """

    code = "OC302"

    def __init__(self, refusal: Refusal, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message if errors else refusal.value)
        self.refusal = refusal
        self.errors = tuple(errors)


class LimitExceededError(PlanRefusedError):
    """The operation is over a limit."""

    code = "OC303"

    @classmethod
    def of(
        cls,
        limit: str,
        *,
        allowed: int,
        counted: int,
        message: str,
        refusal: Refusal = Refusal.VALIDATION,
        node: Node | None = None,
        **members: Any,
    ) -> "LimitExceededError":
        """Name the limit, its value and what was counted, in words and in ``extensions``.

        Args:
            limit: the setting's name.
            allowed: its value.
            counted: what was counted.
            message: the sentence; what is allowed and the limit's name are added to it.
            refusal: the classification.
            node: where in the document.
            members: more members of ``extensions``; ``code`` replaces this class's.
        """
        extensions = {"code": cls.code, "limit": limit, "allowed": allowed, "counted": counted} | members
        error = GraphQLError(f"{message}, the limit is {allowed} ({limit})", node, extensions=extensions)
        return cls(refusal, [error])


class Compiled(Protocol):
    """What was compiled of an operation, as far as planning looks at it."""

    @property
    def count(self) -> int:
        """The number of programs."""

    @property
    def fields(self) -> int:
        """The fields of all of them together."""


@dataclass(frozen=True, slots=True)
class Operations:
    """A document that parsed and that its schema accepts.

    Attributes:
        document: the parsed text.
        named: its operations by name; the anonymous one under None.
        fragments: its fragments by name.
        prices: of its operations, by name, as soon as they were asked for.
        programs: what was compiled of its operations, by name.
    """

    document: DocumentNode
    named: Mapping[str | None, OperationDefinitionNode]
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict)
    prices: dict[str | None, Price] = field(default_factory=dict)
    programs: dict[str | None, Compiled] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was parsed."""
        assert self.document.loc is not None  # noqa: S101 - for mypy: parsed with locations
        return self.document.loc.source.body


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: one operation of a valid document, on one schema."""

    schema: GraphQLSchema
    document: DocumentNode
    operation: OperationDefinitionNode

    @property
    def operation_name(self) -> str | None:
        """The name that the operation has in its document."""
        return self.operation.name.value if self.operation.name else None
