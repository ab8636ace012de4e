"""References of an export as documents have them: who is meant, of which kind, and where its document will answer."""

from typing import Any, Final
from xml.etree.ElementTree import Element

from content_core.names import document_id
from content_sync.source.export.names import pick_name
from content_sync.source.export.project import Project
from content_sync.source.export.stores import MediaTarget, Stores, Target
from schema_gen.export.elements import StoreElement, read_element
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.references import Reference, References
from schema_gen.model import Language, TemplateKind

__all__ = ["ReferenceWriter"]

_KINDS: Final = {
    "MEDIASTORE_LEAF": ("Media", "MediaImpl"),
    "SITESTORE_LEAF": ("PageRef", "PageRefImpl"),
    "GLOBALSTORE": ("GCAPage", "PageImpl"),
}
"""By uid type: ``fsType`` of the target and the class that references give it."""

_WITH_DOCUMENT: Final = frozenset({"Media", "PageRef"})


class ReferenceWriter:
    """Writes reference objects of one language.

    Args:
        project: the export.
        stores: finds targets.
        language: the language of the documents that refer.
    """

    def __init__(self, project: Project, stores: Stores, language: Language) -> None:
        self._project = project
        self._stores = stores
        self._language = language

    def reference(self, node: Element, references: References) -> dict[str, Any] | None:
        """Write the object for a ``UID``, ``UIDTYPE``, ``REMOTE`` and ``SECTION``; ``None`` without a uid.

        The GID stands in the references of the element that holds the value, also for targets that were not exported;
        without it the reference is a broken one, whose identifier is null.
        """
        uid = (node.findtext("UID") or "").strip()
        if not uid:
            return None
        uid_type = (node.findtext("UIDTYPE") or "").strip()
        remote = (node.findtext("REMOTE") or "").strip()
        known = _find(references, uid, uid_type)
        fs_type = _KINDS[uid_type][0] if uid_type in _KINDS else _other_type(known, uid_type)
        target = None if remote else self._target(uid, uid_type)
        gid = known.gid.lower() if known and known.gid else target
        written: dict[str, Any] = {
            "fsType": fs_type,
            "name": uid,
            "identifier": gid,
            "uid": uid,
            "uidType": uid_type,
        }
        if fs_type == "Media":
            media = None if remote else self._stores.media().get(uid)
            if media is not None:
                written["mediaType"] = media.media_type
        written["url"] = "" if remote else self.url(fs_type, gid)
        if remote:
            written["remoteProject"] = remote
        section = (node.findtext("SECTION") or "").strip()
        if section and gid and not remote:
            found = self._section(uid, section)
            if found is not None:
                written["section"] = found
        return written

    def url(self, fs_type: str, identifier: str | None) -> str:
        """The address of a target's document in this language; empty for what has none."""
        if not identifier or fs_type not in _WITH_DOCUMENT:
            return ""
        name = document_id(identifier, self._language.language, self._language.country)
        return self._project.address.document(name, self._project.state)

    def _target(self, uid: str, uid_type: str) -> str | None:
        found: Target | MediaTarget | None = None
        match uid_type:
            case "MEDIASTORE_LEAF":
                found = self._stores.media().get(uid)
            case "SITESTORE_LEAF":
                found = self._stores.page_refs().get(uid)
            case "GLOBALSTORE":
                found = self._stores.gca_pages().get(uid)
        return found.gid if found is not None else None

    def _section(self, page_ref: str, name: str) -> dict[str, Any] | None:
        """The section of a target page that a reference addresses."""
        target = self._stores.page_refs().get(page_ref)
        if target is None:
            return None
        try:
            page = self._stores.page_of(self._stores.element(target.path))
            for directory in self._project.files.walk(page) if page else ():
                if directory.path.count("/") == str(page).count("/") + 2 and directory.name == name:
                    return self._section_object(read_element(self._project.files, directory), name)
        except BrokenFileError as problem:
            self._project.skips.broken(problem)
        return None

    def _section_object(self, element: StoreElement, name: str) -> dict[str, Any]:
        template = self._project.templates.of_element(TemplateKind.SECTION, element)
        names = dict(template.display_names) if template else {}
        shown = pick_name(names, self._language, self._project.master, name)
        return {"name": name, "displayName": shown, "identifier": element.gid.lower() or None}


def _find(references: References, uid: str, uid_type: str) -> Reference | None:
    named = [each for each in references.outgoing if each.uid == uid]
    if uid_type in _KINDS:
        return next((each for each in named if each.kind in {"", _KINDS[uid_type][1]}), None)
    return named[0] if len(named) == 1 else None


def _other_type(known: Reference | None, uid_type: str) -> str:
    return known.kind.removesuffix("Impl") if known and known.kind else uid_type
