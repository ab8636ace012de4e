"""Reads a FirstSpirit project export into a content model: the generator's only input from the file system."""

from schema_gen.export.layout import ReadLimits
from schema_gen.export.reading import ExportReading, read_export

__all__ = ["ExportReading", "ReadLimits", "read_export"]
