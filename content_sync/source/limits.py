"""What a source may cost; a real project stays far below."""

from dataclasses import dataclass

__all__ = ["SourceLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """The limits of reading.

    Attributes:
        document_bytes: the largest JSON file, or line of NDJSON, that is read; MongoDB stores no larger document.
        archive_entries: the most files that an archive may hold.
        archive_bytes: the most bytes that the files of an archive may have together.
        archive_ratio: how many times larger than the archive its files may be together; a bomb is larger by far.
        archive_free_bytes: what an archive may hold whatever its ratio, since small ones can be very regular.
        skipped: how many of the things left out are listed; further ones are counted.
    """

    document_bytes: int = 16 * 1024 * 1024
    archive_entries: int = 2_000_000
    archive_bytes: int = 64 * 1024**3
    archive_ratio: int = 200
    archive_free_bytes: int = 256 * 1024 * 1024
    skipped: int = 1000
