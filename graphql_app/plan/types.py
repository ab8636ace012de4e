"""The values of planning: a document that is valid for one schema, the operation chosen from it, and the refusal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode

from content_core.errors import PlanError

__all__ = ["Operations", "Plan", "PlanRefusedError", "Refusal"]


class Refusal(Enum):
    """Why an operation does not run; the value is the classification that clients see."""

    SYNTAX = "InvalidSyntax"
    VALIDATION = "ValidationError"
    UNSUPPORTED = "OperationNotSupported"


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


@dataclass(frozen=True, slots=True)
class Operations:
    """A document that parsed and that its schema accepts.

    Attributes:
        document: the parsed text.
        named: its operations by name; the anonymous one under None.
    """

    document: DocumentNode
    named: Mapping[str | None, OperationDefinitionNode]


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
