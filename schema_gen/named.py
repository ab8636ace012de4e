"""The content model with every GraphQL name decided: which types, fields and unions a project has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from schema_gen.components import component_type
from schema_gen.descriptions import describe_template
from schema_gen.model import ContentModel, Finding, FormField, Language, Template, TemplateRef
from schema_gen.naming import FORM_DATA, Collision, NameBook, SkippedName, field_name, type_name
from schema_gen.places import OWN_PLACES, Place, TemplateIndex, table_of
from schema_gen.vocabulary import RESERVED_NAMES, SETTINGS_FORM

__all__ = [
    "NamedField",
    "NamedForm",
    "NamedModel",
    "NamedResolution",
    "NamedType",
    "SchemaUnion",
    "name_model",
]

_META_FORM: Final = "MetaFormData"
_ORIGINAL: Final = "ORIGINAL"

_BOUND_SUFFIXES: Final[Mapping[str, tuple[str, str]]] = {
    "DatasetField": ("Field", "FieldValue"),
    "DatasetIndexField": ("IndexField", "IndexRecord"),
}
"""Per field type that can be bound to one schema: what follows the union's name in the field's and the value's type."""


@dataclass(frozen=True, slots=True)
class NamedField:
    """A form field with its GraphQL name and the GraphQL type of that field."""

    source: FormField
    name: str
    type_name: str


@dataclass(frozen=True, slots=True)
class NamedForm:
    """The type of a form; a form without a single field has no type."""

    name: str
    title: str
    template: Template
    fields: tuple[NamedField, ...]


@dataclass(frozen=True, slots=True)
class NamedType:
    """The type that a template has in one place; ``title`` names the template for people."""

    name: str
    title: str
    template: Template
    form: NamedForm


@dataclass(frozen=True, slots=True)
class NamedResolution:
    """A picture resolution with its GraphQL name."""

    source: str
    name: str


@dataclass(frozen=True, slots=True)
class SchemaUnion:
    """The union over the datasets of one schema, for components that admit no other."""

    schema: str
    name: str
    members: tuple[NamedType, ...]
    used_for: tuple[str, ...]
    """Which of ``DatasetField`` and ``DatasetIndexField`` are bound to the schema somewhere."""

    def bound_types(self, field_type: str) -> tuple[str, str]:
        """Name the field's and the value's type that take the place of ``field_type`` and its value."""
        of_field, of_value = _BOUND_SUFFIXES[field_type]
        return self.name + of_field, self.name + of_value


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedModel:
    """Everything that has a name in the schema of a project, each group in order of its names."""

    pages: tuple[NamedType, ...]
    sections: tuple[NamedType, ...]
    links: tuple[NamedType, ...]
    datasets: tuple[NamedType, ...]
    gca_pages: tuple[NamedType, ...]
    cards: tuple[NamedType, ...]
    unions: tuple[SchemaUnion, ...]
    resolutions: tuple[NamedResolution, ...]
    settings: NamedForm | None
    metadata: NamedForm | None
    collisions: tuple[Collision, ...]
    skipped: tuple[SkippedName, ...]
    warnings: tuple[Finding, ...]

    @property
    def forms(self) -> tuple[NamedForm, ...]:
        """Every form type once; forms without fields have none."""
        own = (named.form for named in chain(self.pages, self.sections, self.links, self.datasets))
        chosen = (form for form in (self.settings, self.metadata) if form)
        return tuple(form for form in chain(own, chosen) if form.fields)


def name_model(model: ContentModel) -> NamedModel:
    """Decide all names.

    Raises:
        EmissionError: two templates of one kind have one uid.
    """
    index = TemplateIndex(model)
    book = NameBook(RESERVED_NAMES)
    services = index.services()
    names = {
        (service.place, service.ref): book.claim(service.wanted_name, service.origin, derived=service.derived_suffixes)
        for service in services
    }
    metadata_name = _metadata_name(model, book)
    forms = _FormNamer(index, book, model.languages)
    form_of = {
        service.ref: forms.form(service.template, names[service.place, service.ref] + FORM_DATA)
        for service in services
        if service.place in OWN_PLACES
    }
    groups: dict[Place, list[NamedType]] = {}
    for service in services:
        form = form_of[service.ref]
        named = NamedType(names[service.place, service.ref], form.title, service.template, form)
        groups.setdefault(service.place, []).append(named)
    resolutions = _name_resolutions(model, forms)
    return NamedModel(
        pages=_sorted(groups.get("page", ())),
        sections=_sorted(groups.get("section", ())),
        links=_sorted(groups.get("link", ())),
        datasets=_sorted(groups.get("table", ())),
        gca_pages=_sorted(groups.get("gca", ())),
        cards=_sorted(groups.get("card", ())),
        unions=forms.unions(_sorted(groups.get("table", ()))),
        resolutions=resolutions,
        settings=_chosen(index, forms, model.settings_template, SETTINGS_FORM),
        metadata=_chosen(index, forms, model.metadata_template, metadata_name),
        collisions=(*book.collisions, *forms.collisions),
        skipped=tuple(forms.skipped),
        warnings=(*index.findings(), *forms.warnings),
    )


def _sorted(types: Iterable[NamedType]) -> tuple[NamedType, ...]:
    return tuple(sorted(types, key=lambda named: named.name))


def _metadata_name(model: ContentModel, book: NameBook) -> str:
    uid = model.metadata_template
    return "" if uid is None else book.claim(type_name(uid, _META_FORM), f"the metadata of page template {uid!r}")


def _chosen(index: TemplateIndex, forms: "_FormNamer", uid: str | None, name: str) -> NamedForm | None:
    template = None if uid is None else index.page(uid)
    return None if template is None else forms.form(template, name)


def _name_resolutions(model: ContentModel, forms: "_FormNamer") -> tuple[NamedResolution, ...]:
    sources = {_ORIGINAL, *(resolution.name for resolution in model.resolutions)}
    names = forms.name_fields(sources, "the picture resolutions")
    return tuple(NamedResolution(source, name) for source, name in names.items())


class _FormNamer:
    """Names the fields of forms; collects what there is to report."""

    def __init__(self, index: TemplateIndex, book: NameBook, languages: Sequence[Language]) -> None:
        self._index = index
        self._languages = languages
        self._fields: dict[TemplateRef, tuple[NamedField, ...]] = {}
        self._used: dict[str, set[str]] = {}
        for template in index.templates:
            for form_field in template.fields:
                if (schema := index.bound_schema(form_field)) is not None:
                    self._used.setdefault(schema, set()).add(component_type(form_field))
        suffixes = tuple(chain.from_iterable(_BOUND_SUFFIXES.values()))
        self._union_names = {
            schema: book.claim(type_name(schema, "Dataset"), f"the union of schema {schema!r}", derived=suffixes)
            for schema in sorted(self._used)
        }
        self.collisions: list[Collision] = []
        self.skipped: list[SkippedName] = []
        self.warnings: list[Finding] = []

    def form(self, template: Template, name: str) -> NamedForm:
        """Name a template's form; its fields are named once, under whichever types they appear."""
        ref = TemplateRef(template.kind.value, template.uid)
        if ref not in self._fields:
            self._fields[ref] = self._named_fields(template)
        return NamedForm(name, describe_template(template, self._languages), template, self._fields[ref])

    def unions(self, datasets: tuple[NamedType, ...]) -> tuple[SchemaUnion, ...]:
        """List the unions over the datasets of one schema that some field is bound to."""
        return tuple(
            SchemaUnion(
                schema=schema,
                name=name,
                members=tuple(named for named in datasets if table_of(named.template).schema == schema),
                used_for=tuple(sorted(self._used[schema])),
            )
            for schema, name in self._union_names.items()
        )

    def name_fields(self, sources: Iterable[str], origin: str) -> dict[str, str]:
        """Map original names to GraphQL names, in order of the latter; legal names always keep theirs."""
        book = NameBook()
        names: dict[str, str] = {}
        for source in sorted(sources, key=lambda source: (field_name(source) != source, source)):
            if "." in source:
                self.skipped.append(SkippedName(origin, source, "a name with a dot cannot be mapped"))
            else:
                names[source] = book.claim(field_name(source), f"{origin}, field {source!r}")
        self.collisions.extend(book.collisions)
        return dict(sorted(names.items(), key=lambda item: item[1]))

    def _named_fields(self, template: Template) -> tuple[NamedField, ...]:
        origin = f"{template.kind.value} template {template.uid!r}"
        fields: dict[str, FormField] = {}
        for form_field in template.fields:
            if form_field.name in fields:
                message = f"{origin} has two fields {form_field.name!r}; the first one counts"
                self.warnings.append(Finding("warning", message, template.source))
            fields.setdefault(form_field.name, form_field)
        return tuple(
            NamedField(fields[source], name, self._type_of(fields[source]))
            for source, name in self.name_fields(fields, origin).items()
        )

    def _type_of(self, form_field: FormField) -> str:
        shared = component_type(form_field)
        schema = self._index.bound_schema(form_field)
        return shared if schema is None else self._union_names[schema] + _BOUND_SUFFIXES[shared][0]
