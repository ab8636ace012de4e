"""Reads and writes API keys over HTTP."""

from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import quote

import httpx

from content_core.documents import Document
from content_core.errors import ServiceError
from content_core.names import APIKEYS
from content_sync.authorization import authorization

__all__ = ["ApiKeysError", "KeyClient"]

_PAGE = 100


class ApiKeysError(ServiceError):
    """The server refused a request about API keys, or could not be reached."""

    code = "OC730"
    status = 500


class KeyClient:
    """The keys of one database.

    Args:
        server: base URL of the server.
        database: the tenant, or ``caas_admin`` for global keys.
        api_key: the API key that is shown.
        login: or the admin's name and password.

    Raises:
        SyncError: the key can be none.
    """

    def __init__(
        self, server: str, database: str, *, api_key: str | None = None, login: tuple[str, str] | None = None
    ) -> None:
        self._path = f"/{quote(database, safe='')}/{APIKEYS}"
        headers = [authorization(api_key)] if api_key is not None else []
        try:
            self._client = httpx.Client(base_url=server.rstrip("/"), headers=headers, auth=login, timeout=30.0)
        except httpx.InvalidURL as error:
            raise ApiKeysError(f"{server} is no server address: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    @property
    def address(self) -> str:
        """The address of the collection."""
        return str(self._client.base_url).rstrip("/") + self._path

    def keys(self) -> Iterator[Document]:
        """Read all keys, in the order of their ids.

        Raises:
            ApiKeysError: the server refused, or could not be reached.
        """
        page, pages = 0, 1
        while page < pages:
            page += 1
            parameters = {"sort": "_id", "np": "", "count": "", "pagesize": _PAGE, "page": page}
            response = self._check(self._send("GET", self._path, params=parameters), "listing the API keys")
            try:
                body = response.json()
                pages, keys = body["_total_pages"], body.get("_embedded", {}).get("rh:doc", [])
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ApiKeysError(f"what answers at {self._client.base_url} is no CaaS server") from error
            yield from keys

    def create(self, key: Document) -> None:
        """Store a key that is not there yet.

        Raises:
            ApiKeysError: there is one already, the server refused, or could not be reached.
        """
        doing = "creating the API key"
        if self._send("GET", self._key_path(key["key"])).status_code == 200:
            raise ApiKeysError(f"{doing}: it exists already", hint="delete it first, or choose another --key")
        self._check(self._send("PUT", self._key_path(key["key"]), json=key), doing)

    def delete(self, key: str) -> bool:
        """Delete a key; False where there is none.

        Raises:
            ApiKeysError: the server refused, or could not be reached.
        """
        response = self._send("DELETE", self._key_path(key))
        if response.status_code == 404 and not response.content:
            return False
        self._check(response, "deleting the API key")
        return True

    def _key_path(self, key: str) -> str:
        return f"{self._path}/{quote(key, safe='')}"

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **arguments)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise ApiKeysError(f"cannot reach the server at {self._client.base_url}: {reason}") from error

    def _check(self, response: httpx.Response, doing: str) -> httpx.Response:
        if response.is_success:
            return response
        hint = {
            401: "the credentials are unknown to this server",
            403: f"an API key needs the methods of the request, and PUT, POST or PATCH, on {self._path}",
        }.get(response.status_code)
        raise ApiKeysError(f"{doing}: the server answered {response.status_code}{_message(response)}", hint=hint)


def _message(response: httpx.Response) -> str:
    try:
        message = response.json().get("message")
    except (ValueError, AttributeError):
        return ""
    return f": {message}" if isinstance(message, str) else ""
