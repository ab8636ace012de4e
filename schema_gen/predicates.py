"""Type resolvers: which predicate tells that a value is of a type. All predicates of one resolver exclude each other.

A document's type is decided by its template's uid and uid type, since kinds of template may share a uid; documents that
carry no uid type are taken by the uid alone. Every ``Unknown…`` type takes what no other type takes, in a predicate
that is one flat alternative over all templates: linear in size, however many there are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schema_gen.model import TemplateKind
from schema_gen.named import NamedType
from schema_gen.places import Table, table_of

__all__ = [
    "Resolver",
    "card_resolver",
    "dataset_resolver",
    "field_equals",
    "kind_resolver",
    "reference_resolver",
    "routed_resolver",
]

Resolver = dict[str, str]
"""Predicates by type name, the ``Unknown…`` type last."""

_STORE: Final = "TEMPLATESTORE"
_LINK_STORE: Final = "TEMPLATESTORE_LINKTEMPLATE"


def field_equals(path: str, value: str) -> str:
    """Test a path of the value for a string."""
    # The text is JSON in single quotes; as an escape of JSON's, a single quote inside needs none of the grammar's.
    text = json.dumps(value).replace("'", "\\u0027")
    return f"field-eq(field={path}, value='{text}')"


def _any_of(tests: Sequence[str]) -> str:
    return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def _is_uid(named: NamedType) -> str:
    return field_equals("template.uid", named.template.uid)


def _of_store(store: str) -> str:
    return f"({field_equals('template.uidType', store)} or not field-exists(template.uidType))"


def kind_resolver(types: Sequence[NamedType], *, unknown: str, except_for: Mapping[str, str] | None = None) -> Resolver:
    """Tell apart the types of one kind of template.

    Args:
        types: the types, whose templates are of one kind.
        unknown: the type for everything else.
        except_for: types that are recognised otherwise, with their predicates; they come first and win.
    """
    others = dict(except_for or {})
    refused = [f"not {predicate}" for predicate in others.values()]
    if not types:
        return others | {unknown: " and ".join(refused) or "true"}
    is_link = types[0].template.kind is TemplateKind.LINK
    store = _of_store(_LINK_STORE if is_link else _STORE)
    known = {named.name: " and ".join([_is_uid(named), store, *refused]) for named in types}
    unknowable = f"not ({_any_of([_is_uid(named) for named in types])} and {store})"
    return others | known | {unknown: " and ".join([unknowable, *refused])}


def card_resolver(types: Sequence[NamedType], *, unknown: str) -> Resolver:
    """Tell apart cards, whose templates are sections, links or pages; only a link's uid type makes a link."""
    links = [named for named in types if named.template.kind is TemplateKind.LINK]
    others = [named for named in types if named.template.kind is not TemplateKind.LINK]
    groups = [
        (group, store)
        for group, store in ((others, _of_store(_STORE)), (links, field_equals("template.uidType", _LINK_STORE)))
        if group
    ]
    known = {named.name: f"{_is_uid(named)} and {store}" for group, store in groups for named in group}
    refused = [f"not ({_any_of([_is_uid(named) for named in group])} and {store})" for group, store in groups]
    return dict(sorted(known.items())) | {unknown: " and ".join(refused) or "true"}


def _dataset_tests(types: Iterable[NamedType], all_types: Iterable[NamedType]) -> dict[str, str]:
    """Recognise datasets by their table, by the template as well only where several show one table."""
    templates_of = Counter(table_of(named.template) for named in all_types)
    return {
        named.name: _table_test(table) + (f" and {_is_uid(named)}" if templates_of[table] > 1 else "")
        for named in types
        for table in [table_of(named.template)]
    }


def _table_test(table: Table) -> str:
    return f"{field_equals('schema', table.schema)} and {field_equals('entityType', table.entity_type)}"


def dataset_resolver(types: Sequence[NamedType], *, unknown: str, all_types: Sequence[NamedType]) -> Resolver:
    """Tell apart datasets.

    Args:
        types: the types to choose from.
        unknown: the type for everything else.
        all_types: every dataset type of the project.
    """
    tests = _dataset_tests(types, all_types)
    if not tests:
        return {unknown: "true"}
    return tests | {unknown: f"not {_any_of([f'({test})' for test in tests.values()])}"}


def routed_resolver(types: Sequence[NamedType], *, unknown: str) -> Resolver:
    """Tell apart what an address leads to: a page reference, or one of the dataset types."""
    is_page = field_equals("fsType", "PageRef")
    datasets = dataset_resolver(types, unknown=unknown, all_types=types)
    return {"PageRef": is_page} | {name: f"{test} and not {is_page}" for name, test in datasets.items()}


def reference_resolver() -> Resolver:
    """Tell apart what a reference leads to; the query admits nothing else."""
    return {name: field_equals("fsType", name) for name in ("Media", "PageRef")}
