"""Where the elements are that others refer to: pages by number, page references, media and GCA pages by uid.

Only a few short strings per element are kept, so that a project of any size fits.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeVar
from uuid import UUID

from content_sync.source.export.names import names_of, path_segment, pick_name
from content_sync.source.export.project import Project
from schema_gen.export.elements import DEFINITION_FILE, StoreElement, read_element
from schema_gen.export.findings import BrokenFileError
from schema_gen.export.layout import ExportDirectory
from schema_gen.model import TemplateKind

__all__ = ["CONTENT_AREA", "MediaTarget", "Stores", "Target"]

CONTENT_AREA: Final = "GlobalStore/GlobalContentArea"
_FOLDERS: Final = ("FolderImpl", "RootImpl")
_FOLDER_TAGS: Final = frozenset({"PAGENODE", "SITENODE", "MEDIANODE", "PAGESTORE", "SITESTORE", "MEDIASTORE"})
_REFERENCE_FILES: Final = frozenset({DEFINITION_FILE, "FS_References.txt", ".FirstSpirit"})

MediaType = Literal["PICTURE", "FILE"]


@dataclass(frozen=True, slots=True)
class Target:
    """An element that others refer to: its GID and its directory."""

    gid: str
    path: str


@dataclass(frozen=True, slots=True)
class MediaTarget:
    """A medium that others refer to.

    Attributes:
        gid: its GID.
        path: its directory.
        media_type: picture or file.
        stem: its file name, without folders and extension, unique among all media of its folder.
    """

    gid: str
    path: str
    media_type: MediaType
    stem: str


AnyTarget = TypeVar("AnyTarget", Target, MediaTarget)


class Stores:
    """The index over the content stores of an export; each store is read when the first element of it is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._pages: dict[str, str] | None = None
        self._page_refs: dict[str, Target] | None = None
        self._media: dict[str, MediaTarget] | None = None
        self._gca: dict[str, Target] | None = None
        self._folders: dict[str, dict[str, str]] = {}

    def page_refs(self) -> dict[str, Target]:
        """All page references by uid, in the order of their directories."""
        if self._page_refs is None:
            self._page_refs = {}
            for element in self._elements("SiteStore", tag="PAGEREF", java="PageRefImpl"):
                self._add(self._page_refs, element.uid("uniquedescription"), _target(element))
        return self._page_refs

    def media(self) -> dict[str, MediaTarget]:
        """All media by uid, in the order of their directories."""
        if self._media is None:
            self._media = {}
            taken: set[bytes] = set()
            for element in self._elements("MediaStore", tag="MEDIUM", java="MediaImpl"):
                uid = element.uid("uniquedescription")
                stem = _free_stem(self.media_folder(element.directory.path), element, uid, taken)
                media_type: MediaType = "PICTURE" if _is_picture(element) else "FILE"
                target = MediaTarget(element.gid.lower(), element.directory.path, media_type, stem)
                self._add(self._media, uid, target)
        return self._media

    def gca_pages(self) -> dict[str, Target]:
        """All GCA pages by uid, in the order of their directories."""
        if self._gca is None:
            self._gca = {}
            for element in self._gca_elements():
                self._add(self._gca, element.uid("name", "filename", "uniquedescription"), _target(element))
        return self._gca

    def page_of(self, page_ref: StoreElement) -> str | None:
        """The directory of the page that a page reference shows: by number, else by the GID or uid of the reference."""
        pages = self.pages()
        number = page_ref.attribute("pageref")
        if number and f"id:{number}" in pages:
            return pages[f"id:{number}"]
        for reference in page_ref.references.section("requiredId"):
            path = pages.get(f"gid:{reference.gid.lower()}") or pages.get(f"uid:{reference.uid}")
            if path is not None:
                return path
        return None

    def pages(self) -> dict[str, str]:
        """The directories of all pages by ``id:``, ``gid:`` and ``uid:``."""
        if self._pages is None:
            self._pages = {}
            for element in self._elements("PageStore", tag="PAGE", java="PageImpl"):
                path = element.directory.path
                keys = {"id": element.attribute("id"), "gid": element.gid.lower(), "uid": element.uid("name")}
                for kind, key in keys.items():
                    if key:
                        self._pages.setdefault(f"{kind}:{key}", path)
        return self._pages

    def folder_names(self, path: str) -> list[dict[str, str]]:
        """The display names of the folders between a store and an element, outermost first."""
        folders = path.split("/")[1:-1]
        top = path.partition("/")[0]
        return [self._folder("/".join((top, *folders[: depth + 1]))) for depth in range(len(folders))]

    def media_folder(self, path: str) -> str:
        """The folders of a medium as its Advanced URL has them: display names in the master language."""
        master = self._project.master
        names = self.folder_names(path)
        return "/".join(path_segment(pick_name(each, master, master, "")) for each in names)

    def element(self, path: str) -> StoreElement:
        """Read one element.

        Raises:
            BrokenFileError: a file of it cannot be read, or it is not there any more.
        """
        directory = next(self._project.files.walk(path), None)
        if directory is None:
            raise BrokenFileError("not there any more; somebody writes to the export", path=path)
        return read_element(self._project.files, directory)

    def _folder(self, path: str) -> dict[str, str]:
        if path not in self._folders:
            name = path.rpartition("/")[2]
            try:
                element = self.element(path)
                names = names_of(element) or {"": element.uid("name")}
            except BrokenFileError as problem:
                self._project.skips.broken(problem)
                names = {"": name}
            self._folders[path] = names
        return self._folders[path]

    def _elements(self, store: str, *, tag: str, java: str) -> Iterator[StoreElement]:
        """The elements of one kind in a store; what lies inside of them is passed over."""
        inside = ""
        for directory in self._project.files.walk(store):
            if (inside and directory.path.startswith(inside)) or not _REFERENCE_FILES & directory.names:
                continue
            element = self._read(directory)
            if element is None or directory.path == store:
                continue
            if element.tag == tag or (element.java_class == java and element.tag not in _FOLDER_TAGS):
                inside = f"{directory.path}/"
                if self._has_gid(element):
                    yield element
            elif element.tag not in _FOLDER_TAGS and not element.java_class.endswith(_FOLDERS):
                message = f"<{element.tag}> is nothing that a document is made of here"
                self._project.skips.once((store, element.tag), element.definition, message)

    def _gca_elements(self) -> Iterator[StoreElement]:
        inside = ""
        for directory in self._project.files.walk(CONTENT_AREA):
            below = directory.path != CONTENT_AREA and not (inside and directory.path.startswith(inside))
            if not below or not _REFERENCE_FILES & directory.names:
                continue
            element = self._read(directory)
            if element is None:
                continue
            numbered = element.attribute("pagetemplate") not in {"", "-1", "0"}
            if numbered or self._project.templates.references_of(TemplateKind.PAGE, element):
                inside = f"{directory.path}/"
                if self._has_gid(element):
                    yield element

    def _read(self, directory: ExportDirectory) -> StoreElement | None:
        try:
            return read_element(self._project.files, directory)
        except BrokenFileError as problem:
            self._project.skips.broken(problem)
            return None

    def _has_gid(self, element: StoreElement) -> bool:
        try:
            UUID(element.gid)
        except ValueError:
            message = "without a GID (FS_References.txt) there is no document id; export the element again"
            self._project.skips.add(element.definition, message)
            return False
        return True

    def _add(self, found: dict[str, AnyTarget], uid: str, target: AnyTarget) -> None:
        first = found.setdefault(uid, target)
        if first is not target:
            message = f"a second element with the uid {uid!r}, which {first.path} has already, so it was left out"
            self._project.skips.add(target.path, message)


def _target(element: StoreElement) -> Target:
    return Target(element.gid.lower(), element.directory.path)


def _is_picture(element: StoreElement) -> bool:
    if element.attribute("type"):
        return element.attribute("type").lower().startswith("pic")
    return element.root is not None and next(element.root.named("PICTURE"), None) is not None


def _free_stem(folder: str, element: StoreElement, uid: str, taken: set[bytes]) -> str:
    """The first of file name, uid and GID that no other medium of the folder has: paths must not collide."""
    for stem in (element.attribute("filename"), uid):
        key = hashlib.blake2b(f"{folder}/{stem.casefold()}".encode(), digest_size=12).digest()
        if stem and key not in taken:
            taken.add(key)
            return stem
    return element.gid.lower()
