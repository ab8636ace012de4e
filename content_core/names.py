"""Names and addresses: tenants, projects, states, collections, documents, GraphQL applications.

The URL scheme is ``/<tenant>/<project GID>.<preview|release>.<content|files>/<document>`` (CaaS platform
documentation 14.9.0, 5.2); a GraphQL application answers at ``/graphql/<tenant>/<app>`` and
``/graphql/<tenant>___<app>``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from content_core.errors import IllegalNameError

__all__ = [
    "ADMIN_DATABASE",
    "APIKEYS",
    "GQL_APPS",
    "LAST_SYNC",
    "STATES",
    "AppKey",
    "State",
    "content_collection",
    "content_place",
    "document_id",
    "files_bucket",
    "generated_app",
]

State = Literal["preview", "release"]
STATES: Final[tuple[State, ...]] = ("preview", "release")

ADMIN_DATABASE: Final = "caas_admin"
"""The database of the global API keys (CaaS platform documentation 14.9.0, 5.5.1)."""

APIKEYS: Final = "apikeys"
GQL_APPS: Final = "gql-apps"

LAST_SYNC: Final = "lastSync"
"""In a content collection's metadata: where a sync job notes that it was done (``completed``, and its ``mode``)."""

_APP = re.compile(r"[A-Za-z0-9._/-]+")


@dataclass(frozen=True, slots=True)
class AppKey:
    """The one identity of a GraphQL application, whichever way it was written.

    ``acme/shop``, ``/acme/shop`` and ``acme___shop`` (split at the first ``___``) are the same application.
    """

    tenant: str
    app: str

    @classmethod
    def parse(cls, text: str) -> "AppKey":
        """Read any of the three spellings.

        Raises:
            IllegalNameError: the text names no tenant, or no application.
        """
        trimmed = text.strip("/")
        tenant, separator, app = trimmed.partition("/")
        if "___" in tenant:
            head, _, rest = tenant.partition("___")
            tenant, app = head, rest + separator + app
        if not tenant or not app or not _APP.fullmatch(app):
            raise IllegalNameError(f"'{text}' is no application address; expected <tenant>/<app> or <tenant>___<app>")
        return cls(tenant, app)

    @classmethod
    def from_segments(cls, segments: Sequence[str]) -> "AppKey":
        """Read the decoded path segments that follow ``graphql``."""
        return cls.parse("/".join(segment for segment in segments if segment))

    @property
    def uri(self) -> str:
        """The path form, ``<tenant>/<app>``."""
        return f"{self.tenant}/{self.app}"

    @property
    def document_id(self) -> str:
        """The id of its definition, ``<tenant>___<app>``."""
        return f"{self.tenant}___{self.app}"

    def __str__(self) -> str:
        return self.uri


def content_collection(project: str, state: State) -> str:
    """Name the collection of a project's documents in one state."""
    return f"{project}.{state}.content"


def content_place(collection: str) -> tuple[str, State] | None:
    """Read project and state from the name of a content collection; None of any other collection."""
    place, _, what = collection.rpartition(".")
    project, _, state = place.rpartition(".")
    if what != "content" or not project:
        return None
    return next(((project, each) for each in STATES if each == state), None)


def files_bucket(project: str, state: State) -> str:
    """Name the bucket of a project's binaries in one state."""
    return f"{project}.{state}.files"


def generated_app(project: str, state: State) -> str:
    """Name the generated GraphQL application of a project in one state (CaaS Connect documentation, 2.8.1)."""
    return f"{project}-{state}-documents"


def document_id(identifier: str, language: str, country: str) -> str:
    """Build a document's ``_id``: ``<identifier>.<language>_<COUNTRY>``, without ``_`` where there is no country."""
    return f"{identifier}.{language}_{country}" if country else f"{identifier}.{language}"
