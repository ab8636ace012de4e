"""The GraphQL application: everything below ``/graphql``, as one ASGI application."""

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.types import ASGIApp

from content_core.access import AccessControl
from content_core.store import Store
from graphql_app.http.browser import BrowserPage, send_asset
from graphql_app.http.cors import CrossOrigin
from graphql_app.http.endpoint import GraphQLEndpoint
from graphql_app.registry import Registry
from graphql_app.settings import GraphQLSettings

__all__ = ["create_app"]


class _AnyPath(Convertor[str]):
    """Starlette's ``path``, but for line breaks: with those, a path would be answered past the endpoint."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("any_path", _AnyPath())


def create_app(*, store: Store, access: AccessControl, registry: Registry, settings: GraphQLSettings) -> ASGIApp:
    """Build the application; ``scope["path"]`` has to be the full path, beginning with ``/graphql``.

    Args:
        store: where queries go.
        access: who may ask what.
        registry: the applications, started and stopped by the caller.
        settings: limits and switches.
    """
    endpoint = BrowserPage(GraphQLEndpoint(store=store, access=access, registry=registry, settings=settings))
    return Starlette(
        routes=[
            Route("/graphql/_graphiql/{name}", send_asset, methods=["GET"]),
            Route("/graphql/{app:any_path}", endpoint),
            Route("/graphql", endpoint),
        ],
        middleware=[Middleware(CrossOrigin, allowed_origins=settings.allowed_origins)],
    )
