"""Project-wide settings of the export: languages, resolutions, the project itself."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from schema_gen.export.beans import bean_fields, find_beans, flag, number, strings, text
from schema_gen.export.findings import BrokenFileError, FindingLog
from schema_gen.export.layout import TEMPLATE_STORE, ExportFiles
from schema_gen.export.markup import XmlElement
from schema_gen.export.references import parse_references
from schema_gen.model import Language, Resolution

__all__ = ["ProjectSettings", "read_languages", "read_project", "read_resolutions"]

_LANGUAGES: Final = "Global/Project/Languages.xml"
_RESOLUTIONS: Final = "Global/Project/Resolutions.xml"
_PROJECT: Final = "Global/Project/Project.xml"
_GLOBAL_REFERENCES: Final = "Global/FS_GlobalReferences.txt"
_ORIGINAL: Final = Resolution("ORIGINAL")
_CAAS_TAG: Final = "caas"
_PLACEHOLDER: Final = "_TARGET_PROJECT_"
_NO_TEMPLATE: Final = frozenset({"", "-1", "0"})
_NAME_DERIVED: Final = 3  # UUID version of the ids that the exporter makes from names


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What the project says of itself.

    Attributes:
        identifier: the project's GID; real exports have a placeholder, which gives ``None``.
        name: empty where the export has a placeholder.
        metadata_template: the numeric id of the page template of the metadata; empty without one.
    """

    identifier: str | None = None
    name: str = ""
    metadata_template: str = ""


def read_project(files: ExportFiles, *, findings: FindingLog) -> ProjectSettings:
    """Read what the project says of itself."""
    identifier = _project_identifier(files, findings=findings)
    root = _read_beans(files, _PROJECT, "the project's name and its metadata template are unknown", findings=findings)
    bean = next(find_beans(root, "ProjectDTO"), None) if root is not None else None
    if bean is None:
        if root is not None:
            findings.warning("no project in it: its name and its metadata template are unknown", path=_PROJECT)
        return ProjectSettings(identifier)
    fields = bean_fields(bean)
    name = text(fields.get("m_name"))
    metadata = text(fields.get("m_metadataTemplateId"))
    return ProjectSettings(
        identifier, "" if name == _PLACEHOLDER else name, "" if metadata in _NO_TEMPLATE else metadata
    )


def read_languages(files: ExportFiles, *, findings: FindingLog) -> tuple[Language, ...]:
    """Read the generated languages, in project order, exactly one of them the master if there are any."""
    root = _read_beans(
        files, _LANGUAGES, f"the languages must be configured{_hint_of_languages(files)}", findings=findings
    )
    if root is None:
        return ()
    languages: dict[str, Language] = {}
    for bean in find_beans(root, "LanguageDTO"):
        fields = bean_fields(bean)
        if flag(fields.get("shouldGenerate"), default=True):
            language = _language(bean, fields, findings=findings)
            if language is not None and _is_new(language, languages, bean, findings=findings):
                languages[language.abbreviation] = language
    if not languages:
        findings.warning(
            "no language is generated, so no document can exist; activate one in the project", path=_LANGUAGES
        )
        return ()
    return _with_one_master(tuple(languages.values()), findings=findings)


def _with_one_master(languages: tuple[Language, ...], *, findings: FindingLog) -> tuple[Language, ...]:
    masters = [language for language in languages if language.master]
    if len(masters) == 1:
        return languages
    problem = "several generated languages are the master" if masters else "no generated language is the master"
    first = (masters or languages)[0]
    findings.warning(f"{problem}; the first one counts: {first.abbreviation}", path=_LANGUAGES)
    return tuple(replace(language, master=language is first) for language in languages)


def _language(bean: XmlElement, fields: dict[str, XmlElement], *, findings: FindingLog) -> Language | None:
    master = flag(fields.get("isMasterLanguage"), default=False)
    abbreviation = text(fields.get("abbreviation"))
    if not abbreviation:
        findings.error(
            "a language without an abbreviation; give it one and export again", path=_LANGUAGES, line=bean.line
        )
        return None
    locale = text(fields.get("locale"))
    if not locale:
        message = f"language {abbreviation!r} has no locale; its abbreviation counts as one without a country"
        findings.warning(message, path=_LANGUAGES, line=bean.line)
        return Language(abbreviation, abbreviation.lower(), "", master)
    language, _, rest = locale.partition("_")
    country, _, variant = rest.partition("_")
    if variant:
        message = f"language {abbreviation!r}: the variant of the locale {locale!r} is dropped"
        findings.warning(message, path=_LANGUAGES, line=bean.line)
    return Language(abbreviation, language, country, master)


def _is_new(language: Language, others: dict[str, Language], bean: XmlElement, *, findings: FindingLog) -> bool:
    if language.abbreviation in others:
        message = f"a second language {language.abbreviation!r}; remove one of the two"
        findings.error(message, path=_LANGUAGES, line=bean.line)
        return False
    for other in others.values():
        if (other.language, other.country) == (language.language, language.country):
            locale = f"{language.language}_{language.country}".rstrip("_")
            findings.error(
                f"the generated languages {other.abbreviation!r} and {language.abbreviation!r} have the same locale "
                f"{locale!r}, so their documents would overwrite each other; change one locale or stop generating it",
                path=_LANGUAGES,
                line=bean.line,
            )
            return False
    return True


def _hint_of_languages(files: ExportFiles) -> str:
    """Name the project's abbreviations, which every ``FS_Info.txt`` lists."""
    try:
        info = files.read_text(f"{TEMPLATE_STORE}/FS_Info.txt") or ""
    except BrokenFileError:
        return ""
    names = [line.partition(":")[0].strip() for line in info.split("\n") if line.startswith("Language_")]
    return f"; the export names {', '.join(sorted(name.removeprefix('Language_') for name in names))}" if names else ""


def read_resolutions(files: ExportFiles, *, findings: FindingLog) -> tuple[Resolution, ...]:
    """Read the resolutions that documents list: the ones with the CaaS tag, else all; the original always."""
    root = _read_beans(files, _RESOLUTIONS, "pictures have their original resolution only", findings=findings)
    if root is None:
        return (_ORIGINAL,)
    resolutions: dict[str, Resolution] = {}
    tagged: set[str] = set()
    for bean in find_beans(root, "ResolutionDTO"):
        fields = bean_fields(bean)
        name = text(fields.get("m_name"))
        if not name or name in resolutions:
            problem = f"a second resolution {name!r}" if name else "a resolution without a name"
            findings.warning(f"{problem}; it was left out", path=_RESOLUTIONS, line=bean.line)
            continue
        width, height = number(fields.get("m_width")), number(fields.get("m_height"))
        resolutions[name] = Resolution(name, max(width or 0, 0), max(height or 0, 0))
        if any(tag.strip().lower() == _CAAS_TAG for tag in strings(fields.get("_tags"))):
            tagged.add(name)
    if not resolutions:
        findings.warning("no resolution in it: pictures have their original resolution only", path=_RESOLUTIONS)
    original = resolutions.get(_ORIGINAL.name)
    kept = [
        resolution for name, resolution in resolutions.items() if not tagged or name in tagged or resolution is original
    ]
    return tuple(kept) if original is not None else (_ORIGINAL, *kept)


def _project_identifier(files: ExportFiles, *, findings: FindingLog) -> str | None:
    try:
        content = files.read_text(_GLOBAL_REFERENCES)
    except BrokenFileError as problem:
        findings.broken(problem)
        return None
    for reference in parse_references(content or "", path=_GLOBAL_REFERENCES).outgoing:
        if reference.section.endswith("-Project") and reference.name != _PLACEHOLDER:
            try:
                identifier = UUID(reference.gid)
            except ValueError:
                continue
            if identifier.version != _NAME_DERIVED:
                return str(identifier)
    return None


def _read_beans(files: ExportFiles, path: str, consequence: str, *, findings: FindingLog) -> XmlElement | None:
    try:
        root = files.read_xml(path)
    except BrokenFileError as problem:
        findings.broken(problem)
        return None
    if root is None:
        findings.warning(f"missing: {consequence}", path=path)
    return root
