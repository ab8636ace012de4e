"""What the query of a field gave, once for all fields that ask the same."""

from typing import Any, Final

from graphql_app.compile.positions import Failed
from graphql_app.query import FetchError

__all__ = ["EMPTY_LIST", "EMPTY_ONE", "Cell"]


class Cell:
    """The value of one distinct query: documents of a list, a document, None, or :class:`Failed`.

    Attributes:
        value: meaningful once the query was answered.
        plural: whether the value is a list.
        loader: whoever can ask the query again, alone.
        source: the parent value of a field that asks it.
        root: that field's root document.
    """

    __slots__ = ("documents", "keys", "loader", "plural", "root", "source", "value")

    def __init__(self, *, plural: bool, loader: Any = None, source: Any = None, root: Any = None) -> None:
        self.plural = plural
        self.value: Any = [] if plural else None
        self.loader = loader
        self.source = source
        self.root = root
        self.keys: tuple[str, ...] = ()
        self.documents: list[Any] = []

    def settle(self, documents: list[Any]) -> None:
        """Take the documents that answer the query."""
        self.value = documents if self.plural else (documents[0] if documents else None)

    def fail(self, error: FetchError) -> None:
        """Take the error that the query met."""
        self.value = Failed(error)


EMPTY_ONE: Final = Cell(plural=False)
EMPTY_LIST: Final = Cell(plural=True)
"""Answers that need no query."""
