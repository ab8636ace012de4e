"""A small export with content, written anew for each test, so that a test can break what it likes."""

import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from content_sync.model import State
from content_sync.source import open_source
from content_sync.source.export import ExportSource

__all__ = ["BASE", "PROJECT", "TENANT", "ExportWriter", "gid_of", "open_export", "read_export"]

BASE = "https://caas.example.org"
TENANT = "acme"
PROJECT = "0b9f7a40-3c2b-4d8e-9a61-7b0c2d9e4f13"

_JAVA = "de.espirit.firstspirit.store.access"
_FORM_OF_PAGE = '<CMS_INPUT_TEXT name="pt_title"/>'
_FORM_OF_SECTION = '<CMS_INPUT_TEXT name="st_text"/>'
_PIXEL = b"\x89PNG not really"

Reference = tuple[str, str, str, str]
"""uid, GID, uid type and class of something that an element refers to."""


def gid_of(*names: str) -> str:
    """The GID that an element of the test export has."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def open_export(root: Path, *, state: State = "preview", **options: Any) -> ExportSource:
    """Open the test export as a source."""
    source = open_source(root, state=state, base=BASE, tenant=TENANT, project=PROJECT, **options)
    assert isinstance(source, ExportSource)
    return source


def read_export(root: Path, *, state: State = "preview", **options: Any) -> dict[str, dict[str, Any]]:
    """All documents of the test export by ``<fsType>/<uid or name>.<language>``."""
    source = open_export(root, state=state, **options)
    return {
        f"{each['fsType']}/{each.get('uid', each.get('name', each['identifier']))}.{each['locale']['identifier']}": each
        for each in source.documents(state)
    }


class ExportWriter:
    """Writes elements of an export below a root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: str, content: str | bytes) -> None:
        """Write one file."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)

    def element(
        self,
        path: str,
        xml: str,
        *,
        uid: str,
        gid: str,
        java: str,
        uid_type: str = "",
        required: Iterable[Reference] = (),
        optional: Iterable[Reference] = (),
        data: Mapping[str, str] | None = None,
    ) -> None:
        """Write an element; ``data`` is field XML by language, ``""`` for all of them."""
        self.file(f"{path}/StoreElement.xml", xml)
        lines = ["[self]", f"uid={uid}", f"gid={gid}", f"uidType={uid_type}", f"class={_JAVA}.{java}", ""]
        for section, references in (("requiredProjectId", required), ("optionalId", optional)):
            lines.append(f"[{section}]")
            for name, target, kind, own in references:
                lines += [f"uid={name}", f"gid={target}", f"uidType={kind}", f"class={_JAVA}.{own}", ""]
        self.file(f"{path}/FS_References.txt", "\n".join(lines))
        for language, fields in (data or {}).items():
            name = f"data.{language}.xml" if language else "data.xml"
            self.file(f"{path}/{name}", f"<?xml version='1.0' encoding='UTF-8'?>\n<FIELDS>{fields}</FIELDS>")

    def template(self, kind: str, uid: str, form: str, *, bodies: Iterable[str] = (), hidden: str = "") -> None:
        """Write a template of a kind: page, section, link or table."""
        store, tag, java, uid_type = {
            "page": ("PageTemplates", "TEMPLATE", "PageTemplateImpl", "TEMPLATESTORE"),
            "section": ("SectionTemplates", "TEMPLATE", "SectionTemplateImpl", "TEMPLATESTORE"),
            "link": ("LinkTemplates", "LINKTEMPLATE", "LinkTemplateImpl", "TEMPLATESTORE_LINKTEMPLATE"),
            "table": ("Schemes/shop", "TABLETEMPLATE", "TableTemplateImpl", "TEMPLATESTORE_SCHEMA"),
        }[kind]
        name = "name" if kind == "link" else "filename"
        entity = f' entitytype="{uid.rpartition(".")[2]}"' if kind == "table" else ""
        inner = "".join(f'<TEMPLATEBODY name="{body}"/>' for body in bodies)
        xml = (
            f'<{tag} {name}="{uid}" id="{kind}-{uid}" templateid="t-{kind}-{uid}" type="{kind}"{entity}{hidden}>'
            f'<LANG displayname="{uid} EN" language="EN"/><LANG displayname="{uid} DE" language="DE"/>{inner}</{tag}>'
        )
        path = f"TemplateStore/{store}/{uid}"
        gid = gid_of("template", kind, uid)
        self.element(path, xml, uid=uid, gid=gid, java=f"templatestore.{java}", uid_type=uid_type)
        self.file(f"{path}/GomSource.xml", f"<CMS_MODULE>{form}</CMS_MODULE>")

    def page(self, uid: str, *, template: str = "story", data: Mapping[str, str] | None = None, **options: Any) -> None:
        """Write a page."""
        self.element(
            f"PageStore/{uid}", f'<PAGE id="p-{uid}" name="{uid}" pagetemplate="t-page-{template}"/>',
            uid=uid, gid=gid_of("page", uid), java="pagestore.PageImpl", uid_type="PAGESTORE", data=data, **options,
        )  # fmt: skip

    def body(self, page: str, name: str, children: str = "") -> None:
        """Write a body of a page, or of a GCA page by its path."""
        path = page if "/" in page else f"PageStore/{page}"
        self.element(
            f"{path}/{name}", f'<BODY id="b-{name}" name="{name}"/>',
            uid=f"{page}~#~{name}", gid=gid_of("body", page, name), java="pagestore.BodyImpl",
        )  # fmt: skip
        if children:
            self.file(f"{path}/{name}/FS_Children.txt", children)

    def section(self, path: str, xml: str, *, data: Mapping[str, str] | None = None, **options: Any) -> None:
        """Write a child of a body; ``path`` is ``<page>/<body>/<name>``, or longer outside of the page store."""
        place = path if path.count("/") > 2 else f"PageStore/{path}"
        java = "pagestore.SectionImpl"
        self.element(place, xml, uid=path, gid=gid_of("section", path), java=java, data=data, **options)

    def page_ref(self, uid: str, page: str, *, folder: str = "", name: str = "") -> None:
        """Write a page reference."""
        shown = f'<LANG displayname="{name}" language="EN"/>' if name else ""
        path = "/".join(part for part in ("SiteStore", folder, uid) if part)
        self.element(
            path, f'<PAGEREF id="r-{uid}" pageref="p-{page}" uniquedescription="{uid}">{shown}</PAGEREF>',
            uid=uid, gid=gid_of("page_ref", uid), java="sitestore.PageRefImpl", uid_type="SITESTORE_LEAF",
        )  # fmt: skip

    def medium(self, uid: str, inner: str, *, kind: str = "pic", files: Mapping[str, bytes], **options: Any) -> None:
        """Write a medium in the folder ``photos``."""
        dependent = options.pop("attributes", "")
        self.element(
            f"MediaStore/photos/{uid}",
            f'<MEDIUM filename="{uid}" id="m-{uid}" type="{kind}" uniquedescription="{uid}"{dependent}>'
            f"{inner}</MEDIUM>",
            uid=uid, gid=gid_of("medium", uid), java="mediastore.MediaImpl", uid_type="MEDIASTORE_LEAF", **options,
        )  # fmt: skip
        for name, content in files.items():
            self.file(f"MediaStore/photos/{uid}/{name}", content)

    def picture(self, uid: str, **options: Any) -> None:
        """Write a picture that all languages share, in its original resolution."""
        inner = (
            '<PICTURE><RESOLUTION extension="png" height="30" mimetype="image/png" resolutionid="ORIGINAL" width="40"/>'
            "</PICTURE>"
        )
        self.medium(uid, inner, files={f"Picture_{uid}_ORIGINAL.png": _PIXEL}, **options)

    def everything(self, *, use_release: bool = True) -> "ExportWriter":
        """Write a whole small project."""
        self.settings(use_release=use_release)
        self.template("page", "story", _FORM_OF_PAGE, bodies=("main", "aside"))
        self.template("section", "quote", _FORM_OF_SECTION)
        self.page(
            "home",
            data={
                "EN": "<FIELD name='pt_title'><TEXT>Hello</TEXT></FIELD>",
                "DE": "<FIELD name='pt_title'><TEXT>Hallo</TEXT></FIELD>",
            },
        )
        self.body("home", "main")
        self.section(
            "home/main/first",
            '<SECTION displayed="1" id="s-first" name="first" sectiontemplate="t-section-quote"/>',
            data={"EN": "<FIELD name='st_text'><TEXT>One</TEXT></FIELD>"},
        )
        self.page_ref("home", "home", name="Home")
        self.folder("MediaStore/photos", "MEDIANODE", "mediastore.MediaFolderImpl", "Our photos")
        self.picture("ridge")
        return self

    def folder(self, path: str, tag: str, java: str, name: str) -> None:
        """Write a folder with a display name."""
        own = path.rpartition("/")[2]
        xml = f'<{tag} id="f-{own}" name="{own}"><LANG displayname="{name}" language="EN"/></{tag}>'
        self.element(path, xml, uid=own, gid=gid_of("folder", path), java=java)

    def settings(self, *, use_release: bool = True, tags: Mapping[str, str] | None = None) -> None:
        """Write the project's settings: two languages, resolutions by name with their tag."""
        languages = "".join(_language(*each) for each in (("EN", "en_GB", "true"), ("DE", "de_DE", "false")))
        self.file("Global/Project/Languages.xml", _list(languages))
        resolutions = "".join(_resolution(name, tag) for name, tag in (tags or {"ORIGINAL": "", "S": ""}).items())
        self.file("Global/Project/Resolutions.xml", _list(resolutions))
        flag = f'<FIELD name="m_useRelease" type="boolean">{str(use_release).lower()}</FIELD>'
        metadata = '<FIELD name="m_metadataTemplateId" type="long">-1</FIELD>'
        self.file("Global/Project/Project.xml", f'<OBJECT class="x.ProjectDTO">{flag}{metadata}</OBJECT>')


def _list(inner: str) -> str:
    return f'<OBJECT class="java.util.ArrayList">{inner}</OBJECT>'


def _text(name: str, value: str, java: str = "java.lang.String") -> str:
    return f'<FIELD name="{name}"><OBJECT class="{java}">{value}</OBJECT></FIELD>'


def _language(abbreviation: str, locale: str, master: str) -> str:
    return (
        f'<OBJECT class="x.LanguageDTO">{_text("abbreviation", abbreviation)}'
        f'{_text("locale", locale, "java.util.Locale")}<FIELD name="isMasterLanguage" type="boolean">{master}</FIELD>'
        '<FIELD name="shouldGenerate" type="boolean">true</FIELD></OBJECT>'
    )


def _resolution(name: str, tag: str) -> str:
    inner = f'<OBJECT class="java.lang.String">{tag}</OBJECT>' if tag else ""
    return (
        f'<OBJECT class="x.ResolutionDTO">{_text("m_name", name)}'
        f'<FIELD name="_tags"><OBJECT class="java.util.TreeSet">{inner}</OBJECT></FIELD></OBJECT>'
    )
