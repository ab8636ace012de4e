"""What the generator has to say about one emission: counts, names that are not as expected, and names that conflict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from schema_gen.components import component_type, value_shape
from schema_gen.model import Finding, Template
from schema_gen.named import NamedModel, NamedType
from schema_gen.naming import Collision, SkippedName

__all__ = ["EmissionReport", "NameConflict", "report_emission"]


@dataclass(frozen=True, slots=True)
class NameConflict:
    """One field name with different values in forms that a query can ask for side by side.

    A query that selects both under the same response name is refused; the client has to give one of them an alias.

    Attributes:
        place: the interface or union where the forms meet.
        field: the field's GraphQL name.
        uses: pairs of the field's type and the templates that have it.
    """

    place: str
    field: str
    uses: tuple[tuple[str, tuple[str, ...]], ...]

    def __str__(self) -> str:
        uses = "; ".join(f"{type_} in {', '.join(templates)}" for type_, templates in self.uses)
        return f"{self.place}: {self.field} needs an alias where it is selected in both: {uses}"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionReport:
    """The report of one emission.

    Attributes:
        types: how many types the schema has, scalars apart.
        pages: how many of them are page types; the following are counted likewise.
        gca_pages: the GCA page types; templates that come into use later need a new deployment.
        collisions: names that had to change because another holds them.
        skipped: names of the project that have no field.
        conflicts: field names that need an alias in some queries.
        warnings: what else a reader should know.
    """

    types: int
    pages: int
    sections: int
    links: int
    cards: int
    datasets: int
    gca_pages: tuple[str, ...]
    collisions: tuple[Collision, ...]
    skipped: tuple[SkippedName, ...]
    conflicts: tuple[NameConflict, ...]
    warnings: tuple[Finding, ...]

    def lines(self) -> Iterator[str]:
        """Render the report, one fact per line."""
        yield (
            f"{self.types} types: {self.pages} pages, {self.sections} sections, {self.links} links, "
            f"{self.cards} cards, {self.datasets} datasets, {len(self.gca_pages)} GCA pages"
        )
        for title, entries in (
            ("collision", self.collisions),
            ("skipped", self.skipped),
            ("conflict", self.conflicts),
        ):
            for entry in entries:
                yield f"{title}: {entry}"
        yield from map(str, self.warnings)


def report_emission(named: NamedModel, *, types: int) -> EmissionReport:
    """Sum up what naming a project gave."""
    return EmissionReport(
        types=types,
        pages=len(named.pages),
        sections=len(named.sections),
        links=len(named.links),
        cards=len(named.cards),
        datasets=len(named.datasets),
        gca_pages=tuple(page.name for page in named.gca_pages),
        collisions=named.collisions,
        skipped=named.skipped,
        conflicts=tuple(_conflicts(named)),
        warnings=named.warnings,
    )


def _conflicts(named: NamedModel) -> Iterator[NameConflict]:
    yield from _conflicts_in("Page", named.pages)
    yield from _conflicts_in("BodyContent", named.sections)
    yield from _conflicts_in("Link", named.links)
    yield from _conflicts_in("Dataset", named.datasets)
    # Cards of one kind only repeat what is said of sections or links.
    if len({card.template.kind for card in named.cards}) > 1:
        yield from _conflicts_in("CatalogCard", named.cards)


def _conflicts_in(place: str, types: Sequence[NamedType]) -> Iterator[NameConflict]:
    uses: dict[str, dict[str, list[tuple[str, Template]]]] = {}
    for type_ in types:
        for field in type_.form.fields:
            shapes = uses.setdefault(field.name, {})
            shapes.setdefault(value_shape(component_type(field.source)), []).append((field.type_name, type_.template))
    for name in sorted(uses):
        if len(uses[name]) > 1:
            yield NameConflict(place, name, tuple(sorted(_use(entries) for entries in uses[name].values())))


def _use(entries: Sequence[tuple[str, Template]]) -> tuple[str, tuple[str, ...]]:
    """Name the field types that give the same value, and the templates that have them."""
    types = " or ".join(sorted({type_name for type_name, _ in entries}))
    return types, tuple(sorted(f"{template.kind.value} template {template.uid!r}" for _, template in entries))
