"""Who may do what: credentials, API keys, permissions, and the one place that decides."""

from content_core.access.control import AccessControl
from content_core.access.credentials import Credentials
from content_core.access.keys import KeyStore, StoredKey
from content_core.access.permissions import Permission
from content_core.access.principals import ADMIN, Principal

__all__ = ["ADMIN", "AccessControl", "Credentials", "KeyStore", "Permission", "Principal", "StoredKey"]
