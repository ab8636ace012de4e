"""The header that shows an API key; what no header can carry is refused here, since messages of HTTP quote it."""

from content_sync.errors import SyncError

__all__ = ["authorization"]


def authorization(api_key: str) -> tuple[bytes, bytes]:
    """Make the header, as bytes: a key may hold any letter.

    Raises:
        SyncError: the key is empty, or no header can carry it; the message does not hold it.
    """
    if not api_key.strip():
        raise SyncError("the API key is empty")
    controls = any(ord(char) < 0x20 or ord(char) == 0x7F for char in api_key)
    if controls or api_key != api_key.strip():
        raise SyncError(
            "the API key holds a line break, a control character, or a blank at its beginning or end",
            hint="look at the place that it was copied to",
        )
    try:
        return b"authorization", b"Bearer " + api_key.encode()
    except UnicodeEncodeError:  # bytes of the command line that are no UTF-8
        raise SyncError("the API key holds bytes that are no text") from None
