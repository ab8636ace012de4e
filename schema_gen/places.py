"""Where templates serve: as pages, sections, links, tables, GCA pages and cards, and which types that takes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal, TypeAlias

from schema_gen.components import component_type
from schema_gen.errors import EmissionError
from schema_gen.model import ContentModel, Finding, FormField, Template, TemplateKind, TemplateRef
from schema_gen.naming import FORM_DATA, type_name

__all__ = ["OWN_PLACES", "Place", "Service", "Table", "TemplateIndex", "table_of"]

Place: TypeAlias = Literal["page", "section", "link", "table", "gca", "card"]

OWN_PLACES: Final[tuple[Place, ...]] = ("page", "section", "link", "table")
"""The places in which a template's form type is named; GCA pages and cards use that same type."""

_SUFFIXES: Final[Mapping[Place, str]] = {
    "page": "Page",
    "section": "Section",
    "link": "Link",
    "table": "Dataset",
    "gca": "GCAPage",
    "card": "Card",
}
_PLACE_ORDER: Final[Mapping[Place, int]] = {place: number for number, place in enumerate(_SUFFIXES)}


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """A table of a database schema, as datasets name it."""

    schema: str
    entity_type: str


def table_of(template: Template) -> Table:
    """Tell the table of a table template; where the export is silent, the uid's two halves stand in."""
    before, _, after = template.uid.partition(".")
    return Table(template.schema or before, template.entity_type or after or template.uid)


@dataclass(frozen=True, slots=True)
class Service:
    """One template in one place: a type of the schema."""

    place: Place
    template: Template

    @property
    def ref(self) -> TemplateRef:
        """The template's kind and uid."""
        return TemplateRef(self.template.kind.value, self.template.uid)

    @property
    def wanted_name(self) -> str:
        """The name that the type has unless another holds it."""
        if self.place == "table":
            table = table_of(self.template)
            return type_name(f"{table.schema}_{table.entity_type}", _SUFFIXES["table"])
        return type_name(self.template.uid, _SUFFIXES[self.place])

    @property
    def derived_suffixes(self) -> tuple[str, ...]:
        """Suffixes of the types that take their name from this one."""
        return (FORM_DATA,) if self.place in OWN_PLACES else ()

    @property
    def origin(self) -> str:
        """The template, for messages."""
        use = {"gca": " (GCA pages)", "card": " (cards)"}.get(self.place, "")
        return f"{self.template.kind.value} template {self.template.uid!r}{use}"

    @property
    def order(self) -> tuple[str, str, int]:
        """The order in which names are given away: by uid, then kind, then place."""
        return self.template.uid, self.template.kind.value, _PLACE_ORDER[self.place]


class TemplateIndex:
    """The templates of a model by kind and uid, with the questions that go across templates.

    Raises:
        EmissionError: two templates of one kind have one uid.
    """

    def __init__(self, model: ContentModel) -> None:
        self._model = model
        self._templates: dict[TemplateRef, Template] = {}
        groups: Iterable[tuple[TemplateKind, tuple[Template, ...]]] = (
            (TemplateKind.PAGE, model.page_templates),
            (TemplateKind.SECTION, model.section_templates),
            (TemplateKind.LINK, model.link_templates),
            (TemplateKind.TABLE, model.table_templates),
        )
        for kind, templates in groups:
            for template in sorted(templates, key=lambda template: template.uid):
                self._add(TemplateRef(kind.value, template.uid), template)

    def _add(self, ref: TemplateRef, template: Template) -> None:
        if ref in self._templates:
            raise EmissionError(
                f"Two {ref.kind} templates have the uid {ref.uid!r}.",
                details={"sources": [self._templates[ref].source, template.source]},
                hint="Give one of them another uid; their documents could not be told apart.",
            )
        self._templates[ref] = template

    @property
    def templates(self) -> tuple[Template, ...]:
        """All templates, each once."""
        return tuple(self._templates.values())

    def page(self, uid: str) -> Template | None:
        """Find a page template, which is also what forms of settings and metadata are."""
        return self._templates.get(TemplateRef("page", uid))

    def services(self) -> list[Service]:
        """List every type that the schema needs for templates, in the order in which names are given away."""
        own = (Service(_own_place(ref), template) for ref, template in self._templates.items())
        gca = (Service("gca", template) for uid in set(self._model.gca_templates) if (template := self.page(uid)))
        cards = (Service("card", self._templates[ref]) for ref in self._card_refs() if ref in self._templates)
        return sorted(chain(own, gca, cards), key=lambda service: service.order)

    def bound_schema(self, form_field: FormField) -> str | None:
        """Tell the one schema that a dataset field's table templates belong to; ``None`` if there is no such."""
        if component_type(form_field) not in {"DatasetField", "DatasetIndexField"}:
            return None
        tables = [self._templates.get(ref) if ref.kind == "table" else None for ref in form_field.templates]
        schemas = {table_of(template).schema if template else None for template in tables}
        return schemas.pop() if len(schemas) == 1 else None

    def findings(self) -> Iterator[Finding]:
        """Report what the model names and does not contain, and what it cannot know."""
        missing = "is not among the page templates; export it too"
        for uid, use in (
            (self._model.settings_template, "the project settings stay JSON"),
            (self._model.metadata_template, "metadata stays a plain document"),
        ):
            if uid is not None and self.page(uid) is None:
                yield Finding("warning", f"the template {uid!r} {missing}, or {use}")
        for uid in sorted(set(self._model.gca_templates)):
            if self.page(uid) is None:
                yield Finding("warning", f"the GCA page template {uid!r} {missing}, or its pages stay untyped")

    def _card_refs(self) -> set[TemplateRef]:
        fields = (form_field for template in self.templates for form_field in template.fields)
        catalogs = [form_field for form_field in fields if form_field.component == "FS_CATALOG"]
        if all(catalog.templates for catalog in catalogs):
            return {ref for catalog in catalogs for ref in catalog.templates}
        # A catalog that names no template admits sections and links of any.
        return {ref for ref in self._templates if ref.kind in {"section", "link"}}


def _own_place(ref: TemplateRef) -> Place:
    return ref.kind
