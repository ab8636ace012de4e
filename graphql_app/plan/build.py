"""Parses, counts and validates operation texts, and chooses the operation that runs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OverlappingFieldsCanBeMergedRule,
    get_variable_values,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import VariableValues
from graphql.validation import KnownOperationTypesRule, NoSchemaIntrospectionCustomRule

from graphql_app.plan.guards import Bounds, check_document
from graphql_app.plan.overlaps import BoundedOverlapRule, surely_merge
from graphql_app.plan.suggestions import worth_suggesting
from graphql_app.plan.types import LimitExceededError, Operations, Plan, PlanRefusedError, Refusal

__all__ = ["coerce_variables", "name_root_fields", "parse_operations", "select_operation"]

# A kind of operation that the schema lacks has a classification of its own: see select_operation.
_RULES: Final = tuple(
    BoundedOverlapRule if rule is OverlappingFieldsCanBeMergedRule else rule
    for rule in specified_rules
    if rule is not KnownOperationTypesRule
)
_RULES_OF_MERGING: Final = tuple(rule for rule in _RULES if rule is not BoundedOverlapRule)
_DEFAULTS: Final = Bounds()
_NO_VARIABLES: Final = VariableValues({}, {})
_MOST_COERCION_ERRORS: Final = 50
"""As many as graphql-core tells when it executes."""


def parse_operations(
    schema: GraphQLSchema,
    text: str,
    *,
    max_tokens: int,
    max_errors: int,
    introspection: bool = True,
    bounds: Bounds = _DEFAULTS,
) -> Operations:
    """Parse a text, count what it holds, and validate it against a schema.

    Args:
        schema: what the operations ask.
        text: the operations and their fragments.
        max_tokens: the text is refused if it has more, while it is parsed.
        max_errors: validation stops after so many.
        introspection: whether operations may ask for the schema.
        bounds: how large the document may be; what is over a bound is not validated.

    Raises:
        LimitExceededError: the document is over a limit.
        PlanRefusedError: with every error.
    """
    document = _parse(text, max_tokens)
    check_document(document, bounds)
    rules = _choose_rules(schema, document, introspection)
    errors = validate(schema, document, rules, max_errors=max_errors, hide_suggestions=True)
    if errors and worth_suggesting(schema, text, errors):
        errors = validate(schema, document, rules, max_errors=max_errors)
    if errors:
        raise PlanRefusedError(Refusal.VALIDATION, errors)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    return Operations(
        document,
        {node.name.value if node.name else None: node for node in operations},
        {node.name.value: node for node in fragments},
    )


def _choose_rules(
    schema: GraphQLSchema, document: DocumentNode, introspection: bool
) -> Sequence[type[ASTValidationRule]]:
    """Give the rules, without the costly one where it is known to find nothing."""
    rules = _RULES_OF_MERGING if surely_merge(schema, document) else _RULES
    return rules if introspection else (*rules, NoSchemaIntrospectionCustomRule)


def select_operation(schema: GraphQLSchema, operations: Operations, name: str | None) -> Plan:
    """Choose the operation to run; an empty name counts as none.

    Raises:
        PlanRefusedError: there is no such operation, none was named among several, or the schema lacks its kind.
    """
    named = operations.named
    if name:
        operation = named.get(name)
        if operation is None:
            raise _refuse(f"Unknown operation named '{name}'.")
    elif len(named) == 1:
        operation = next(iter(named.values()))
    elif named:
        raise _refuse("Must provide operation name if query contains multiple operations.")
    else:
        raise _refuse("Must provide an operation.")
    if schema.get_root_type(operation.operation) is None:
        error = GraphQLError(f"Schema is not configured for {operation.operation.value}s.", operation)
        raise PlanRefusedError(Refusal.UNSUPPORTED, [error])
    return Plan(schema, operations.document, operation)


def coerce_variables(plan: Plan, variables: Mapping[str, Any]) -> VariableValues:
    """Give the values of an operation's variables as its types take them, defaults included.

    Args:
        plan: the operation.
        variables: as JSON.

    Raises:
        PlanRefusedError: they do not fit; with every error.
    """
    definitions = plan.operation.variable_definitions
    if not definitions:
        return _NO_VARIABLES
    coerced = get_variable_values(plan.schema, definitions, dict(variables), max_errors=_MOST_COERCION_ERRORS)
    if isinstance(coerced, list):
        raise PlanRefusedError(Refusal.VALIDATION, coerced)
    return coerced


def name_root_fields(operation: OperationDefinitionNode) -> str:
    """Give the names of an operation's root fields that select something, joined by commas (graphql-apps 6.4)."""
    return ",".join(
        node.name.value
        for node in operation.selection_set.selections
        if isinstance(node, FieldNode) and node.selection_set is not None
    )


def _parse(text: str, max_tokens: int) -> DocumentNode:
    try:
        return parse(text, max_lexical_tokens=max_tokens, max_comments=max_tokens)
    except GraphQLSyntaxError as error:
        if " contains more than " in error.message:
            error.extensions = {"code": LimitExceededError.code, "limit": "max_tokens", "allowed": max_tokens}
        raise PlanRefusedError(Refusal.SYNTAX, [error]) from error


def _refuse(message: str) -> PlanRefusedError:
    return PlanRefusedError(Refusal.VALIDATION, [GraphQLError(message)])
