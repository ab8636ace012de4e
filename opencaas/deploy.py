"""Deploying generated application definitions: a client of the public HTTP interface, with an API key.

Compare first, write second: nothing is written unless every state may be; what did not change is not written at all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import httpx

from content_core.documents import Document
from content_core.errors import ServiceError
from content_core.names import State
from content_sync.authorization import authorization
from schema_gen.compare import Comparison, compare_definitions

__all__ = ["DefinitionClient", "DeployError", "Deployment", "compare_all", "deploy_all"]

_TIMEOUT = httpx.Timeout(10.0, read=120.0)
"""Activating a schema of 500 templates takes seconds on the server; reading waits for it."""


class DeployError(ServiceError):
    """The server refused, or could not be reached."""

    code = "OC710"
    status = 500


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a deploy did for one state.

    Attributes:
        state: preview or release.
        comparison: against what was deployed before.
        written: whether the definition was sent.
    """

    state: State
    comparison: Comparison
    written: bool


class DefinitionClient:
    """Reads and writes application definitions of one tenant.

    Args:
        server: base URL of the server.
        api_key: an API key with GET and PUT on the tenant's ``gql-apps``.
        tenant: the tenant.

    Raises:
        SyncError: the key can be none.
    """

    def __init__(self, server: str, api_key: str, tenant: str) -> None:
        self._tenant = tenant
        self._client = httpx.Client(base_url=server.rstrip("/"), headers=[authorization(api_key)], timeout=_TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def read(self, document_id: str) -> Document | None:
        """Fetch a definition; ``None`` where there is none.

        Raises:
            DeployError: the server refused, or could not be reached.
        """
        response = self._send("GET", document_id)
        if response.status_code == 404:
            return None
        self._check(response, f"reading {document_id}")
        document: Document = response.json()
        return document

    def write(self, definition: Mapping[str, Any]) -> None:
        """Store a definition.

        Raises:
            DeployError: the server refused, or could not be reached.
        """
        response = self._send("PUT", definition["_id"], json=definition)
        self._check(response, f"writing {definition['_id']}")

    def _send(self, method: str, document_id: str, **arguments: Any) -> httpx.Response:
        path = f"/{quote(self._tenant, safe='')}/gql-apps/{quote(document_id, safe='')}"
        try:
            return self._client.request(method, path, **arguments)
        except httpx.InvalidURL as error:
            raise DeployError(f"{self._client.base_url} is no server address: {error}") from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise DeployError(f"cannot reach the server at {self._client.base_url}: {reason}") from error

    def _check(self, response: httpx.Response, doing: str) -> None:
        if response.is_success:
            return
        hint = {
            401: "the API key is unknown to this server",
            403: f"the API key needs GET and PUT on /{self._tenant}/gql-apps, and GET on the content collections",
        }.get(response.status_code)
        raise DeployError(f"{doing}: the server answered {response.status_code}{_message(response)}", hint=hint)


def compare_all(
    client: DefinitionClient, definitions: Mapping[State, Document], states: Sequence[State]
) -> dict[State, Comparison]:
    """Compare built definitions with the deployed ones, state by state."""
    return {state: compare_definitions(client.read(definitions[state]["_id"]), definitions[state]) for state in states}


def deploy_all(
    client: DefinitionClient, definitions: Mapping[State, Document], comparisons: Mapping[State, Comparison]
) -> list[Deployment]:
    """Write what changed, in the order of the comparisons; the caller has decided that it may."""
    deployments = []
    for state, comparison in comparisons.items():
        if not comparison.unchanged:
            client.write(definitions[state])
        deployments.append(Deployment(state, comparison, written=not comparison.unchanged))
    return deployments


def _message(response: httpx.Response) -> str:
    try:
        message = response.json().get("message")
    except (ValueError, AttributeError):
        return ""
    return f": {message}" if isinstance(message, str) else ""
