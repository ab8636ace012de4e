"""A binary on its way: what is read must be what was measured, else the reading fails before its end is sent.

Somebody may write to a file while it travels. A request that was announced with another length breaks in the middle,
and bytes that are stored with the digest of others would never be sent again.
"""

import hashlib
import io
import os
from typing import BinaryIO

__all__ = ["CHANGED", "MeasuredBytes"]

CHANGED = "somebody changed it in the meantime"


class MeasuredBytes(io.IOBase):
    """A file that can be read, as far as clients that send it need.

    Args:
        handle: the file, opened; closed by the caller.
        size: its bytes when it was measured.
        digest: their SHA-256 in hexadecimal digits.
    """

    def __init__(self, handle: BinaryIO, *, size: int, digest: str) -> None:
        self._handle = handle
        self._size = size
        self._expected = digest
        self._read = 0
        self._digest = hashlib.sha256()
        self.changed = False
        """Whether reading failed because these are not the bytes that were measured."""

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read on.

        Raises:
            OSError: these are not the bytes that were measured.
        """
        chunk = self._handle.read(size)
        self._read += len(chunk)
        self._digest.update(chunk)
        short = not chunk and size != 0 and self._read < self._size
        # At the last byte, not behind it: some clients never look whether there is more.
        other = self._read == self._size and self._digest.hexdigest() != self._expected
        if short or other or self._read > self._size:
            self.changed = True
            raise OSError(CHANGED)
        return chunk

    def tell(self) -> int:
        """How many bytes were read."""
        return self._read

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go back to the beginning, or tell the size: all else is of no use to those who send."""
        if whence == os.SEEK_END:
            return self._size
        if offset != self._read:
            self._handle.seek(0)
            self._read, self._digest = 0, hashlib.sha256()
        return self._read
