"""A small GraphQL service on a socket that answers in all the ways the platform does."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from graphql import (
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    build_schema,
    graphql,
    parse,
    validate,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphql_app.graphiql import asset, page

__all__ = ["FORBIDDEN_KEY", "KEY", "Service", "serve"]

KEY = "kQ7-the_right.key~42"
FORBIDDEN_KEY = "kQ7-valid-but-not-here"

_SCHEMA = '''
"""The root of everything."""
type Query {
  "Pages of the shop."
  pages(limit: Int = 20, title: String): [Page!]!
  "Wider than a JavaScript number."
  wide: Long
}
"A page that visitors see. ![sketch](https://elsewhere.example/sketch.png)"
type Page { id: ID!  title: String!  views: Int!  teaser: Teaser }
union Teaser = Picture | Quote
type Picture { address: String! }
type Quote { words: String! }
scalar Long
'''


@dataclass(frozen=True, slots=True)
class Service:
    """The running service: where it is, which keys it knows, and the operations that it was asked for."""

    url: str
    keys: set[str] = field(default_factory=lambda: {KEY})
    operations: list[str] = field(default_factory=list)
    """Names, in the order of their coming; refused ones too."""
    cookies: list[str] = field(default_factory=list)


class _Root:
    wide = 9_007_199_254_740_993

    def pages(self, _info: object, limit: int, title: str | None = None) -> list[dict[str, object]]:
        teaser = {"__typename": "Picture", "address": "https://elsewhere.example/picture.png"}
        every = [
            {"id": str(number), "title": f"Page {number}", "views": number * 10, "teaser": teaser}
            for number in range(1, 4)
        ]
        return [found for found in every if title in {None, found["title"]}][:limit]


def _answer(status: int, body: object | None) -> Response:
    if body is None:
        return Response(status_code=status, headers={"WWW-Authenticate": 'Basic realm="CaaS"'})
    return Response(json.dumps(body), status_code=status, media_type="application/graphql-response+json")


def _refuse(message: str) -> dict[str, object]:
    return {"errors": [{"message": message, "extensions": {"classification": "ExecutionAborted"}}]}


def _check_access(request: Request, service: Service) -> Response | None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if key == FORBIDDEN_KEY:
        body = {"http status code": 403, "http status description": "Forbidden"}
        return Response(json.dumps(body), status_code=403, media_type="application/json")
    if scheme != "Bearer" or key not in service.keys:
        return _answer(401, None)
    return None


async def _execute(request: Request, operation: dict[str, Any]) -> Response:
    schema: GraphQLSchema = request.app.state.schema
    try:
        document = parse(operation["query"])
    except GraphQLError as error:
        return _answer(400, {"errors": [error.formatted]})
    if request.path_params["app"] == "closed":
        errors = validate(schema, document, [NoSchemaIntrospectionCustomRule])
        if errors:
            return _answer(400, {"errors": [error.formatted for error in errors]})
    outcome = await graphql(
        schema,
        operation["query"],
        root_value=_Root(),
        variable_values=operation.get("variables"),
        operation_name=operation.get("operationName"),
    )
    return _answer(200 if outcome.data is not None else 400, dict(outcome.formatted))


async def _endpoint(request: Request) -> Response:
    if request.method == "GET":
        body, headers = page()
        return Response(body, headers=headers)
    service: Service = request.app.state.service
    operation = await request.json()
    service.operations.append(operation.get("operationName") or "")
    service.cookies.extend(request.cookies)
    refused = _check_access(request, service)
    if refused:
        return refused
    match request.path_params["app"]:
        case "nothing":
            return _answer(404, _refuse("GraphQL app not found"))
        case "proxied":
            return Response("<h1>Bad Gateway</h1>", status_code=502, media_type="text/html")
        case _:
            return await _execute(request, operation)


async def _asset(request: Request) -> Response:
    found = asset(request.path_params["name"])
    return Response(found.body, headers=found.headers) if found else Response(status_code=404)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: asyncio.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()


@asynccontextmanager
async def serve() -> AsyncIterator[Service]:
    """Serve on a free port of loopback. Any application name works, but `closed`, `nothing` and `proxied` differ."""
    app = Starlette(
        routes=[
            Route("/graphql/_graphiql/{name}", _asset),
            Route("/graphql/{tenant}/{app}", _endpoint, methods=["GET", "POST"]),
        ]
    )
    started = asyncio.Event()
    server = _Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"), started)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = Service(f"http://127.0.0.1:{listener.getsockname()[1]}")
        app.state.schema = build_schema(_SCHEMA)
        app.state.service = service
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await started.wait()
            yield service
        finally:
            server.should_exit = True
            await task
