"""From the export of a FirstSpirit project to its GraphQL application definitions.

``read_export`` reads templates into a :class:`ContentModel`, ``emit_definitions`` makes definitions of it,
``compare_definitions`` tells what a definition changes for the clients of a deployed one.

Names are loaded when somebody asks for them: the model is wanted where neither GraphQL nor a generator is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from schema_gen.compare import Comparison, compare_definitions
    from schema_gen.emit import Emission, emit_definitions, render_definition
    from schema_gen.errors import EmissionError, GeneratorError, NotAnExportError
    from schema_gen.export import ExportReading, read_export
    from schema_gen.model import (
        ContentModel,
        Finding,
        FormField,
        Language,
        Resolution,
        Template,
        TemplateKind,
        TemplateRef,
    )
    from schema_gen.naming import Collision, SkippedName
    from schema_gen.report import EmissionReport, NameConflict

__all__ = [
    "Collision",
    "Comparison",
    "ContentModel",
    "Emission",
    "EmissionError",
    "EmissionReport",
    "ExportReading",
    "Finding",
    "FormField",
    "GeneratorError",
    "Language",
    "NameConflict",
    "NotAnExportError",
    "Resolution",
    "SkippedName",
    "Template",
    "TemplateKind",
    "TemplateRef",
    "compare_definitions",
    "emit_definitions",
    "read_export",
    "render_definition",
]

_HOMES: Final = {
    "schema_gen.compare": ("Comparison", "compare_definitions"),
    "schema_gen.emit": ("Emission", "emit_definitions", "render_definition"),
    "schema_gen.errors": ("EmissionError", "GeneratorError", "NotAnExportError"),
    "schema_gen.export": ("ExportReading", "read_export"),
    "schema_gen.model": (
        "ContentModel", "Finding", "FormField", "Language", "Resolution", "Template", "TemplateKind", "TemplateRef",
    ),
    "schema_gen.naming": ("Collision", "SkippedName"),
    "schema_gen.report": ("EmissionReport", "NameConflict"),
}  # fmt: skip
"""Module → the names that it has."""


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
