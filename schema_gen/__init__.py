"""From the export of a FirstSpirit project to its GraphQL application definitions.

``read_export`` reads templates into a :class:`ContentModel`, ``emit_definitions`` makes definitions of it,
``compare_definitions`` tells what a definition changes for the clients of a deployed one.
"""

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
