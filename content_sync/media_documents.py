"""Media documents get the addresses and facts of their binaries before they are sent; nothing else in them changes."""

from collections.abc import Iterable
from typing import Any, Final

from content_sync.delivery import Delivery, DeliveryError
from content_sync.media_paths import medium_of
from content_sync.model import Document, MediaFile, State
from content_sync.picture_source import PictureFile
from content_sync.pictures import PictureError, is_vector, read_size
from content_sync.resolutions import ORIGINAL

__all__ = ["resolve_media"]

_PICTURE: Final = "PICTURE"


def resolve_media(document: Document, files: Iterable[MediaFile], delivery: Delivery, state: State) -> Document:
    """Write the addresses of a medium's binaries into a document of it.

    Documents of other kinds, and those without files, are given back as they are. The same document and files always
    give the same result: resolutions that the document lists keep their place, others follow in the order of the files.

    Args:
        document: the document; not changed.
        files: those of its medium, in all languages; others among them do not matter.
        delivery: says where they are.
        state: of the document.
    """
    if document.get("fsType") != "Media":
        return document
    found = _files_of(document, files)
    if not found:
        return document
    if _is_picture(document, found):
        listed = document.get("resolutionsMetaData")
        entries: dict[str, Any] = dict(listed) if isinstance(listed, dict) else {}
        for name, file in found.items():
            known = entries.get(name)
            entry = _described(known if isinstance(known, dict) else {}, file, delivery, state)
            if entry is not None:
                entries[name] = entry
        return {**document, "resolutionsMetaData": entries}
    return _with_file(document, next(iter(found.values())), delivery, state)


def _files_of(document: Document, files: Iterable[MediaFile]) -> dict[str, MediaFile]:
    """Find the files of a document by resolution: those of its language, else those of all languages."""
    identifier, languages = document.get("identifier"), _languages(document)
    found: dict[str, MediaFile] = {}
    for file in files:
        if medium_of(file) == identifier and (file.language is None or file.language in languages):
            name = file.resolution or ORIGINAL
            if file.language is not None or name not in found:
                found[name] = file
    return found


def _languages(document: Document) -> frozenset[str]:
    """How files may name the language of a document."""
    locale = document.get("locale")
    if not isinstance(locale, dict):
        return frozenset()
    language, country = str(locale.get("language") or ""), str(locale.get("country") or "")
    return frozenset({f"{language}_{country}" if country else language, str(locale.get("identifier"))})


def _is_picture(document: Document, found: dict[str, MediaFile]) -> bool:
    kind = document.get("mediaType")
    if isinstance(kind, str):
        return kind == _PICTURE
    return any(file.resolution is not None for file in found.values())


def _described(known: dict[str, Any], file: MediaFile, delivery: Delivery, state: State) -> dict[str, Any] | None:
    """Describe one resolution; nothing where a file has no address, which its delivery reported."""
    try:
        url = delivery.url(file, state)
        route = delivery.seo_route(file)
    except DeliveryError:
        return None
    width, height = _size(known, file)
    entry = {
        "fileSize": file.size,
        "extension": _extension(file, known),
        "mimeType": file.content_type,
        "width": width,
        "height": height,
        "url": url,
    }
    # Where no path leads to the file, a route that the source names stays: it is of use to somebody else's delivery.
    others = {name: value for name, value in known.items() if name not in entry}
    return entry | others | ({} if route is None else {"seoRoute": route})


def _size(known: dict[str, Any], file: MediaFile) -> tuple[int | None, int | None]:
    if isinstance(file, PictureFile):
        return file.width, file.height
    width, height = known.get("width"), known.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return width, height
    if is_vector(file):
        return None, None
    try:
        return read_size(file)
    except PictureError:
        return None, None


def _with_file(document: Document, file: MediaFile, delivery: Delivery, state: State) -> Document:
    try:
        url = delivery.url(file, state)
    except DeliveryError:
        return document
    listed = document.get("fileMetaData")
    known = listed if isinstance(listed, dict) else {}
    described = {
        "fileSize": file.size,
        "extension": _extension(file, known),
        "mimeType": file.content_type,
        "encoding": known.get("encoding"),
    }
    others = {name: value for name, value in known.items() if name not in described}
    return {**document, "url": url, "fileMetaData": described | others}


def _extension(file: MediaFile, known: dict[str, Any]) -> Any:
    name = file.path.rpartition("/")[2]
    return name.rpartition(".")[2] if "." in name else known.get("extension")
