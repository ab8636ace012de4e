"""A compiled operation: its functions, and all that can be known about its queries before a request comes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    ArgumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_argument_values,
)
from graphql.execution.values import VariableValues

from graphql_app.compile.emit import Functions, emit_functions
from graphql_app.compile.positions import Positions
from graphql_app.compile.relations import Relation, read_relation
from graphql_app.plan.projection import Parts, add_root_document, add_whole, encode_projection, parts_of, unite
from graphql_app.plan.selection import FieldPlan, Selection, UnplannableError, plan_selection
from graphql_app.query.arguments import declared_defaults
from graphql_app.schema.build import ExecutableApp
from graphql_app.schema.mappings import DatabaseMapping, PathMapping, QueryMapping

__all__ = ["Arguments", "Program", "Site", "compile_operation"]

Arguments: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The bound arguments of a field, and the schema's defaults of those that were given as null."""

_NO_ARGUMENTS: Arguments = ({}, {})


@dataclass(frozen=True, slots=True)
class Site:
    """A field that runs a query.

    Attributes:
        mapping: the query.
        relation: its relation, if it is one of the usual.
        parts: what is needed of the documents of a root field; None below the root fields.
        projection: the same for MongoDB; None reads all.
        walks: whether queries run below it.
        fixed: whether it is a root field whose query is the same in every request.
    """

    mapping: DatabaseMapping
    relation: Relation | None
    parts: Parts | None
    projection: Mapping[str, Any] | None
    walks: bool
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled operation; immutable, for any number of requests at a time.

    Attributes:
        functions: what shapes and walks.
        sites: the fields that run queries, by number.
        projections: what is read of the documents that the fields below the roots look up, by collection.
        uses_root: whether a query below the root fields depends on the root document.
        selection: the tree that the program was made from.
        constant: the arguments of sites, as far as no variable decides about them.
        open: the other fields with arguments.
        roots: the numbers of the root fields that run queries.
        prepared: what is asked for root fields that ask the same in every request; filled by the first.
    """

    functions: Functions
    sites: tuple[Site, ...]
    projections: Mapping[tuple[str, str], Mapping[str, Any] | None]
    uses_root: bool
    selection: Selection
    constant: tuple[Arguments, ...]
    open: tuple[FieldPlan, ...]
    roots: tuple[int, ...]
    prepared: dict[int, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many fields were planned, types of interfaces and unions counted one by one."""
        return self.selection.size

    def bind(self, variables: VariableValues) -> tuple[Arguments, ...]:
        """Give the arguments of every site for the variables of a request.

        Raises:
            GraphQLError: an argument has no fitting value; graphql-core knows where such errors belong.
        """
        if not self.open:
            return self.constant
        bound = list(self.constant)
        _bind(bound, self.open, variables)
        return tuple(bound)


def compile_operation(
    app: ExecutableApp,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    variables: VariableValues,
) -> Program:
    """Plan and compile a valid query for one choice of the variables that its conditions look at.

    Raises:
        UnplannableError: graphql-core has to execute it.
    """
    selection = plan_selection(app, operation, fragments, variables)
    functions = emit_functions(selection, Positions(app.matchers))
    roots = frozenset(map(id, selection.root.fields))
    below = [entry for entry in selection.sites if id(entry) not in roots]
    from_root: Parts = {}
    uses = [add_root_document(from_root, _mapping(entry)) for entry in below]
    still_open = tuple(entry for entry in selection.argued if _holds_variables(entry.nodes[0].arguments))
    constant = [_NO_ARGUMENTS] * len(selection.sites)
    try:
        _bind(constant, [entry for entry in selection.argued if entry not in still_open], VariableValues({}, {}))
    except GraphQLError as error:
        raise UnplannableError("an argument without a fitting value") from error
    return Program(
        functions=functions,
        sites=tuple(
            _read_site(entry, app, functions, from_root if id(entry) in roots else None) for entry in selection.sites
        ),
        projections=_project_lookups(below, app),
        uses_root=any(uses),
        selection=selection,
        constant=tuple(constant),
        open=still_open,
        roots=tuple(entry.site for entry in selection.sites if id(entry) in roots),
    )


def _bind(bound: list[Arguments], entries: Iterable[FieldPlan], variables: VariableValues) -> None:
    for entry in entries:
        arguments = get_argument_values(_definition(entry), entry.nodes[0], variables)
        if entry.site >= 0:
            bound[entry.site] = (arguments, declared_defaults(_definition(entry).args, arguments))


def _holds_variables(node: Any) -> bool:
    """Say whether a variable stands anywhere inside the arguments of a field."""
    pending = list(node or ())
    for current in pending:  # grows while it is read
        match current:
            case VariableNode():
                return True
            case ListValueNode():
                pending.extend(current.values)
            case ObjectValueNode():
                pending.extend(current.fields)
            case ArgumentNode() | ObjectFieldNode():
                pending.append(current.value)
    return False


def _read_site(entry: FieldPlan, app: ExecutableApp, functions: Functions, from_root: Parts | None) -> Site:
    mapping = _mapping(entry)
    walks = functions.walks[entry.site] is not None
    if from_root is None:
        return Site(mapping, read_relation(mapping), None, None, walks)
    parts = unite([parts_of(entry.target, app.matchers), from_root])
    fixed = isinstance(mapping, QueryMapping) and not _holds_variables(entry.nodes[0].arguments)
    return Site(mapping, None, parts, encode_projection(parts), walks, fixed)


def _project_lookups(below: list[FieldPlan], app: ExecutableApp) -> Mapping[tuple[str, str], Mapping[str, Any] | None]:
    """Give one projection per collection, so that documents which two fields look up are read once."""
    trees: dict[tuple[str, str], list[Parts]] = {}
    for entry in below:
        mapping = _mapping(entry)
        if isinstance(mapping, QueryMapping):
            asked: Parts = {}
            for path in mapping.find or {}:
                if not path.startswith("$"):  # who asked for a document is seen from these
                    add_whole(asked, path.split("."))
            trees.setdefault((mapping.db, mapping.collection), []).extend([parts_of(entry.target, app.matchers), asked])
    return {place: encode_projection(unite(parts)) for place, parts in trees.items()}


def _mapping(entry: FieldPlan) -> DatabaseMapping:
    assert not isinstance(entry.mapping, PathMapping | None)  # noqa: S101 - for mypy: only sites come here
    return entry.mapping


def _definition(entry: FieldPlan) -> Any:
    return entry.definition
