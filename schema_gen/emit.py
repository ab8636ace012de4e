"""From the content model to application definitions: one per state, equal but for where their documents lie."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from content_core.documents import Document
from content_core.errors import IllegalNameError
from content_core.names import STATES, AppKey, State, content_collection, generated_app
from schema_gen.descriptions import tidy
from schema_gen.emit_types import print_types
from schema_gen.errors import EmissionError
from schema_gen.mappings import Source, emit_mappings
from schema_gen.model import ContentModel
from schema_gen.named import name_model
from schema_gen.report import EmissionReport, report_emission

__all__ = ["Emission", "emit_definitions", "render_definition"]

_LARGEST: Final = 15 * 1024 * 1024
"""A document in MongoDB ends at 16 MiB; BSON needs a little more room than JSON."""


@dataclass(frozen=True, slots=True)
class Emission:
    """What the generator makes of a content model.

    Attributes:
        definitions: the application definitions by state, plain JSON, ready to be stored.
        sdl: their schema, which is the same in all states.
        report: what there is to say about it.
    """

    definitions: Mapping[State, Document]
    sdl: str
    report: EmissionReport


def emit_definitions(model: ContentModel, *, tenant: str, project: str, states: Sequence[State] = STATES) -> Emission:
    """Emit a project's application definitions; equal models give equal bytes.

    Args:
        model: the project's templates.
        tenant: the tenant, whose database the definitions read.
        project: the project's GID, the first part of the names of its collections.
        states: the states to emit a definition for.

    Raises:
        EmissionError: the model has no definite schema, or the definition would be too large to be stored.
    """
    named = name_model(model)
    printed = print_types(named)
    definitions: dict[State, Document] = {}
    for state in states:
        key = _key(tenant, project, state)
        source = Source(database=tenant, collection=content_collection(project, state))
        definitions[state] = {
            "_id": key.document_id,
            "descriptor": {
                "uri": key.uri,
                "description": f"{tidy(model.project_name) or project}, {state}: generated from its templates",
                "enabled": True,
            },
            "schema": printed.sdl,
            "mappings": emit_mappings(named, source, types=printed.types),
        }
        _check_size(definitions[state])
    return Emission(definitions, printed.sdl, report_emission(named, types=len(printed.types)))


def render_definition(definition: Document) -> bytes:
    """Write a definition as JSON, always the same bytes for the same definition."""
    return json.dumps(definition, ensure_ascii=False, indent=2).encode() + b"\n"


def _key(tenant: str, project: str, state: State) -> AppKey:
    key = AppKey(tenant, generated_app(project, state))
    try:
        spellings = {AppKey.parse(key.document_id), AppKey.parse(key.uri)}
    except IllegalNameError:
        spellings = set()
    if not project or spellings != {key}:
        raise EmissionError(
            f"The tenant {tenant!r} and the project {project!r} make no name for an application.",
            hint="A tenant is a database name without '___'; a project is named by its GID.",
        )
    return key


def _check_size(definition: Document) -> None:
    size = len(json.dumps(definition, ensure_ascii=False).encode())
    if size > _LARGEST:
        raise EmissionError(
            f"The definition of {definition['_id']} has {size} bytes; MongoDB stores at most 16 MiB in one document.",
            details={"bytes": size, "limit": _LARGEST},
            hint="Leave out templates that no content uses.",
        )
