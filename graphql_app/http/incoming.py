"""A request as it comes from the server: its headers are read once, and nothing that is not asked for."""

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from content_core.access import Credentials

__all__ = ["Incoming"]


class Incoming:
    """One HTTP request.

    Args:
        scope: of the ASGI server.
        receive: gives the parts of the body.
    """

    __slots__ = ("_headers", "_receive", "_scope", "method", "path")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self._scope = scope
        self._receive = receive
        # Of two headers of one name the first counts.
        self._headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))

    def header(self, name: bytes) -> str | None:
        """Give a header by its name in lower case; None if there is none."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    @property
    def credentials(self) -> Credentials:
        """What the request shows at the door."""
        return Credentials.read(query_string=self._scope["query_string"], headers=self._scope["headers"])

    @property
    def query_parameters(self) -> QueryParams:
        """What stands behind the question mark."""
        return QueryParams(self._scope["query_string"])

    async def next_part(self) -> tuple[bytes, bool]:
        """Wait for the next part of the body; says whether more come after it.

        Raises:
            ClientDisconnect: the client went away.
        """
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        return message.get("body", b""), message.get("more_body", False)
