"""Sizes and digests of binaries; those of a file that did not change are recalled, not computed."""

import hashlib
import os
from typing import Final

from content_sync.source.memory import FileMemory

__all__ = ["measure"]

_CHUNK: Final = 1024 * 1024
_DIGEST_BYTES: Final = 32


def measure(path: str, memory: FileMemory | None = None) -> tuple[int, str]:
    """Give the size of a file and the SHA-256 of its bytes, in hexadecimal digits.

    Args:
        path: the file.
        memory: what is known of files from before; without one the file is read.

    Raises:
        OSError: it cannot be read.
    """
    facts = memory.recall(path, "binary") if memory else None
    if facts is not None and len(facts) > _DIGEST_BYTES:
        return int.from_bytes(facts[_DIGEST_BYTES:]), facts[:_DIGEST_BYTES].hex()
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as file:  # noqa: PTH123 - of a string, as the memory knows it
        status = os.fstat(file.fileno())
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    if memory and size == status.st_size:
        memory.remember(path, "binary", status, digest.digest() + size.to_bytes(8))
    return size, digest.hexdigest()
