"""The GraphQL application: everything below ``/graphql``, as one ASGI application."""

from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from content_core.access import AccessControl
from content_core.store import Store
from graphql_app.http.browser import BrowserPage, send_asset
from graphql_app.http.cors import CrossOrigin
from graphql_app.http.endpoint import GraphQLEndpoint
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings

__all__ = ["create_app"]

_ASSETS: Final = "/graphql/_graphiql/"


def create_app(*, store: Store, access: AccessControl, registry: Registry, settings: GraphQLSettings) -> ASGIApp:
    """Build the application; ``scope["path"]`` has to be the full path, beginning with ``/graphql``.

    Args:
        store: where queries go.
        access: who may ask what.
        registry: the applications, started and stopped by the caller.
        settings: limits and switches.
    """
    endpoint = BrowserPage(GraphQLEndpoint(store=store, access=access, registry=registry, settings=settings))
    assets = Starlette(routes=[Route(f"{_ASSETS}{{name}}", send_asset, methods=["GET"])])

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        # Everything but the page's files is one endpoint: a router would only cost time on the way to it.
        answering = assets if scope["path"].startswith(_ASSETS) else endpoint
        await answering(scope, receive, send)

    return CrossOrigin(route, allowed_origins=settings.allowed_origins)
