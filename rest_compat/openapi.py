"""``/_logic/openapi``: the description of the whole interface, for anybody who is known here."""

from importlib.resources import files
from typing import Final

from content_core.access import AccessControl
from content_core.errors import MethodNotAllowedError
from rest_compat.reply import Reply
from rest_compat.request import Request

__all__ = ["YAML", "Description", "read_description"]

YAML: Final = "application/yaml"

_ADDRESS: Final = ("_logic", "openapi")


def read_description() -> bytes:
    """Give the description as it lies in the package."""
    return (files("rest_compat") / "openapi.yaml").read_bytes()


class Description:
    """The endpoint. It takes no right on any path, for it shows nothing of what is stored.

    Args:
        access: knows who is asking.
    """

    def __init__(self, access: AccessControl) -> None:
        self._access = access
        self._text = read_description()

    async def answer(self, request: Request) -> Reply | None:
        """Answer a request for the description; None for any other.

        A local key or a token is found by the parameter ``tenant``, as where tokens are given out.
        """
        if request.segments != _ADDRESS:
            return None
        tenant, *_ = request.query.get("tenant") or (None,)
        await self._access.authenticate(request.credentials, tenant=tenant)
        if request.problem is not None:
            raise request.problem
        if not request.reads:
            raise MethodNotAllowedError(f"method {request.method} not allowed")
        return Reply(status=200, body=self._text, media_type=YAML)
