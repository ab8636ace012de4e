"""The store: the only code that speaks to MongoDB's drivers."""

from content_core.store.feed import ChangeEvent, ChangeFeed
from content_core.store.store import Store
from content_core.store.values import BulkOutcome, FindQuery, StoreHealth

__all__ = ["BulkOutcome", "ChangeEvent", "ChangeFeed", "FindQuery", "Store", "StoreHealth"]
