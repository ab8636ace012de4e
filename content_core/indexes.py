"""The indexes of a content collection, as CaaS Connect makes them (CaaS Connect documentation, 2.7)."""

from typing import Final

__all__ = ["CONTENT_INDEXES"]

_LOCALE: Final = ("locale.language", "locale.country")

CONTENT_INDEXES: Final[dict[str, tuple[str, ...]]] = {
    "idx_identifier_lang_country": ("identifier", *_LOCALE),
    "idx_entity_lang_country": ("entityType", *_LOCALE),
    "idx_fstype_lang_country": ("fsType", *_LOCALE),
    "idx_route": ("route",),
    "idx_routes_route": ("routes.route",),
    "idx_changeinfo_lastsynced": ("changeInfo.lastSynced",),
}
"""Index name → fields, all ascending; the order of the fields matters."""
