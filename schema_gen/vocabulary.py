"""The shared types made anew for one project: the same classes with the project's own types in the open places.

A Strawberry class is bound to the types that its annotations name, so that a union over a project's sections cannot be
put into the shared ``Body``. The classes are therefore copied, and the copies read the same annotations in a name space
of the project. Nothing is shared between two projects.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from types import MappingProxyType, new_class
from typing import Annotated, Any, Final, Union, get_args

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import get_object_definition, has_object_definition
from strawberry.types.field import StrawberryField

from schema_gen import components, content_types, value_types
from schema_gen.scalars import BUILT_IN_SCALARS, JSON, STANDARD_SCALARS, BsonDocument

__all__ = ["RESERVED_NAMES", "SETTINGS_FORM", "Vocabulary", "list_of", "nullable"]

_MODULES: Final = (value_types, content_types, components)

SETTINGS_FORM: Final = "ProjectPropertiesFormData"
"""The type of the project settings' form."""

RESERVED_NAMES: Final = tuple(
    sorted(
        {
            *(name for module in _MODULES for name in module.__all__ if name[:1].isupper() and not name.isupper()),
            *("Query", "Mutation", "Subscription", SETTINGS_FORM),
            *BUILT_IN_SCALARS,
            *STANDARD_SCALARS,
        }
    )
)
"""Type names that no template can have."""

_SHARED: Final[Mapping[str, type]] = MappingProxyType(
    {
        name: value
        for module in _MODULES
        for name, value in vars(module).items()
        if isinstance(value, type) and has_object_definition(value) and value.__module__ == module.__name__
    }
)
"""The shared types in the order of their definition, so that bases come before what is built on them."""

# Subscribed with members that are known at run time only.
_annotated: Any = Annotated
_union: Any = Union


def nullable(type_: Any) -> Any:
    """Make the annotation of a type or null."""
    return _union[type_, None]


def list_of(type_: Any) -> Any:
    """Make the annotation of a list with entries that may be null."""
    return list[nullable(type_)]  # type: ignore[misc]


class Vocabulary:
    """The types of one project by name: the shared ones from the start, the project's as they are added.

    Types refer to each other in circles; whatever a copied type names may therefore be added after it, until
    :meth:`close`.
    """

    def __init__(self) -> None:
        self._names: dict[str, Any] = {"BsonDocument": BsonDocument, "JSON": JSON}
        self._open_variants: list[tuple[dict[str, Any], Mapping[str, str]]] = []
        for name, shared in _SHARED.items():
            self._names[name] = self._copy(shared, name=name, places=self._names)
        self.add_union("ReferenceTarget", ("Media", "PageRef"))

    def __getitem__(self, name: str) -> Any:
        return self._names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def fill(self, place: str, with_: str) -> None:
        """Put one of the types here into an open place of the shared types."""
        self._names[place] = self._names[with_]

    def add_union(self, name: str, members: Iterable[str], *, description: str | None = None) -> None:
        """Make a union of types that are here already; the description defaults to that of the shared place."""
        text = description or get_args(getattr(content_types, name))[1].description
        types = tuple(self._names[member] for member in members)
        self._names[name] = _annotated[_union[types], strawberry.union(name, description=text)]

    def add_type(
        self, name: str, fields: Iterable[StrawberryField], *, description: str, base: str | None = None
    ) -> None:
        """Make a type from fields that carry their GraphQL names; Python's names for them do not matter."""
        bases = (self._names[base],) if base else ()
        attributes = {f"field_{number}": field for number, field in enumerate(fields)}
        self._names[name] = _make(name, bases, {"__module__": __name__, **attributes}, description=description)

    def add_variant(self, name: str, *, of: str, description: str, places: Mapping[str, str]) -> None:
        """Make a type like a shared one that has other types in the named places."""
        own_places: dict[str, Any] = {}
        self._open_variants.append((own_places, places))
        self._names[name] = self._copy(_SHARED[of], name=name, places=own_places, description=description)

    def close(self) -> None:
        """Give the variants their types; nothing is added after this."""
        for own_places, places in self._open_variants:
            own_places |= {**self._names, **{place: self._names[other] for place, other in places.items()}}

    def _copy(self, shared: type, *, name: str, places: dict[str, Any], description: str | None = None) -> type:
        definition = get_object_definition(shared, strict=True)
        annotations: dict[str, str] = vars(shared).get("__annotations__", {})
        fields = {field.python_name: copy(field) for field in definition.fields if field.python_name in annotations}
        bases = tuple(self._names[base.__name__] for base in shared.__bases__ if has_object_definition(base))
        content = {"__module__": shared.__module__, "__annotations__": dict(annotations), **fields}
        made = _make(
            name,
            bases,
            content,
            description=description or definition.description or "",
            interface=definition.is_interface,
        )
        for field in get_object_definition(made, strict=True).fields:
            if field.python_name in annotations:
                field.type_annotation = StrawberryAnnotation(annotations[field.python_name], namespace=places)
        return made


def _make(
    name: str, bases: tuple[type, ...], content: Mapping[str, Any], *, description: str, interface: bool = False
) -> type:
    cls = new_class(name, bases, {}, lambda namespace: namespace.update(content))
    decorate = strawberry.interface if interface else strawberry.type
    return decorate(cls, name=name, description=description)
