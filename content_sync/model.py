"""The values that a sync job passes from its source to the server; no reading, no network.

A source yields documents exactly as they shall be stored, one at a time, so that the size of a project does not
decide how much memory a job needs; bytes of media are opened only when somebody asks for them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, Protocol

from schema_gen.model import Resolution

State = Literal["preview", "release"]
Document = dict[str, Any]

STATES: tuple[State, ...] = ("preview", "release")


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFile:
    """One binary of a medium: in one resolution, for one language, or for all.

    Attributes:
        file_id: The id in the file bucket.
        document_id: The `_id` of a document that names the file; a file that all languages share names the first.
        resolution: The uid of the resolution, `None` for files that have none.
        language: The locale (`de_DE`) of a file of a language-dependent medium, else `None`.
        path: Folders and file name as in the medium's Advanced URL, without a leading slash.
        content_type: The MIME type.
        open: Opens the bytes for reading from the start; each call gives a new handle, to be closed by its caller.
        size: The number of bytes.
        digest: The SHA-256 of the bytes in hexadecimal digits.
    """

    file_id: str
    document_id: str
    resolution: str | None
    language: str | None
    path: str
    content_type: str
    open: Callable[[], BinaryIO] = field(repr=False, compare=False)
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something a source holds that was not taken over, and the reason.

    Attributes:
        what: its place in the source.
        why: the reason.
        broken: whether it is content that cannot be read; all else was left out because nothing can be made of it.
    """

    what: str
    why: str
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """What is compared of a document.

    Attributes:
        document_id: its `_id`.
        kind: its `fsType`.
        revision: its `changeInfo.revision`.
    """

    document_id: str
    kind: str
    revision: Any


@dataclass(frozen=True, slots=True)
class Portion:
    """Documents that are read together, such as those of one file.

    Attributes:
        documents: Reads them.
        heads: What is known of them before; `None` where nothing is, and they have to be read.
    """

    documents: Callable[[], Iterator[Document]]
    heads: Sequence[Head] | None = None


class Source(Protocol):
    """Where a sync job reads a project from."""

    @property
    def project(self) -> str | None:
        """The project's GID, where the source says it."""

    def states(self) -> tuple[State, ...]:
        """Which states the source holds."""

    def documents(self, state: State) -> Iterator[Document]:
        """The CaaS JSON documents of a state, complete with `_id`, without `changeInfo.lastSynced`; lazily."""

    def portions(self, state: State) -> Iterator[Portion]:
        """The same documents in portions, of which only those need be read that changed; lazily.

        Who takes a portion of which nothing is known reads it before taking the next one.
        """

    def media(self, state: State) -> Iterator[MediaFile]:
        """The binaries of a state's media; lazily."""

    def resolutions(self) -> tuple[Resolution, ...]:
        """The resolutions that every picture shall have, to be made from the original where a document lacks one.

        Empty where the documents list what they shall list already.
        """

    def skipped(self) -> tuple[Skipped, ...]:
        """What was not taken over; complete once documents and media were read."""
