"""The content model: what a project's templates say, as plain values.

Nothing here knows files, XML or GraphQL. The reader (``schema_gen.export``) makes a :class:`ContentModel`, the emitter
(``schema_gen.emit``) turns it into application definitions.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

__all__ = [
    "ContentModel",
    "Finding",
    "FormField",
    "Language",
    "Resolution",
    "Template",
    "TemplateKind",
    "TemplateRef",
]


class TemplateKind(Enum):
    """The kinds of template that documents are made from; uids are unique per kind only."""

    PAGE = "page"
    SECTION = "section"
    LINK = "link"
    TABLE = "table"


@dataclass(frozen=True, slots=True, order=True)
class TemplateRef:
    """A template named by a form: its kind and uid; it need not exist in the export."""

    kind: Literal["page", "section", "link", "table"]
    uid: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One input component of a form.

    Attributes:
        name: the key in ``formData``, exactly as written in the form.
        component: the GOM tag, which is the field's ``fsType`` in documents (``CMS_INPUT_TEXT``, ``FS_INDEX``, …).
        language_dependent: whether each language has its own value; no effect on types.
        label: the label for all languages (``*``), or the first; empty without one. Becomes the description.
        description: the longer text of the label; may be empty.
        plugin: for ``FS_INDEX`` the data access plugin's name, else ``None``.
        templates: the templates that the form admits: cards of ``FS_CATALOG``, link templates of ``CMS_INPUT_LINK``,
            ``CMS_INPUT_IMAGEMAP`` and rich text, table templates of ``FS_INDEX``; empty = any.
    """

    name: str
    component: str
    language_dependent: bool = True
    label: str = ""
    description: str = ""
    plugin: str | None = None
    templates: tuple[TemplateRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """One template with its form.

    Attributes:
        kind: page, section, link or table.
        uid: the reference name; documents carry it as ``template.uid``.
        identifier: the GID, or ``None`` where the export does not tell.
        display_names: pairs of language abbreviation and name, sorted by abbreviation.
        fields: in form order, names unique.
        bodies: page templates only: the names of the bodies in template order.
        hidden: not offered to editors; still part of the model.
        schema: table templates only: the database schema's uid.
        entity_type: table templates only: the table's name.
        source: where it was read, relative to the export root, for messages.
    """

    kind: TemplateKind
    uid: str
    identifier: str | None = None
    display_names: tuple[tuple[str, str], ...] = ()
    fields: tuple[FormField, ...] = ()
    bodies: tuple[str, ...] = ()
    hidden: bool = False
    schema: str | None = None
    entity_type: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Language:
    """A generated language of the project: ``EN`` is ``en_GB``, say."""

    abbreviation: str
    language: str
    country: str
    master: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """A picture resolution; width and height 0 = as the original."""

    name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class ContentModel:
    """A whole project, sorted by uid (languages and resolutions in project order).

    Attributes:
        project: the project's GID where the export says so, else ``None``.
        project_name: the project's name, or empty.
        resolutions: those that documents list: with the CaaS tag if any has it, else all; ``ORIGINAL`` included.
        settings_template: uid of the page template that is the form of the project properties, or ``None``.
        metadata_template: uid of the page template that gives every ``metaFormData``, or ``None``.
        gca_templates: uids of the page templates that GCA pages use.
        gca_known: ``False`` where the export cannot tell (then ``gca_templates`` is every page template).
        derived: the model was scanned from documents rather than read from templates.
    """

    page_templates: tuple[Template, ...] = ()
    section_templates: tuple[Template, ...] = ()
    link_templates: tuple[Template, ...] = ()
    table_templates: tuple[Template, ...] = ()
    languages: tuple[Language, ...] = ()
    resolutions: tuple[Resolution, ...] = (Resolution("ORIGINAL"),)
    project: str | None = None
    project_name: str = ""
    settings_template: str | None = None
    metadata_template: str | None = None
    gca_templates: tuple[str, ...] = ()
    gca_known: bool = True
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a reader of the report should know.

    Attributes:
        severity: ``warning`` (read tolerantly), or ``error`` (the element was left out; the run fails unless lenient).
        message: what is wrong and what to do, one sentence or two.
        path: the file, relative to the export root; empty for the export as a whole.
        line: 1-based line in that file, or ``None`` where a line makes no sense.
    """

    severity: Literal["warning", "error"]
    message: str
    path: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{self.severity}: {place}: {self.message}" if place else f"{self.severity}: {self.message}"
