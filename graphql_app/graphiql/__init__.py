"""GraphiQL for browsers: one page for every GraphQL address, and the files it loads, all of them our own."""

from .bundle import Asset, asset, page

__all__ = ["Asset", "asset", "page"]
