"""The reading of an export as a whole: each part read by its module, put together into one content model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schema_gen.export.crosschecks import check_templates
from schema_gen.export.discovery import discover_templates
from schema_gen.export.findings import FindingLog
from schema_gen.export.layout import TEMPLATE_STORE, ExportFiles, ReadLimits, find_root
from schema_gen.export.project import read_languages, read_project, read_resolutions
from schema_gen.export.templates import PageTemplates, ReadTemplate, read_templates
from schema_gen.export.usage import find_gca_templates, find_settings_template
from schema_gen.model import ContentModel, Finding, Template, TemplateKind

__all__ = ["ExportReading", "read_export"]

_DEFAULT_LIMITS: Final = ReadLimits()


@dataclass(frozen=True, slots=True)
class ExportReading:
    """What an export says.

    Attributes:
        model: the content model, of everything that could be read.
        findings: what a person should know, errors first; with an error among them the model is incomplete.
    """

    model: ContentModel
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those findings because of which something was left out."""
        return tuple(finding for finding in self.findings if finding.severity == "error")


def read_export(root: Path, *, limits: ReadLimits = _DEFAULT_LIMITS) -> ExportReading:
    """Read a FirstSpirit project export in External Sync format.

    The same export gives the same reading, in whatever order the file system lists it.

    Args:
        root: the directory that holds ``TemplateStore``, or whose only sub-directory with one does.
        limits: what one file may cost.

    Raises:
        NotAnExportError: there is no export at this path.
    """
    findings = FindingLog()
    files = ExportFiles(find_root(root), findings=findings, limits=limits)
    discovery = discover_templates(files, findings=findings)
    templates = read_templates(files, discovery, findings=findings)
    if not discovery.templates:
        message = "no page, section, link or table template could be read, so there is nothing to build a schema from"
        findings.error(f"{message}; export the templates of the project", path=TEMPLATE_STORE)
    check_templates(templates, discovery, findings=findings)
    model = _model(files, templates, findings=findings)
    return ExportReading(model, findings.sorted())


def _model(files: ExportFiles, templates: tuple[ReadTemplate, ...], *, findings: FindingLog) -> ContentModel:
    pages = PageTemplates(templates)
    project = read_project(files, findings=findings)
    metadata_template = pages.by_number(project.metadata_template) if project.metadata_template else None
    if project.metadata_template and metadata_template is None:
        findings.warning(
            f"the metadata template with the id {project.metadata_template} is not in the export or broken, so "
            "metadata stays untyped; export that template too",
            path="Global/Project/Project.xml",
        )
    gca_templates, gca_known = find_gca_templates(files, pages, findings=findings)
    return ContentModel(
        page_templates=_of_kind(templates, TemplateKind.PAGE),
        section_templates=_of_kind(templates, TemplateKind.SECTION),
        link_templates=_of_kind(templates, TemplateKind.LINK),
        table_templates=_of_kind(templates, TemplateKind.TABLE),
        languages=read_languages(files, findings=findings),
        resolutions=read_resolutions(files, findings=findings),
        project=project.identifier,
        project_name=project.name,
        settings_template=find_settings_template(files, pages, findings=findings),
        metadata_template=metadata_template,
        gca_templates=gca_templates,
        gca_known=gca_known,
    )


def _of_kind(templates: tuple[ReadTemplate, ...], kind: TemplateKind) -> tuple[Template, ...]:
    return tuple(read.template for read in templates if read.template.kind is kind)
