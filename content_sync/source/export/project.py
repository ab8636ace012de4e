"""What all documents of an export have in common: its templates, languages and settings, and where it will answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from content_core.names import content_collection
from content_sync.model import State
from content_sync.source.errors import SourceError
from content_sync.source.export.templates import TemplateIndex
from content_sync.source.skips import SkipLog
from schema_gen.export.beans import bean_fields, find_beans, flag
from schema_gen.export.discovery import discover_templates
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import ExportFiles, ReadLimits, find_root
from schema_gen.export.project import read_languages, read_project, read_resolutions
from schema_gen.export.templates import PageTemplates, read_templates
from schema_gen.export.usage import find_settings_template
from schema_gen.model import Language, Resolution, Template, TemplateKind

__all__ = ["Address", "Project", "locale_of", "read_project_facts"]

_PROJECT: Final = "Global/Project/Project.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the documents of the project will answer, as far as that is known.

    Attributes:
        base: the server's base URL, without a slash at its end.
        tenant: the tenant.
        project: the project's GID.
    """

    base: str = ""
    tenant: str = ""
    project: str = ""

    def document(self, document_id: str, state: State) -> str:
        """The URL of a document; empty where the address is not known."""
        if not (self.base and self.tenant and self.project):
            return ""
        return f"{self.base}/{self.tenant}/{content_collection(self.project, state)}/{document_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Everything that the documents of an export share.

    Attributes:
        root: the export's directory.
        files: reads below it.
        findings: what reading met; more is added while it goes on.
        skips: hears of what is left out.
        templates: all templates.
        languages: those that documents are made in.
        master: the project's master language.
        resolutions: those that pictures list.
        settings_template: the form of the project settings, if there is one.
        metadata_template: the form of all metadata, if there is one.
        uses_release: whether the project knows a release state.
        address: where its documents will answer.
        state: the state that the export holds.
    """

    root: Path
    files: ExportFiles
    findings: FindingLog
    skips: SkipLog
    templates: TemplateIndex
    languages: tuple[Language, ...]
    master: Language
    resolutions: tuple[Resolution, ...]
    settings_template: Template | None
    metadata_template: Template | None
    uses_release: bool
    address: Address
    state: State

    @property
    def abbreviations(self) -> tuple[str, ...]:
        """The abbreviations of the languages that documents are made in."""
        return tuple(language.abbreviation for language in self.languages)


def locale_of(language: Language) -> str:
    """A language's locale, ``en_GB``, or ``en`` without a country."""
    return f"{language.language}_{language.country}" if language.country else language.language


def read_project_facts(
    path: Path, *, state: State, languages: Sequence[str], address: Address, skips: SkipLog, limits: ReadLimits
) -> Project:
    """Read what all documents of an export share.

    Raises:
        NotAnExportError: there is no export at this path.
        SourceError: the languages are not known.
    """
    findings = FindingLog()
    root = find_root(path)
    files = ExportFiles(root, findings=findings, limits=limits)
    templates = read_templates(files, discover_templates(files, findings=findings), findings=findings)
    index = TemplateIndex(files, templates, skips=skips)
    pages = PageTemplates(templates)
    settings = find_settings_template(files, pages, findings=findings)
    project = read_project(files, findings=findings)
    metadata = pages.by_number(project.metadata_template) if project.metadata_template else None
    known = read_languages(files, findings=findings)
    chosen, master = _choose(known, languages)
    facts = Project(
        root=root,
        files=files,
        findings=findings,
        skips=skips,
        templates=index,
        languages=chosen,
        master=master,
        resolutions=read_resolutions(files, findings=findings),
        settings_template=index.by_uid(TemplateKind.PAGE, settings) if settings else None,
        metadata_template=index.by_uid(TemplateKind.PAGE, metadata) if metadata else None,
        uses_release=_uses_release(files),
        address=replace(address, project=address.project or project.identifier or ""),
        state=state,
    )
    for finding in findings.sorted():
        if finding.severity == "error":
            skips.add(finding.path or str(root), finding.message, line=finding.line)
    return facts


def _choose(known: tuple[Language, ...], wanted: Sequence[str]) -> tuple[tuple[Language, ...], Language]:
    """The languages of the documents and the master: what is wanted, out of what the project has or as it is given."""
    chosen: list[Language] = []
    for text in wanted:
        abbreviation, given, locale = text.partition("=")
        if given:
            language, _, country = locale.partition("_")
            if not abbreviation or not language:
                raise SourceError(f"'{text}' is no language", hint="write EN, or EN=en_GB where the export has none")
            chosen.append(Language(abbreviation, language, country))
            continue
        found = [each for each in known if text in {each.abbreviation, locale_of(each)}]
        if not found:
            names = ", ".join(each.abbreviation for each in known) or "none"
            raise SourceError(
                f"the project generates no language '{text}'; it has {names}",
                hint="write EN=en_GB to say what a language is",
            )
        chosen += found
    languages = tuple(dict.fromkeys(chosen)) or known
    if not languages:
        raise SourceError(
            "the export does not tell which languages the project generates",
            hint="export the project settings (Global/Project/Languages.xml), or name the languages: EN=en_GB",
        )
    locales = [locale_of(each) for each in languages]
    if len(set(locales)) < len(locales):
        raise SourceError("two languages have the same locale, so their documents would overwrite each other")
    return languages, next((each for each in known if each.master), languages[0])


def _uses_release(files: ExportFiles) -> bool:
    try:
        root = files.read_xml(_PROJECT)
    except BrokenFileError:  # reported by the reader of the project's name
        return True
    bean = next(find_beans(root, "ProjectDTO"), None) if root is not None else None
    return bean is None or flag(bean_fields(bean).get("m_useRelease"), default=True)
