"""What stops the reading of a source; what only costs one document is a ``Skipped`` instead."""

from content_core.errors import ServiceError

__all__ = ["SourceError"]


class SourceError(ServiceError):
    """The path holds nothing that can be synchronised, or it does not say what has to be known."""

    code = "OC810"
    status = 400
