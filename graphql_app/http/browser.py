"""GraphiQL for browsers: the page at every GraphQL address, whether or not an application is there, and its files."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from graphql_app import graphiql
from graphql_app.http.negotiation import prefers_html

__all__ = ["BrowserPage", "send_asset"]


class BrowserPage:
    """ASGI middleware that answers browsers with the page, without credentials, and hands everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page if it is a browser that asks."""
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            request = Request(scope, receive)
            if prefers_html(request.headers.get("accept")):
                body, headers = graphiql.page()
                await _conditional(request, body, headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def send_asset(request: Request) -> Response:
    """Answer with one of the page's files."""
    found = graphiql.asset(request.path_params["name"])
    return Response(status_code=404) if found is None else _conditional(request, found.body, found.headers)


def _conditional(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if headers.get("ETag") in known:
        kept = {name: value for name, value in headers.items() if name != "Content-Type"}
        return Response(status_code=304, headers=kept)
    return Response(body, headers=headers)
