"""A small GraphQL service on a socket that answers in all the ways the platform does: the page's counterpart in tests."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from graphql import GraphQLError, GraphQLSchema, NoSchemaIntrospectionCustomRule, build_schema, graphql, parse, validate
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from graphql_app.graphiql import asset, page

__all__ = ["FORBIDDEN_KEY", "KEY", "serve"]

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
"A page that visitors see."
type Page { id: ID!  title: String!  views: Int! }
scalar Long
'''


class _Root:
    wide = 9_007_199_254_740_993

    def pages(self, _info: object, limit: int, title: str | None = None) -> list[dict[str, object]]:
        every = [{"id": str(number), "title": f"Page {number}", "views": number * 10} for number in range(1, 4)]
        return [found for found in every if title in {None, found["title"]}][:limit]


def _build() -> GraphQLSchema:
    return build_schema(_SCHEMA)


def _answer(status: int, body: object | None) -> Response:
    if body is None:
        return Response(status_code=status, headers={"WWW-Authenticate": 'Basic realm="CaaS"'})
    return Response(json.dumps(body), status_code=status, media_type="application/graphql-response+json")


def _refuse(message: str) -> dict[str, object]:
    return {"errors": [{"message": message, "extensions": {"classification": "ExecutionAborted"}}]}


def _check_access(request: Request) -> Response | None:
    authorization = request.headers.get("authorization")
    if authorization == f"Bearer {FORBIDDEN_KEY}":
        body = {"http status code": 403, "http status description": "Forbidden"}
        return Response(json.dumps(body), status_code=403, media_type="application/json")
    if authorization != f"Bearer {KEY}":
        return _answer(401, None)
    return None


async def _execute(request: Request, schema: GraphQLSchema) -> Response:
    operation = await request.json()
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
    refused = _check_access(request)
    if refused:
        return refused
    match request.path_params["app"]:
        case "nothing":
            return _answer(404, _refuse("GraphQL app not found"))
        case "proxied":
            return Response("<h1>Bad Gateway</h1>", status_code=502, media_type="text/html")
        case _:
            return await _execute(request, request.app.state.schema)


async def _asset(request: Request) -> Response:
    found = asset(request.path_params["name"])
    return Response(found.body, headers=found.headers) if found else Response(status_code=404)


@asynccontextmanager
async def serve() -> AsyncIterator[str]:
    """Serve on a free port of loopback; gives the base URL. Apps: any name, but `closed`, `nothing`, `proxied` differ."""
    app = Starlette(
        routes=[
            Route("/graphql/_graphiql/{name}", _asset),
            Route("/graphql/{tenant}/{app}", _endpoint, methods=["GET", "POST"]),
        ]
    )
    app.state.schema = _build()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                await asyncio.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
