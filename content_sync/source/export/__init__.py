"""An External Sync export with content as a source: elements of all stores become documents per language."""

from content_sync.source.export.source import ExportSource

__all__ = ["ExportSource"]
