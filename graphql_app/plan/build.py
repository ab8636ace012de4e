"""Parses and validates operation texts and chooses the operation that runs."""

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import KnownOperationTypesRule, NoSchemaIntrospectionCustomRule

from graphql_app.plan.types import Operations, Plan, PlanRefusedError, Refusal

__all__ = ["parse_operations", "select_operation"]

# A kind of operation that the schema lacks has a classification of its own: see select_operation.
_RULES = tuple(rule for rule in specified_rules if rule is not KnownOperationTypesRule)


def parse_operations(
    schema: GraphQLSchema, text: str, *, max_tokens: int, max_errors: int, introspection: bool = True
) -> Operations:
    """Parse a text and validate it against a schema.

    Args:
        schema: what the operations ask.
        text: the operations and their fragments.
        max_tokens: the text is refused if it has more, before it is validated.
        max_errors: validation stops after so many.
        introspection: whether operations may ask for the schema.

    Raises:
        PlanRefusedError: with every error.
    """
    document = _parse(text, max_tokens)
    rules = _RULES if introspection else (*_RULES, NoSchemaIntrospectionCustomRule)
    errors = validate(schema, document, rules, max_errors=max_errors)
    if errors:
        raise PlanRefusedError(Refusal.VALIDATION, errors)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    return Operations(document, {node.name.value if node.name else None: node for node in operations})


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


def _parse(text: str, max_tokens: int) -> DocumentNode:
    try:
        return parse(text, max_lexical_tokens=max_tokens, max_comments=max_tokens)
    except GraphQLSyntaxError as error:
        raise PlanRefusedError(Refusal.SYNTAX, [error]) from error


def _refuse(message: str) -> PlanRefusedError:
    return PlanRefusedError(Refusal.VALIDATION, [GraphQLError(message)])
