"""The mappings of a generated application: root queries, resolved references, renamed fields, type resolvers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from content_core.documents import Document
from schema_gen.named import NamedModel, NamedType
from schema_gen.places import table_of
from schema_gen.predicates import (
    Resolver,
    card_resolver,
    dataset_resolver,
    kind_resolver,
    reference_resolver,
    routed_resolver,
)
from schema_gen.predicates import field_equals as equals
from schema_gen.root_fields import COLLECTION_FIELDS, LOOKUP_FIELDS, ROUTE_FIELD

__all__ = ["Source", "dataset_condition", "emit_mappings"]

_PAGE = "PageRef"
_MEDIA = "Media"
_DATASET = "Dataset"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the documents of one state lie."""

    database: str
    collection: str

    def _query(self, find: Document, **rest: Any) -> Document:
        return {"db": self.database, "collection": self.collection, "find": find, **rest}

    def listing(self, condition: Document) -> Document:
        """Map a collection field; the client's filter narrows the condition and cannot widen it."""
        return self._query(
            {"$and": [condition, {"$arg": ["filter", {}]}]},
            sort={"$arg": ["sort", {"_id": 1}]},
            skip={"$arg": "skip"},
            limit={"$arg": "limit"},
        )

    def lookup(self, fs_type: str) -> Document:
        """Map a field that gives one document by its ``_id``."""
        return self._query({"fsType": fs_type, "_id": {"$arg": "id"}}, limit=1)

    def by_route(self) -> Document:
        """Map the field that gives the document behind an address."""
        places = [{path: {"$arg": "route"}} for path in ("route", "routes.route")]
        return self._query(
            {"fsType": {"$in": [_PAGE, _DATASET]}, "$or": places},
            sort={"_id": 1},
            limit=1,
        )

    def reference(self, path: str, *fs_types: str) -> Document:
        """Map a place that holds the GID of a document: same state, language of the root document."""
        fs_type = {"$in": list(fs_types)} if len(fs_types) > 1 else fs_types[0]
        return self._query(
            {"identifier": {"$fk": path}, "fsType": fs_type, **_root_locale()}, limit=1, dataLoader=_loader()
        )

    def projection(self) -> Document:
        """Map the datasets of a content projection; FirstSpirit's own queries cannot be evaluated."""
        return self._query(
            {"fsType": _DATASET, "schema": {"$fk": "schema"}, "entityType": {"$fk": "entityType"}, **_root_locale()},
            sort={"_id": 1},
            skip={"$arg": "skip"},
            limit={"$arg": "limit"},
            dataLoader=_loader(),
        )


def _loader() -> Document:
    return {"batching": True, "caching": True, "maxBatchSize": 100}


def _root_locale() -> Document:
    """Ask for the language of the root document, however far away it is; there is no other language to fall back to."""
    return {
        "locale.language": {"$arg": ["rootDoc.locale.language", None]},
        "locale.country": {"$arg": ["rootDoc.locale.country", None]},
    }


def emit_mappings(named: NamedModel, source: Source, *, types: Collection[str]) -> Document:
    """Make all mappings, sorted by type.

    Args:
        named: the project with its names.
        source: where its documents lie.
        types: the types that the schema has; shared types that the project does not need have no mapping.
    """
    mappings: dict[str, Document] = {
        "Query": _root_fields(named, source),
        "Content2Section": {"datasets": source.projection()},
        "ImageMap": {"resolvedMedia": source.reference("media.identifier", _MEDIA)},
        "OptionListField": {"raw": "value"},
        "PermissionField": {"raw": "value"},
        "ReferenceField": {"value": source.reference("value.identifier", _PAGE, _MEDIA), "reference": "value"},
        **_dataset_values(named, source),
        **_renamings(named),
        **{name: {"$typeResolver": resolver} for name, resolver in _resolvers(named).items()},
    }
    return {name: mappings[name] for name in sorted(mappings) if name in types}


def dataset_condition(named: NamedType, all_types: Sequence[NamedType]) -> Document:
    """Select the datasets of one type."""
    table = table_of(named.template)
    condition = {"fsType": _DATASET, "schema": table.schema, "entityType": table.entity_type}
    if sum(table_of(other.template) == table for other in all_types) > 1:
        condition["template.uid"] = named.template.uid
    return condition


def _root_fields(named: NamedModel, source: Source) -> Document:
    listings: dict[str, Document] = {field.name: {"fsType": field.fs_type} for field in COLLECTION_FIELDS}
    for page in named.pages:
        listings[f"pageRefs_{page.name}"] = {"fsType": _PAGE, "page.template.uid": page.template.uid}
    for dataset in named.datasets:
        listings[f"datasets_{dataset.name}"] = dataset_condition(dataset, named.datasets)
    for page in named.gca_pages:
        listings[f"gcaPages_{page.name}"] = {"fsType": "GCAPage", "template.uid": page.template.uid}
    return {
        **{name: source.listing(condition) for name, condition in listings.items()},
        **{field.name: source.lookup(field.fs_type) for field in LOOKUP_FIELDS},
        ROUTE_FIELD: source.by_route(),
    }


def _dataset_values(named: NamedModel, source: Source) -> dict[str, Document]:
    """Map the resolved datasets of the shared value types and of those bound to one schema."""
    value_types = [("DatasetFieldValue", "DatasetField"), ("DatasetIndexRecord", "DatasetIndexField")]
    for union in named.unions:
        value_types += [(union.bound_types(field_type)[1], field_type) for field_type in union.used_for]
    return {value_type: _dataset_value(source, field_type) for value_type, field_type in value_types}


def _dataset_value(source: Source, field_type: str) -> Document:
    if field_type == "DatasetField":
        return {"target": source.reference("target.identifier", _DATASET), "reference": "target"}
    return {"value": source.reference("value.target.identifier", _DATASET), "reference": "value.target"}


def _renamings(named: NamedModel) -> dict[str, Document]:
    """Map the fields whose original names are no GraphQL names."""
    renamings = {form.name: {field.name: field.source.name for field in form.fields} for form in named.forms}
    renamings["ResolutionsMetaData"] = {resolution.name: resolution.source for resolution in named.resolutions}
    changed = {
        type_name: {name: source for name, source in fields.items() if name != source}
        for type_name, fields in renamings.items()
    }
    return {type_name: fields for type_name, fields in changed.items() if fields}


def _resolvers(named: NamedModel) -> dict[str, Resolver]:
    projection = {"Content2Section": equals("fsType", "Content2Section")}
    datasets = named.datasets
    return {
        "Page": kind_resolver(named.pages, unknown="UnknownPage"),
        "GCAPage": kind_resolver(named.gca_pages, unknown="UnknownGCAPage"),
        "BodyContent": kind_resolver(named.sections, unknown="UnknownSection", except_for=projection),
        "Link": kind_resolver(named.links, unknown="UnknownLink"),
        "CatalogCard": card_resolver(named.cards, unknown="UnknownCard"),
        "Dataset": dataset_resolver(datasets, unknown="UnknownDataset", all_types=datasets),
        "Routed": routed_resolver(datasets, unknown="UnknownDataset"),
        "ReferenceTarget": reference_resolver(),
        **{
            union.name: dataset_resolver(union.members, unknown="UnknownDataset", all_types=datasets)
            for union in named.unions
        },
    }
