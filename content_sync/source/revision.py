"""A revision of our own, for documents that bring none: it changes exactly when the document does."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

__all__ = ["revision_of"]

_OWN: Final = frozenset({"changeInfo", "_etag"})
_BITS: Final = 0x7FFFFFFF


def revision_of(document: Mapping[str, Any], *, salt: str = "") -> int:
    """Make a positive 31-bit integer of everything in a document but its change information.

    Args:
        document: what the revision is for; the order of its attributes makes no difference.
        salt: what else the stored document will depend on.
    """
    content = {name: value for name, value in document.items() if name not in _OWN}
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS) + salt.encode())
    return int.from_bytes(digest.digest()[:4]) & _BITS or 1
