"""The paths of media: made distinct where two languages would share one, and written as parts of URLs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from urllib.parse import quote

from content_sync.delivery import DeliveryError
from content_sync.model import MediaFile

__all__ = ["checked_path", "distinct_paths", "medium_of", "url_path"]


def medium_of(file: MediaFile) -> str:
    """The GID of the medium that a file belongs to."""
    return file.document_id.partition(".")[0]


def distinct_paths(files: Iterable[MediaFile]) -> Iterator[MediaFile]:
    """Give the languages of a medium paths of their own where they would share one: ``Photos/DE/map.png``.

    The files of one medium follow each other; one medium is held at a time.
    """
    for _, group in groupby(files, medium_of):
        medium = list(group)
        languages: dict[str, set[str | None]] = {}
        for file in medium:
            languages.setdefault(file.path, set()).add(file.language)
        for file in medium:
            if file.language is None or len(languages[file.path]) == 1:
                yield file
            else:
                folders, slash, name = file.path.rpartition("/")
                yield replace(file, path=f"{folders}{slash}{file.language}/{name}")


def checked_path(file: MediaFile) -> str:
    """The path of a file, if it can be part of a key and of a URL.

    Raises:
        DeliveryError: it has empty segments, leads upwards, or holds control characters.
    """
    segments = file.path.split("/")
    if any(segment in {"", ".", ".."} for segment in segments) or not file.path.isprintable():
        raise DeliveryError(
            f"{file.file_id}: {file.path!r} is no path that an address can have",
            hint="give the medium and its folders names that a file system takes",
        )
    return file.path


def url_path(path: str) -> str:
    """Write a path as it stands in a URL."""
    return quote(path, safe="/~!$&'()*+,;=:@")
